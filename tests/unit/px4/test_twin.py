"""The twin against what a real PX4 said, byte for byte where it matters."""

from __future__ import annotations

from typing import Any

from dronekit_cfg.families.px4.simulated import make_simulated
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message

COMPARED = {"PARAM_VALUE", "COMMAND_ACK", "AUTOPILOT_VERSION"}
METADATA_REQUEST = 397
"""The recorded vehicle carries metadata files and the twin none, as they hold the vendor's prose."""


def messages(codec: MavlinkCodec, data: bytes) -> list[Message]:
    codec.receive_data(data)
    found = []
    while (message := codec.next_event()) is not None:
        found.append(message)
    return found


def said(frames: list[tuple[float, bytes]]) -> list[tuple[str, bytes]]:
    codec = MavlinkCodec()
    return [(m.name, m.payload) for _, data in frames for m in messages(codec, data) if m.name in COMPARED]


def test_the_twin_answers_a_recorded_conversation_with_the_same_bytes(recorded: list[dict[str, Any]]) -> None:
    twin = make_simulated("px4-copter", {"version": "none"}, state_dir=None)
    twin.connected(0.0)
    answers: list[tuple[float, bytes]] = []
    now = 0.0
    ends = recorded[-1]["t"] + 1
    sent = [(line["t"], bytes.fromhex(line["hex"])) for line in recorded if line["dir"] == "tx"]
    codec = MavlinkCodec()
    sent = [(t, d) for t, d in sent if not any(m.fields.get("param1") == METADATA_REQUEST for m in messages(codec, d))]
    while now < ends:
        due = min(max(twin.next_due(now), now + 1e-6), sent[0][0] if sent else ends)
        now = due
        if sent and sent[0][0] <= now:
            twin.receive(sent.pop(0)[1], now)
        if data := twin.poll(now):
            answers.append((now, data))
    real = [(line["t"], bytes.fromhex(line["hex"])) for line in recorded if line["dir"] == "rx"]
    found, wanted = said(answers), said(real)
    assert len(wanted) > 900
    assert found == _without_one_request(wanted)


def _without_one_request(said_really: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Leave out the acknowledgement of the request for metadata: the second one of REQUEST_MESSAGE."""
    places = [i for i, (name, data) in enumerate(said_really) if name == "COMMAND_ACK" and data[:2] == b"\x00\x02"]
    assert len(places) == 2
    return [line for i, line in enumerate(said_really) if i != places[1]]


def test_the_twin_lists_every_recorded_setting_with_its_bits(px4: Any, listed: list[tuple[str, str, float]]) -> None:
    with px4("version=none") as connection:
        snapshot = connection.snapshot()
    assert [(s.name, s.value.kind.value, s.value.raw) for s in snapshot.settings] == listed


def test_what_was_written_just_before_a_reboot_is_lost_as_on_the_real_one(px4: Any) -> None:
    with px4() as connection:
        driver = connection.driver
        connection.run(driver.write(_changes(connection, {"NAV_DLL_ACT": 3})))
        connection.runner.clock.sleep(0.5)  # stored by now, and the next time 2 s later
        goal = {"COM_RC_LOSS_T": 1.5}
        connection.run(driver.write(_changes(connection, goal)))
        connection.run(driver.reboot())
        connection.reconnect()
        assert str(connection.values(list(goal))["COM_RC_LOSS_T"]) == "0.5"
        connection.run(driver.write(_changes(connection, goal)))
        connection.reboot()
        assert str(connection.values(list(goal))["COM_RC_LOSS_T"]) == "1.5"


def test_a_vehicle_goes_on_when_the_tool_ends(px4: Any) -> None:
    with px4() as connection:
        connection.run(connection.driver.write(_changes(connection, {"NAV_DLL_ACT": 3})))
    with px4() as connection:
        assert str(connection.values(["NAV_DLL_ACT"])["NAV_DLL_ACT"]) == "3"


def test_an_airframe_reset_keeps_calibration_and_forgets_the_rest(px4: Any) -> None:
    with px4() as connection:
        connection.run(
            connection.driver.write(_changes(connection, {"NAV_DLL_ACT": 3, "CAL_ACC0_ROT": 4, "SYS_AUTOCONFIG": 1}))
        )
        connection.reboot()
        found = {n: str(v) for n, v in connection.values(["NAV_DLL_ACT", "CAL_ACC0_ROT", "SYS_AUTOCONFIG"]).items()}
    assert found == {"NAV_DLL_ACT": "0", "CAL_ACC0_ROT": "4", "SYS_AUTOCONFIG": "0"}


def _changes(connection: Any, wanted: dict[str, float]) -> list[Any]:
    from dronekit_cfg.model import Change

    known = connection.run(connection.driver.read(list(wanted)))
    driver = connection.driver
    return [Change(n, None, driver.coerce(n, v, known[n]), driver.phase(n)) for n, v in wanted.items()]
