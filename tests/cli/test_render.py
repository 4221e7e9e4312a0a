"""What a person sees of a plan, a drift and a receipt, as text: reviewed once, then held."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from dronekit_cfg.cli.render import make_console
from dronekit_cfg.cli.render_drift import drift_data, drift_view
from dronekit_cfg.cli.render_plan import plan_summary, plan_view
from dronekit_cfg.cli.render_receipt import EXIT_CODES, receipt_headline, receipt_view
from dronekit_cfg.model import (
    Change,
    Finding,
    Identity,
    Kind,
    Origin,
    Phase,
    Plan,
    Receipt,
    Record,
    Result,
    SettingSpec,
    Spec,
    Step,
    StepKind,
    Value,
    Verdict,
    Wanted,
)

VEHICLE = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev (2598e9d4)", "CubeOrange", "0123456789abcdef", "1:1")


def whole(number: int) -> Value:
    return Value(Kind.INT32, number)


def real(number: float) -> Value:
    return Value(Kind.REAL32, number)


def from_layer(name: str, line: int = 1) -> Origin:
    return Origin(name, f"profiles/{name}.yaml", line, 3)


CHANGES = (
    Change("GPS2_TYPE", whole(0), whole(1), Phase.ENABLE, True, "a second receiver", from_layer("gnss-dual")),
    Change(
        "BATT_LOW_VOLT", real(10.5), real(21), Phase.SET, False, "3.5 V a cell under load", from_layer("heavy-lift")
    ),
    Change(
        "FS_OPTIONS",
        whole(17),
        whole(24),
        Phase.SET,
        False,
        "a vehicle that is landing goes on landing when the radio is lost, so that it does not climb again",
        from_layer("base/ardupilot-copter"),
    ),
    Change("EK3_SRC_OPTIONS", None, whole(1), Phase.SET, False, "", from_layer("gnss-resilient")),
    Change(
        "GPS2_GNSS_MODE",
        None,
        whole(65),
        Phase.SET,
        False,
        "GPS and GLONASS",
        from_layer("gnss-resilient"),
        "GPS2_TYPE",
    ),
    Change("SERIAL1_BAUD", whole(57), whole(115), Phase.LINK, True, "speed of the radio", Origin("--set")),
)
STEPS = (
    Step(StepKind.WRITE, ("GPS2_TYPE",)),
    Step(StepKind.REBOOT, because="so that 2 hidden settings appear"),
    Step(StepKind.WRITE, ("EK3_SRC_OPTIONS", "GPS2_GNSS_MODE")),
    Step(StepKind.WRITE, ("BATT_LOW_VOLT", "FS_OPTIONS")),
    Step(StepKind.WRITE, ("SERIAL1_BAUD",)),
    Step(StepKind.VERIFY),
    Step(StepKind.REBOOT, because="needed by GPS2_TYPE, SERIAL1_BAUD"),
    Step(StepKind.VERIFY),
)
SPEC = Spec(
    "ardupilot",
    "copter",
    "4.7",
    {
        "GPS2_TYPE": SettingSpec("GPS2_TYPE", values={0: "None", 1: "AUTO"}),
        "BATT_LOW_VOLT": SettingSpec("BATT_LOW_VOLT", unit="V"),
        "FS_OPTIONS": SettingSpec(
            "FS_OPTIONS", bits={0: "Continue in Auto", 3: "Continue landing", 4: "Continue by hand"}
        ),
        "GPS2_GNSS_MODE": SettingSpec("GPS2_GNSS_MODE", bits={0: "GPS", 6: "GLONASS"}),
        "SERIAL1_BAUD": SettingSpec("SERIAL1_BAUD", values={57: "57600", 115: "115200"}),
    },
)
FINDINGS = (
    Finding(
        "value-range",
        "warning",
        "BATT_LOW_VOLT",
        "BATT_LOW_VOLT: 21 is outside the documented range 0 to 12 V",
        "check the value and its unit",
        from_layer("heavy-lift", 12),
    ),
    Finding(
        "AP-R20",
        "error",
        "FS_THR_ENABLE",
        "the throttle failsafe is off",
        "set FS_THR_ENABLE",
        from_layer("heavy-lift", 14),
    ),
)
PLAN = Plan(
    VEHICLE,
    "base/ardupilot-copter 1.0.0+heavy-lift 1.0.0+gnss-resilient 1.0.0",
    "sha256:abcdef0123456789",
    "sha256:1",
    CHANGES,
    STEPS,
    tuple(Wanted(c.name, c.wanted.raw, Origin("x")) for c in CHANGES),
    spec="ardupilot copter 4.7.0 (the nearest to this firmware)",
)
JUDGED = replace(
    PLAN,
    findings=FINDINGS,
    skipped=("COMPASS_OFS_X", "INS_ACCOFFS_X"),
    missing=("XYZ_FOO",),
    notes=("ARMING_CHECK is ARMING_SKIPCHK on this firmware: 1 becomes 0",),
)


class Utf8(io.StringIO):
    encoding = "utf-8"


class CodePage(io.StringIO):
    encoding = "cp1252"


def printed(parts: Sequence[Any], console: Console) -> str:
    for part in parts:
        console.print(part, crop=False)
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the file is a StringIO of ours
    return "\n".join(line.rstrip() for line in text.splitlines())


def console(width: int, stream: io.StringIO | None = None) -> Console:
    made = make_console(stream if stream is not None else Utf8())
    made.width = width
    return made


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_plan_reads_well(width: int, snapshot: SnapshotAssertion) -> None:
    target = console(width)
    assert printed(plan_view(JUDGED, SPEC, target), target) == snapshot


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_plan_stays_within_the_terminal_and_names_every_change(width: int) -> None:
    target = console(width)
    text = printed(plan_view(JUDGED, SPEC, target), target)
    assert max(map(len, text.splitlines())) <= width
    for change in CHANGES:
        assert change.name in text


def test_a_plan_needs_no_character_that_an_old_code_page_lacks() -> None:
    target = console(80, CodePage())
    text = printed(plan_view(JUDGED, SPEC, target), target)
    assert text.isascii()
    assert "->" in text


def test_no_colour_without_a_terminal() -> None:
    target = console(80)
    assert "\x1b" not in printed(plan_view(JUDGED, SPEC, target), target)


def test_no_color_wins_over_a_forced_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = console(80)
    assert "\x1b[" in printed(plan_view(JUDGED, SPEC, coloured), coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = console(80)
    text = printed(plan_view(JUDGED, SPEC, plain), plain)
    assert "\x1b[3" not in text
    assert "\x1b[9" not in text


def test_labels_and_names_are_no_markup() -> None:
    odd = replace(CHANGES[0], because="[red]not a colour[/red] [link=x]", name="[bold]X")
    target = console(80)
    text = printed(plan_view(replace(PLAN, changes=(odd,)), None, target), target)
    assert "[red]not a colour[/red] [link=x]" in text
    assert "[bold]X" in text


def test_a_bitmask_says_which_bits_come_and_go() -> None:
    target = console(120)
    text = printed(plan_view(replace(PLAN, changes=(CHANGES[2],)), SPEC, target), target)
    flat = " ".join(text.split())
    assert "17 (Continue in Auto," in flat
    assert "24 (adds Continue" in flat
    assert "drops Continue" in flat


def test_a_long_plan_can_be_cut() -> None:
    target = console(80)
    text = printed(plan_view(PLAN, SPEC, target, first=2), target)
    assert "BATT_LOW_VOLT" in text
    assert "FS_OPTIONS" not in text
    assert "... and 4 more" in text


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (PLAN, "6 settings change, 2 reboots"),
        (replace(PLAN, changes=CHANGES[:1], steps=STEPS[:1]), "1 setting changes, 0 reboots"),
        (replace(PLAN, changes=()), "nothing to do: the vehicle already is as wanted"),
        (JUDGED, "1 error: this plan cannot be applied"),
    ],
)
def test_the_summary_of_a_plan(plan: Plan, words: str) -> None:
    assert plan_summary(plan) == words


def test_drift_reads_well(snapshot: SnapshotAssertion) -> None:
    target = console(80)
    assert printed(drift_view(replace(PLAN, changes=CHANGES[:3]), SPEC, target), target) == snapshot


def test_no_drift_says_how_many_settings_were_compared() -> None:
    target = console(80)
    text = printed(drift_view(replace(PLAN, changes=()), SPEC, target), target)
    assert text.splitlines()[-1] == " PASS  AS WANTED: all 6 settings of the profile are as they should be"


def test_drift_as_data_has_both_values_and_the_place() -> None:
    assert drift_data(replace(PLAN, changes=CHANGES[1:2])) == [
        {
            "name": "BATT_LOW_VOLT",
            "found": 10.5,
            "wanted": 21.0,
            "because": "3.5 V a cell under load",
            "layer": "heavy-lift",
            "file": "profiles/heavy-lift.yaml",
            "line": 1,
        }
    ]


RECEIPT = Receipt(
    action="apply",
    result=Result.DONE,
    identity=VEHICLE,
    who="olena",
    started="2026-11-22T20:00:00Z",
    finished="2026-11-22T20:00:04Z",
    seconds=3.84,
    tool="dronekit-cfg 0.1.0",
    profile="heavy-lift 1.0.0",
    profile_digest="sha256:abc",
    plan_digest="sha256:def",
    snapshot_file="state/snapshots/20261122T200000Z-000.json",
    snapshot_digest="sha256:123",
    journal_file="state/journals/20261122T200000Z-000.jsonl",
    records=(
        Record("BATT_LOW_VOLT", real(10.5), real(21), real(21), real(21), real(21), Verdict.WRITTEN),
        Record("RTL_ALT", whole(1500), whole(3000), whole(3000), whole(3000), whole(3000), Verdict.WRITTEN),
    ),
    reboots=1,
    persistence_verified=True,
)
CLAMPED = replace(
    RECEIPT,
    result=Result.ROLLED_BACK,
    persistence_verified=False,
    reboots=1,
    problems=("RTL_ALT: the vehicle made 4000 of 6000",),
)
RECEIPTS = {
    "done": RECEIPT,
    "done without a reboot": replace(RECEIPT, persistence_verified=False, reboots=0),
    "unchanged": replace(RECEIPT, result=Result.UNCHANGED, records=(), reboots=0, persistence_verified=False),
    "rolled back": CLAMPED,
    "in doubt": replace(
        CLAMPED, result=Result.IN_DOUBT, problems=("the vehicle did not come back within 30 s", "rollback: no answer")
    ),
    "recover finished": replace(RECEIPT, action="recover"),
    "recover undone": replace(CLAMPED, action="recover", problems=()),
    "side effects": replace(
        RECEIPT, side_effects=(("INS_GYROFFS_X", real(0.25), real(0.5)),), notes=("link trouble: x",)
    ),
}


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_receipt_reads_well(name: str, snapshot: SnapshotAssertion) -> None:
    target = console(80)
    view = receipt_view(RECEIPTS[name], target, link="sim:ardupilot-copter?id=2", file=Path("receipt.json"))
    assert printed(view, target) == snapshot


HEADLINES = {
    "done": ("PASS", "DONE: 2 settings written and verified, also after a reboot", 0),
    "done without a reboot": (
        "PASS",
        "DONE: 2 settings written and verified; no reboot has proven yet that they are stored",
        0,
    ),
    "unchanged": ("PASS", "UNCHANGED: the vehicle already is as wanted; nothing was written", 0),
    "rolled back": ("FAIL", "ROLLED BACK: the vehicle is exactly as before, and that was verified", 5),
    "in doubt": ("FAIL", "IN DOUBT: the vehicle may hold old and new values. Do not fly it", 6),
    "recover finished": ("PASS", "DONE: the interrupted work is finished, 2 settings verified", 0),
    "recover undone": ("UNDONE", "ROLLED BACK: the interrupted work is undone; the vehicle is exactly as before it", 5),
    "side effects": ("PASS", "DONE: 2 settings written and verified, also after a reboot", 0),
}


@pytest.mark.parametrize("name", HEADLINES)
def test_the_line_at_arms_length_and_its_exit_code(name: str) -> None:
    word, sentence, code = HEADLINES[name]
    assert receipt_headline(RECEIPTS[name]) == (word, sentence)
    assert EXIT_CODES[RECEIPTS[name].result] == code


def test_paths_and_commands_are_not_folded_so_that_they_can_be_copied() -> None:
    long = "/home/olena/" + "x" * 120 + "/20261122T200000Z-000.json"
    target = console(80)
    text = printed(receipt_view(replace(RECEIPT, snapshot_file=long), target, link="serial:auto"), target)
    assert f"dronekit-cfg restore {long} --link serial:auto" in text
