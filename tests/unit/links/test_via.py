"""Links through a flight controller: its port is taken, carries bytes both ways, and is always given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import Armed, LeaseHeld, LinkLost, Unsupported, UsageError
from dronekit_cfg.events import Note
from dronekit_cfg.families.ardupilot.simulated import make_simulated as make_copter
from dronekit_cfg.families.registry import candidates, make_simulated
from dronekit_cfg.families.ublox.driver import UbloxDriver
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.port_marks import PortMark
from dronekit_cfg.links.url import parse
from dronekit_cfg.links.via import Through, make_via, split_via
from dronekit_cfg.links.via_betaflight import port_use
from dronekit_cfg.model import Origin, Result, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.talk.flow import Session

COPTER = "ardupilot-copter"


class Bench:
    """One copter with a receiver behind gps1, and ways to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = VirtualClock()
        self.notes: list[str] = []
        self.copter: Any = make_simulated(COPTER, {"gps1": "ublox-f9"}, state_dir=None)

    def note(self, event: object) -> None:
        if isinstance(event, Note):
            self.notes.append(event.text)

    def way(self, port: str = "gps1", options: str = "", *, root: Path | None = None) -> Any:
        url = parse(f"via:ardupilot:{port}+sim:{COPTER}{options}")
        through = Through(
            lambda text: MemoryLink(text, self.copter, self.clock), root=root or self.root, report=self.note
        )
        return make_via(url, self.clock, through)

    @property
    def taken(self) -> set[str]:
        found: set[str] = self.copter._ports.taken
        return found

    @contextmanager
    def connect(self, url: str) -> Iterator[Connection]:
        options = LinkOptions(url, state_dir=self.root)
        with connect(options, clock=self.clock, report=self.note) as connection:
            yield connection


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def read(link: Any, clock: VirtualClock, seconds: float) -> bytes:
    heard, end = b"", clock.now() + seconds
    while clock.now() < end:
        heard += link.read(0.2)
    return heard


def test_what_the_receiver_sends_arrives_and_the_port_is_given_back_at_the_end(bench: Bench) -> None:
    with bench.way() as link:
        assert bench.taken == {"gps1"}
        assert b"$GNRMC" in read(link, bench.clock, 2.5)
    assert bench.taken == set()
    assert list(bench.root.rglob("*.json")) == []


def test_a_receiver_behind_a_flight_controller_is_configured_like_any_other(bench: Bench) -> None:
    goal = Goal("t", "sha256:0", (Wanted("CFG-NAVSPG-DYNMODEL", 8, Origin("t")),))
    with bench.connect(f"via:ardupilot:gps1+sim:{COPTER}?gps1=ublox-f9") as connection:
        before = connection.snapshot()
        receipt = apply(connection, goal, StateDir(bench.root))
        assert (receipt.result, receipt.identity.family) == (Result.DONE, "ublox")
        assert connection.values(["CFG-NAVSPG-DYNMODEL"])["CFG-NAVSPG-DYNMODEL"] is not None
        back = apply(connection, goal_from_snapshot(before, connection.identity), StateDir(bench.root))
        assert back.result is Result.DONE


def test_a_port_that_a_killed_command_held_is_given_back_by_the_next_one_through_it(bench: Bench) -> None:
    killed = bench.way()
    killed.open()
    killed._mark.let_go()  # the lock of the system ends with the process
    assert bench.taken == {"gps1"}
    bench.clock.sleep(60)
    with bench.way() as link:
        assert b"$GNRMC" in read(link, bench.clock, 2.5)
    assert bench.taken == set()


