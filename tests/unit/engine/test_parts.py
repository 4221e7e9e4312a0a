"""What a connected vehicle tells of its parts, and what of it the record of an apply holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine import transaction
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_profile
from dronekit_cfg.engine.parts import fitted_parts
from dronekit_cfg.engine.receipts import build_receipt
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.work import Work
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.receipt_json import dump_receipt, load_receipt
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Receipt


@pytest.mark.parametrize(
    ("link", "kinds"),
    [
        ("sim:ardupilot-copter", {"board", "imu", "compass", "baro", "gps", "battery", "node"}),
        ("sim:px4-copter", {"board", "imu", "compass", "battery"}),
        ("sim:inav", {"board", "imu", "compass", "baro", "battery"}),
    ],
)
def test_a_connected_vehicle_tells_of_its_parts(link: str, kinds: set[str], tmp_path: Path) -> None:
    with connect(LinkOptions(f"{link}?fresh", state_dir=tmp_path), clock=VirtualClock()) as connection:
        parts = fitted_parts(connection, connection.snapshot())
    assert {p.kind for p in parts} >= kinds
    assert parts[0].kind == "board"
    assert parts[0].place.startswith("uid ")


@pytest.mark.parametrize(
    ("link", "stack", "kinds", "told"),
    [
        (
            "sim:ardupilot-copter",
            "heavy-lift",
            {"board", "imu", "compass", "baro", "gps", "battery"},
            {("gps", 1): ("u-blox", True)},
        ),
        (
            "sim:px4-copter",
            "heavy-lift",
            {"board", "imu", "compass", "battery", "gps"},
            {("gps", 1): ("unknown type", True)},
        ),
        (
            "sim:betaflight",
            "fpv-7in",
            {"board", "imu", "baro", "gps", "esc"},
            {("esc", 4): ("ESC on PWM", True), ("gps", 1): ("VIRTUAL", False)},
        ),
        ("sim:inav", "fpv-7in", {"board", "imu", "compass", "baro", "battery"}, {("imu", 1): ("FAKE", None)}),
    ],
)
def test_a_receipt_names_every_part_and_asks_nothing_once_the_work_has_begun(
    link: str,
    stack: str,
    kinds: set[str],
    told: dict[tuple[str, int], tuple[str, bool | None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is cut off between the end of the work and its receipt looks like unfinished work, so nothing is sent."""
    state = StateDir(tmp_path)

    def build_silently(work: Work, *args: Any, **options: Any) -> Receipt:
        sent = work.connection.runner.sent
        receipt = build_receipt(work, *args, **options)
        assert work.connection.runner.sent == sent
        return receipt

    monkeypatch.setattr(transaction, "build_receipt", build_silently)
    with connect(LinkOptions(f"{link}?fresh", state_dir=tmp_path), clock=VirtualClock()) as connection:
        family = connection.identity.family
        wish = resolve(stack, Library(), family=family, inputs={"cells": "6"})
        receipt = transaction.apply(connection, goal_from_profile(wish), state)
        again = transaction.apply(connection, goal_from_profile(wish), state)
    for made in (receipt, again):
        parts = {(p.kind, p.number): p for p in made.parts}
        assert {kind for kind, _ in parts} >= kinds
        assert {key: (parts[key].type, parts[key].answers) for key in told} == told
    assert receipt.parts[0].firmware == f"{family} {receipt.identity.version_text}"
    assert load_receipt(dump_receipt(receipt), "r.json").parts == receipt.parts
