"""Whatever a port sends, a conversation ends in time, with a result or with one of our errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.families.betaflight.driver import BetaflightDriver
from dronekit_cfg.families.betaflight.simulated import make_simulated as make_betaflight
from dronekit_cfg.families.inav.driver import InavDriver
from dronekit_cfg.families.inav.simulated import make_simulated as make_inav
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Phase, Value
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.wire.msp import encode_reply

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([
        b"\r\n# ", b"\r\n", b"Entering CLI Mode, type 'exit' to reboot, or 'help'\r\n\r\n# ", b"Rebooting", b"$M<",
        b"###ERROR IN set: INVALID NAME###\r\n", b"small_angle set to 25\r\n# ", b"batch start\r\n", b"save\r\n",
        b"# version\r\n# Betaflight / SITL (SITL) 4.6.0 Nov 22 2026 / 18:01:53 () MSP API: 1.47\r\n",
        encode_reply(1, b"\0\1\x2f"), encode_reply(1, b"\0\1\x2f") + encode_reply(2, b"BTFL"),
        encode_reply(2, b"INAV"), encode_reply(3, b"\x04\x06\0") + encode_reply(4, b"SITL\0\0"),
        encode_reply(5, bytes(26)) + encode_reply(160, bytes(12)), encode_reply(1, ok=False),
        encode_reply(0x1008, b"\1\0\0\0\3\0"), encode_reply(0x1007, b"x\0"), encode_reply(0x1007, ok=False),
    ]),
)  # fmt: skip


class Babble:
    """A port that sends what was made up, one piece per read, and echoes end markers now and then."""

    url, baud = "babble", 0

    def __init__(self, clock: VirtualClock, pieces: list[bytes], *, echo: bool) -> None:
        self.clock, self.pieces, self.echo = clock, list(pieces), echo
        self.reads = 0

    def write(self, data: bytes) -> None:
        if self.echo and b"#dk" in data:
            self.pieces.insert(0, data.replace(b"\n", b"\r\n") + b"\r\n# ")

    def read(self, timeout: float) -> bytes:
        self.reads += 1
        self.clock.sleep(min(timeout, 0.05) or 0.001)
        return self.pieces.pop(0) if self.pieces else b""


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PIECES, max_size=25), st.booleans(), st.sampled_from([BetaflightDriver, InavDriver]))
def test_every_conversation_ends(pieces: list[bytes], echo: bool, kind: type[Any]) -> None:
    clock = VirtualClock()
    link: Any = Babble(clock, pieces, echo=echo)
    driver = kind(Session(clock.now))
    runner = Runner(link, driver.codec, clock)
    change = Change("small_angle", None, Value(Kind.UINT8, 30), Phase.SET)
    flows: list[Callable[[], Flow[Any]]] = [
        driver.identify,
        driver.arm_state,
        partial(driver.snapshot, taken=""),
        partial(driver.write, [change]),
        driver.commit,
        driver.discard,
    ]
    for flow in flows:
        link.pieces += pieces
        with contextlib.suppress(DronekitError):
            runner.run(flow())
        if driver.identity is None:
            break  # who does not know the vehicle asks it nothing more
    assert link.reads < 100_000


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=20), st.booleans(), st.sampled_from(["betaflight", "inav"]), st.integers(0, 3))
def test_a_vehicle_that_goes_mad_later_ends_no_conversation_badly(
    pieces: list[bytes], echo: bool, family: str, sane: int
) -> None:
    """Identify on the twin; from then on, or some flows later, the port babbles."""
    maker, kind = {
        "betaflight": (make_betaflight, BetaflightDriver),
        "inav": (make_inav, InavDriver),
    }[family]
    clock = VirtualClock()
    twin = MemoryLink("sim:", maker(family, {}, state_dir=None), clock)
    twin.open()
    driver: Any = kind(Session(clock.now))
    runner = Runner(twin, driver.codec, clock)
    runner.run(driver.identify())
    change = Change("small_angle", None, Value(Kind.UINT8, 30), Phase.SET)
    flows: list[Callable[[], Flow[Any]]] = [
        driver.arm_state,
        partial(driver.snapshot, taken=""),
        partial(driver.write, [change]),
        partial(driver.read, ["small_angle"]),
        driver.commit,
        driver.arm_state,
        driver.discard,
    ]
    babble: Any = Babble(clock, pieces, echo=echo)
    for number, flow in enumerate(flows):
        if number == sane:
            runner.link = babble
        babble.pieces += pieces
        with contextlib.suppress(DronekitError):
            runner.run(flow())
    assert babble.reads < 100_000
