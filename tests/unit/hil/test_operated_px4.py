"""Checks of PX4 that need a person: the twin's transmitter is switched, and the vehicle is turned, by the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.families.px4.simulated_vehicle import SimulatedPx4
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import Suite, SuiteEntry
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import Result, Verdict

RADIO = 0x10000


class Twin:
    """The simulated vehicle with the transmitter and the hands that it lacks."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        found = connection.link._vehicle  # type: ignore[attr-defined]  # the twin behind the link
        assert isinstance(found, SimulatedPx4)
        self.telemetry = found._telemetry
        self.fields: dict[str, Any] = self.telemetry._fields  # type: ignore[assignment]  # a dict that is only read

    def switch(self, *, on: bool) -> None:
        status = dict(self.fields["SYS_STATUS"])
        for name in ("onboard_control_sensors_present", "onboard_control_sensors_health"):
            status[name] = status[name] | RADIO if on else status[name] & ~RADIO
        self.fields["SYS_STATUS"] = status

    def check(self, name: str, ask: Any) -> Result:
        found = find_check(name)
        suite = Suite("one", "one", "px4", 3.0, (SuiteEntry(found, found.params({})),))
        (result,) = run_suite(self.connection, suite, Operator(ask, attended=True)).results
        return result


@contextmanager
def twin(state: Path) -> Iterator[Twin]:
    options = LinkOptions("sim:px4-copter", family="px4", state_dir=state)
    with connect(options, clock=VirtualClock()) as connection:
        yield Twin(connection)


@pytest.mark.parametrize(
    ("never", "verdict", "words"),
    [
        ("", Verdict.PASS, ""),
        ("OFF", Verdict.FAIL, "receiver holds its values"),
        ("ON, then", Verdict.FAIL, "no transmitter is heard before"),
        ("ON again", Verdict.FAIL, "return noticed after unknown"),
    ],
)
def test_a_lost_transmitter_and_its_return_are_judged(never: str, verdict: Verdict, words: str, tmp_path: Path) -> None:
    with twin(tmp_path) as vehicle:

        def ask(question: str, seconds: float) -> str:
            del seconds
            if not never or never not in question:
                vehicle.switch(on="OFF" not in question)
            return ""

        result = vehicle.check("px4-radio-failsafe", ask)
    assert result.verdict is verdict, result.reason
    assert words in result.reason


def test_nobody_at_the_transmitter_is_no_pass(tmp_path: Path) -> None:
    with twin(tmp_path) as vehicle:
        assert vehicle.check("px4-radio-failsafe", lambda _q, _s: None).verdict is Verdict.SKIP


@pytest.mark.parametrize(("turned", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
def test_the_heading_must_follow_a_full_turn(
    turned: bool, verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with twin(tmp_path) as vehicle:
        clock = vehicle.connection.runner.clock

        send = vehicle.telemetry.send

        def turn(name: str, now: float) -> None:
            heading = int(clock.now() * 20) % 360 if turned else 7
            vehicle.fields["VFR_HUD"] = {**vehicle.fields["VFR_HUD"], "heading": heading}
            send(name, now)

        monkeypatch.setattr(vehicle.telemetry, "send", turn)
        assert vehicle.check("compass-turn", lambda _q, _s: "").verdict is verdict
