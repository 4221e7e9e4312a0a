"""What a plan costs on its link: said by `plan`, written into the receipt of `apply`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STACK = ("heavy-lift", "-i", "cells=6")


@pytest.fixture
def vehicle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DRONEKIT_CFG_STATE_DIR", str(tmp_path / "state"))
    return "sim:ardupilot-copter?fresh"


def document(said: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_plan_tells_bytes_and_seconds_of_the_named_line(cli: Callable[..., Any], vehicle: str) -> None:
    slow = document(cli("plan", *STACK, "-l", vehicle, "--link-speed", "9600", "--json"))["cost"]
    fast = document(cli("plan", *STACK, "-l", vehicle, "--link-speed", "57600", "--json"))["cost"]
    assert slow["bytes_per_second"] == 960
    assert fast["bytes_per_second"] == 5760
    assert slow["bytes_down"] == fast["bytes_down"] > 25_000  # two read-backs of 1330 settings
    assert slow["seconds"] == pytest.approx(slow["bytes_down"] / 960, rel=0.1)
    assert fast["seconds"] == pytest.approx(fast["bytes_down"] / 5760, rel=0.15)


def test_a_plan_says_it_to_a_person(cli: Callable[..., Any], vehicle: str) -> None:
    said = cli("plan", *STACK, "-l", vehicle, "--link-speed", "57600")
    assert "On the link" in said.out
    assert "at 5.8 kB/s, and 1 reboot" in said.out


def test_without_a_vehicle_it_is_told_only_for_a_named_line(
    cli: Callable[..., Any], vehicle: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "before.json")
    assert cli("snapshot", "-l", vehicle, "-o", file).code == 0
    assert "cost" not in document(cli("plan", *STACK, "--against", file, "--json"))
    named = document(cli("plan", *STACK, "--against", file, "--json", "--link-speed", "57600"))
    assert named["cost"]["seconds"] > 5


def test_the_receipt_has_what_was_predicted_and_what_it_was(
    cli: Callable[..., Any], vehicle: str, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    assert cli("apply", *STACK, "-l", vehicle, "-y", "--receipt", str(file)).code == 0
    receipt = json.loads(file.read_text(encoding="utf-8"))
    predicted, actual = receipt["predicted"], receipt["actual"]
    assert actual["down"] == pytest.approx(predicted["down"], rel=0.15)
    assert actual["seconds"] <= receipt["seconds"]
    assert "predicted" in cli("apply", *STACK, "-l", vehicle, "-y", "--set", "ACRO_RP_EXPO=0.35").out
