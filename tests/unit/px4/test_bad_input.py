"""What goes wrong around a PX4: values it would take but must not get, strangers on the link, a boot, bad metadata."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.catalog.vehicle_cache import kept
from dronekit_cfg.engine.goals import goal_from_profile, terms_from_profile
from dronekit_cfg.engine.knowledge import metadata
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.errors import FileProblems, NoAnswer, SeveralVehicles
from dronekit_cfg.events import Event, Note
from dronekit_cfg.families.px4 import simulated
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.others import Together
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.mavlink import MavlinkCodec

HEAD = "format: dronekit-cfg/profile/v1\nname: bad\nversion: 1.0.0\nfamily: px4\nvehicle: copter\n"


def planned(px4: Any, tmp_path: Path, body: str) -> Any:
    path = tmp_path / "bad.yaml"
    path.write_text(HEAD + body, "utf-8")
    resolved = resolve(str(path), Library())
    with px4() as connection:
        return prepare(connection, goal_from_profile(resolved), StateDir(tmp_path), terms_from_profile(resolved)).plan


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("COM_RC_LOSS_T: 500", "VALUE-RANGE"),
        ("NAV_RCL_ACT: 99", "VALUE-RANGE"),
        ("BAT1_N_CELLS: 4.5", "value-type"),
        ("EKF2_GPS_CHECK: 5000", "VALUE-BITS"),
        ("EKF2_GPS_CHECK: -5", "VALUE-RANGE"),
        ("MPC_XY_VEL_MAXX: 12", "unknown"),
    ],
)
def test_what_the_firmware_would_take_is_an_error_of_the_plan(
    px4: Any, tmp_path: Path, setting: str, rule: str
) -> None:
    plan = planned(px4, tmp_path, f"settings: {{{setting}}}\n")
    assert rule.lower() in {f.id.lower() for f in plan.errors} | {m and "unknown" for m in plan.missing}


def test_nothing_of_a_profile_with_such_a_value_is_written(px4: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(HEAD + "settings: {COM_RC_LOSS_T: 500, COM_DL_LOSS_T: 15}\n", "utf-8")
    resolved = resolve(str(path), Library())
    with px4() as connection:
        before = connection.snapshot()
        with pytest.raises(FileProblems, match="outside 0 to 35"):
            apply(connection, goal_from_profile(resolved), StateDir(tmp_path))
        assert connection.snapshot().settings == before.settings


def test_a_value_out_of_range_is_let_through_where_it_is_waived_with_a_reason(px4: Any, tmp_path: Path) -> None:
    waiver = 'waive: [{rule: VALUE-RANGE, because: "long glide on a test rig"}]\n'
    plan = planned(px4, tmp_path, "settings: {COM_RC_LOSS_T: 60}\n" + waiver)
    assert plan.errors == ()
    assert [c.name for c in plan.changes] == ["COM_RC_LOSS_T"]


class _Booting:
    """Hears no question about settings until `seconds` after the first one."""

    def __init__(self, vehicle: SimulatedVehicle, seconds: float) -> None:
        self._vehicle = vehicle
        self._seconds = seconds
        self._first: float | None = None
        self._reader = MavlinkCodec()

    def receive(self, data: bytes, now: float) -> None:
        self._reader.receive_data(data)
        asked = False
        while (message := self._reader.next_event()) is not None:
            asked = asked or message.name.startswith("PARAM_REQUEST")
        if asked and self._first is None:
            self._first = now
        if not asked or (self._first is not None and now > self._first + self._seconds):
            self._vehicle.receive(data, now)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vehicle, name)


def instead(monkeypatch: pytest.MonkeyPatch, wrap: Callable[[SimulatedVehicle], Any]) -> None:
    make = simulated.make_simulated
    monkeypatch.setattr(simulated, "make_simulated", lambda *a, **k: wrap(make(*a, **k)))


def test_a_vehicle_that_still_boots_is_waited_for(px4: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, lambda vehicle: _Booting(vehicle, 2.0))
    with px4() as connection:
        assert len(connection.snapshot().settings) == 889


def test_a_vehicle_without_settings_is_told_to_be_still_starting(px4: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, lambda vehicle: _Booting(vehicle, 1e9))
    with px4() as connection, pytest.raises(NoAnswer, match="does not answer questions about its settings") as caught:
        connection.snapshot()
    assert "starting" in caught.value.hint


class _Companion:
    """A computer of the same system that answers a list request with settings of its own, whomever it was for."""

    hung_up = False

    def __init__(self) -> None:
        self._codec = MavlinkCodec(1, 191)
        self._agenda = Agenda()
        self._out = b""

    def receive(self, data: bytes, now: float) -> None:
        self._codec.receive_data(data)
        while (message := self._codec.next_event()) is not None:
            if message.name == "PARAM_REQUEST_LIST":
                for index, name in enumerate(("CAM_MODE", "COM_RC_LOSS_T", "NAV_RCL_ACT")):
                    self._agenda.add(now + 0.001 * index, partial(self._say, name, index))

    def _say(self, name: str, index: int, _due: float) -> None:
        self._out += self._codec.encode(
            "PARAM_VALUE", param_id=name, param_value=7.0, param_type=9, param_count=3, param_index=index
        )

    def connected(self, now: float) -> None:
        self._agenda.add(now + 0.2, self._beat)

    def _beat(self, due: float) -> None:
        self._out += self._codec.encode(
            "HEARTBEAT", type=18, autopilot=8, base_mode=0, custom_mode=0, system_status=4, mavlink_version=3
        )
        self._agenda.add(due + 1.0, self._beat)

    def poll(self, now: float) -> bytes:
        self._agenda.run(now)
        data, self._out = self._out, b""
        return data

    def next_due(self, now: float) -> float:
        return max(now, self._agenda.next_due())


def test_a_companion_computer_that_answers_the_list_is_not_mixed_in(px4: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with px4() as connection:
        alone = connection.snapshot()
    instead(monkeypatch, lambda vehicle: Together(vehicle, _Companion()))
    with px4() as connection:
        found = connection.snapshot()
        assert (connection.identity.family, found.settings) == ("px4", alone.settings)
        assert "CAM_MODE" not in found.by_name


def test_two_autopilots_on_one_link_are_named(px4: Any) -> None:
    with pytest.raises(SeveralVehicles, match=r"1:1 .*2:1") as caught, px4("fault=second"):
        pass
    assert "--target" in caught.value.hint


def test_metadata_of_the_vehicle_is_read_once_and_kept_by_its_checksum(px4: Any, tmp_path: Path) -> None:
    events: list[Event] = []
    with px4("metadata=own", events) as connection:
        spec = metadata(connection, tmp_path)
    assert spec is not None
    assert "parameters.json" in spec.source
    assert spec.get("COM_RC_LOSS_T").maximum == 35
    read = [e for e in events if "read the metadata" in str(e)]
    assert len(read) == 1
    with px4("metadata=own", events) as connection:
        assert metadata(connection, tmp_path) == spec
    assert [e for e in events if "read the metadata" in str(e)] == read, "the second time it comes from the cache"
    files = list(tmp_path.rglob("px4-*.json.gz"))
    assert len(files) == 1
    assert kept(files[0].parent, "px4", int(files[0].name[4:12], 16)) is not None


def test_metadata_with_a_wrong_checksum_is_not_used_and_this_is_said(px4: Any, tmp_path: Path) -> None:
    events: list[Event] = []
    with px4("metadata=bad-crc", events) as connection:
        spec = metadata(connection, tmp_path)
    notes = [e.text for e in events if isinstance(e, Note)]
    assert any("metadata is not used" in n and "its checksum is" in n for n in notes)
    assert spec is not None
    assert "parameters.json" not in spec.source, "the nearest shipped metadata stands in"
    assert not list(tmp_path.rglob("px4-*.json.gz"))