def test_any_command_on_the_vehicle_gives_back_what_a_killed_one_held(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = bench.way()
    killed.open()
    killed._mark.let_go()
    monkeypatch.setattr("dronekit_cfg.families.registry.make_simulated", lambda *_, **__: bench.copter)
    with bench.connect(f"sim:{COPTER}") as connection:
        assert connection.identity.family == "ardupilot"
    assert bench.taken == set()
    assert any("gps1" in note and "given back" in note for note in bench.notes)


def test_a_port_that_another_program_holds_is_named_and_left_alone(bench: Bench, tmp_path: Path) -> None:
    other = bench.way(root=tmp_path / "theirs")
    other.open()
    bench.clock.sleep(10)
    with pytest.raises(LeaseHeld, match="gps1") as caught:
        bench.way().open()
    assert "take=1" in caught.value.hint
    assert bench.taken == {"gps1"}
    with bench.way(options="?take=1") as link:
        assert b"$GNRMC" in read(link, bench.clock, 2.5)


def test_two_of_us_do_not_work_through_one_port(bench: Bench) -> None:
    with bench.way():
        with pytest.raises(LeaseHeld, match="another dronekit-cfg"):
            bench.way().open()
        assert bench.taken == {"gps1"}


def test_the_port_of_an_armed_vehicle_is_not_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.copter = make_copter(COPTER, {"fault": "armed"}, state_dir=None)
    with pytest.raises(Armed):
        bench.way().open()
    assert bench.taken == set()


def test_a_port_that_the_firmware_goes_on_using_is_not_taken(bench: Bench) -> None:
    with pytest.raises(Unsupported, match="SERIAL3_PROTOCOL"):
        bench.way("serial3").open()


def test_the_port_that_we_are_connected_to_is_not_taken_from_under_us(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loop:
        """Gives back what it is sent, as our own port does."""

        hung_up = False
        waiting = b""

        def connected(self, now: float) -> None: ...
        def receive(self, data: bytes, now: float) -> None:
            bench.copter._core.out += data

        def poll(self, now: float) -> bytes:
            return b""

    bench.copter.attach("telem1", Loop())
    with pytest.raises(UsageError, match="telem1"):
        bench.way("telem1").open()
    assert bench.taken == set()


def test_a_dead_flight_controller_is_said_to_be_gone_and_not_waited_for_forever(bench: Bench) -> None:
    link = bench.way()
    link.open()
    bench.copter.poll = lambda _now: b""
    with pytest.raises(LinkLost, match="silent"):
        read(link, bench.clock, 60)


def test_the_speed_of_the_port_is_put_back(bench: Bench) -> None:
    with bench.way(options="?port_baud=38400"):
        assert bench.copter._ports.speeds == {"gps1": 38400}
    assert bench.copter._ports.speeds == {"gps1": 230400}  # SERIAL3_BAUD is 230 in the twin, as in the real SITL


def test_long_writes_go_out_whole_and_no_faster_than_the_port(bench: Bench) -> None:
    class Sink:
        hung_up = False
        heard = b""

        def connected(self, now: float) -> None: ...
        def receive(self, data: bytes, now: float) -> None:
            self.heard += data

        def poll(self, now: float) -> bytes:
            return b""

    sink = Sink()
    bench.copter.attach("gps1", sink)
    data = bytes(range(250)) * 4
    with bench.way() as link:
        start = bench.clock.now()
        link.write(data)
        assert bench.clock.now() - start > 930 * 10 / 38400
    assert sink.heard == data


def test_the_url_is_taken_apart_and_options_go_to_whom_they_belong() -> None:
    url = split_via(parse("via:ardupilot:GPS1+tcp:127.0.0.1:5760"))
    assert (url.family, url.port, url.inner) == ("ardupilot", "gps1", "tcp:127.0.0.1:5760")
    assert split_via(parse("via:ardupilot:gps1")).inner == "serial:auto"
    url = split_via(parse("via:ardupilot:gps1+chaos+sim:ardupilot-copter?take=1&loss=0.1&id=a b&fresh"))
    assert url.options == {"take": "1"}
    assert url.inner == "chaos+sim:ardupilot-copter?loss=0.1&id=a%20b&fresh"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("via:px4:gps1", "no way through 'px4'"),
        ("via:ardupilot:gps3", "no port 'gps3'"),
        ("via:betaflight:uart0", "no port"),
        ("via:ardupilot:gps1?pass=3", "pass=3"),
        ("via:ardupilot:gps1?port_baud=x", "port_baud=x"),
        ("via:betaflight:uart1?take=1", "for ArduPilot"),
    ],
)
def test_a_wrong_url_says_what_is_right(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        split_via(parse(text))
    assert caught.value.hint


def test_what_is_behind_a_gps_port_is_clear_and_elsewhere_it_has_to_be_said() -> None:
    (make,) = candidates("via:ardupilot:gps1+tcp:127.0.0.1:1")
    assert isinstance(make(Session(lambda: 0.0), None, None), UbloxDriver)
    with pytest.raises(UsageError, match="what is behind this port"):
        candidates("via:ardupilot:telem1+tcp:127.0.0.1:1")
    assert candidates("via:ardupilot:telem1", "sik")


def test_a_damaged_mark_is_still_a_mark(tmp_path: Path) -> None:
    mark = PortMark(tmp_path, "ardupilot-1", "gps1")
    mark.hold()
    mark.write({})
    (tmp_path / "vehicles/ardupilot-1/ports/gps1.json").write_text("{", "utf-8")
    mark.let_go()
    again = PortMark(tmp_path, "ardupilot-1", "gps1")
    assert again.hold()
    assert again.restore() == {}


BETAFLIGHT = "via:betaflight:uart2+sim:betaflight?uart2=ublox-m10"


def test_a_module_behind_betaflight_is_reached_and_the_power_cycle_is_asked_for_and_waited_for(bench: Bench) -> None:
    options = LinkOptions(BETAFLIGHT, family="ublox", state_dir=bench.root)
    with connect(options, clock=bench.clock, report=bench.note) as connection:
        assert connection.identity.vehicle == "m10"
        assert len(connection.snapshot().settings) > 40
    asked = next(i for i, note in enumerate(bench.notes) if "unplug the flight controller" in note)
    assert bench.notes[asked + 1 :] == ["the flight controller is back"]


def test_a_board_that_nobody_restarts_is_said_to_be_of_no_use_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dronekit_cfg.families.betaflight.simulated_passthrough.PATIENCE", 1000)
    options = LinkOptions(BETAFLIGHT, family="ublox", state_dir=bench.root)
    with connect(options, clock=bench.clock, report=bench.note):
        pass
    assert "was not restarted" in bench.notes[-1]


def test_a_board_without_that_port_says_so_and_leaves_its_cli(bench: Bench) -> None:
    options = LinkOptions(BETAFLIGHT.replace("uart2+", "uart5+"), family="ublox", state_dir=bench.root)
    with pytest.raises(Unsupported, match="uart5"), connect(options, clock=bench.clock, report=bench.note):
        pass


@pytest.mark.parametrize(
    ("text", "port", "found"),
    [
        ("serial VCP 1 115200 57600 0 115200\nserial UART2 64 115200 57600 0 115200\n", "uart2", ("UART2", 64, 57600)),
        ("serial 20 1 115200 57600 0 115200\nserial 1 2 115200 57600 0 115200\n", "uart2", ("1", 2, 57600)),
        ("serial 30 0 115200 57600 0 115200\n", "softserial1", ("30", 0, 57600)),
        ("serial UART1 0 115200\n", "uart10", None),
    ],
)
def test_a_port_is_found_by_name_and_by_the_numbers_of_older_firmware(
    text: str, port: str, found: tuple[str, int, int] | None
) -> None:
    assert port_use(text, port) == found
