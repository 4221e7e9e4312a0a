"""Options that the whole suite shares."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dronekit-cfg")
    group.addoption(
        "--rig",
        default="",
        help="what tests/contract judges: sim (the twins), sitl (real simulators found on PATH), or a link URL; "
        "without it the twins, and the Betaflight SITL where it is installed",
    )
    group.addoption("--rig-family", default="", help="only this family (ardupilot, betaflight, inav)")
