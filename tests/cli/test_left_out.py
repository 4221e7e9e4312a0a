"""A wanted value that is not written: nothing says DONE about it unless somebody accepted that.

Each row is a reason to leave a wanted value out, on the simulated vehicle of each family that has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("virtual_time")

Run = Callable[..., Any]

# family: link, and a setting that can be written, with two values
WRITABLE = {
    "ardupilot": ("sim:ardupilot-copter", "FENCE_ALT_MAX", 77),
    "px4": ("sim:px4-copter", "MPC_XY_VEL_MAX", 9),
    "betaflight": ("sim:betaflight", "small_angle", 30),
    "inav": ("sim:inav", "small_angle", 30),
    "sik": ("sim:sik-pair", "MAVLINK", 2),
    "elrs": ("sim:elrs-tx", "Telem_Ratio", "1:64"),
}
# family, setting, a value that the vehicle does not hold, the value that it holds, what has to be accepted
LEFT: tuple[tuple[str, str, object, object, str], ...] = (
    ("ardupilot", "FORMAT_VERSION", 16, 120, "LEFT-READONLY"),
    ("ardupilot", "COMPASS_DEV_ID", 1234, 97539, "LEFT-READONLY"),  # flagged by the metadata alone
    ("ardupilot", "COMPASS_OFS_X", 50, 5, "LEFT-CALIBRATION"),
    ("ardupilot", "BRD_SERIAL_NUM", 7, 0, "LEFT-IDENTITY"),
    ("ardupilot", "ESC_CALIBRATION", 3, 0, "LEFT-VOLATILE"),
    ("px4", "SYS_PARAM_VER", 2, 1, "LEFT-READONLY"),
    ("px4", "CAL_GYRO0_XOFF", 0.5, 0, "LEFT-VOLATILE"),
    ("betaflight", "feature.RX_SERIAL", "ON", "OFF", "LEFT-READONLY"),  # a feature that the build lacks
    ("betaflight", "craft_name", "KESTREL", "-", "LEFT-IDENTITY"),
    ("betaflight", "stats_total_flights", 9, 0, "LEFT-VOLATILE"),
    ("inav", "acczero_x", 9, 0, "LEFT-CALIBRATION"),
    ("sik", "FORMAT", 25, 26, "LEFT-READONLY"),
    ("elrs", "Domain", "FCC915", "CE_LBT", "LEFT-READONLY"),
)


def on(family: str) -> tuple[str, ...]:
    return ("--link", WRITABLE[family][0], "--family", family)


def profile(path: Path, family: str, *settings: tuple[str, object], extra: str = "") -> Path:
    lines = [f"  {name}: {{value: {json.dumps(value)}, because: test{extra}}}" for name, value in settings]
    head = ["format: dronekit-cfg/profile/v1", "name: one", "version: 1.0.0", f"family: {family}", "settings:"]
    path.write_text("\n".join([*head, *lines, ""]))
    return path


@pytest.mark.parametrize(("family", "name", "value", "held", "identifier"), LEFT)
def test_what_is_not_written_has_to_be_accepted_and_is_named(
    cli: Run, tmp_path: Path, family: str, name: str, value: object, held: object, identifier: str
) -> None:
    del held
    link, good, to = WRITABLE[family]
    del link
    wish = profile(tmp_path / "p.yaml", family, (good, to), (name, value))
    refused = cli("apply", wish, *on(family), "--yes")
    assert refused.code == 2, refused.out
    assert f"--accept {identifier}" in refused.err
    assert name in refused.err
    assert cli("plan", wish, *on(family), "-o", tmp_path / "plan.json", "--json").document["plan"]["changes"] != []
    assert cli("apply", tmp_path / "plan.json", *on(family), "--yes").code == 2

    receipt = tmp_path / "r.json"
    done = cli("apply", wish, *on(family), "--yes", "--accept", identifier, "--receipt", receipt, "--quiet")
    assert done.code == 0, done.err
    assert f"NOT as wanted: {name}" in " ".join(done.out.split())
    kept = json.loads(receipt.read_text())
    assert [r["name"] for r in kept["records"]] == [good]
    assert [left["name"] for left in kept["left_out"]] == [name]
    again = cli("apply", wish, *on(family), "--yes", "--accept", identifier, "--json").document
    assert again["result"] == "unchanged"
    assert name in again["summary"]

    assert cli("verify", wish, *on(family)).code == 1
    accepted = cli("verify", wish, *on(family), "--accept", identifier)
    assert accepted.code == 0, accepted.out
    assert name in accepted.out.splitlines()[-1]


@pytest.mark.parametrize(("family", "name", "value", "held", "identifier"), LEFT)
def test_nothing_is_said_where_the_vehicle_holds_the_value_already(
    cli: Run, tmp_path: Path, family: str, name: str, value: object, held: object, identifier: str
) -> None:
    del value, identifier
    wish = profile(tmp_path / "p.yaml", family, (name, held))
    said = cli("apply", wish, *on(family), "--yes", "--json")
    assert (said.code, said.document["result"]) == (0, "unchanged"), said.err
    assert "as wanted" in said.document["summary"]
    assert "NOT as wanted" not in said.document["summary"]
    assert "left_out" not in said.document["receipt"]
    verified = cli("verify", wish, *on(family), "--json")
    told = [f for f in verified.document["findings"] if f["severity"] != "info"]
    assert (verified.code, told) == (0, [])


# Every other way in which a wanted value may not become what it is wanted to be: link, settings, and how apply ends.
OTHER: tuple[tuple[str, str, str, dict[str, object], int], ...] = (
    ("no such setting", "ardupilot", "", {"FENCE_ALT_MAXX": 5}, 2),
    ("hidden, and its enabler stays off", "ardupilot", "", {"CAM1_TYPE": 0, "CAM1_RELAY_ON": 0}, 2),
    ("denied", "ardupilot", "?fault=deny:FENCE_ALT_MAX", {"FENCE_ALT_MAX": 77}, 5),
    ("clamped", "ardupilot", "?fault=clamp:FENCE_ALT_MAX:110", {"FENCE_ALT_MAX": 120}, 5),
    ("not stored", "ardupilot", "?fault=forgetful:1", {"BATT_CAPACITY": 7777}, 6),
    ("no such setting, no metadata", "px4", "", {"MPC_NO_SUCH": 5}, 5),
    ("no such setting", "betaflight", "", {"small_anglee": 5}, 2),
    ("no such value", "betaflight", "", {"failsafe_procedure": "HOVER"}, 2),
    ("no such setting", "inav", "", {"small_anglee": 5}, 2),
    ("no such setting", "elrs", "", {"Telem": 5}, 2),
    ("no such setting", "sik", "", {"NETIDD": 5}, 2),
)


@pytest.mark.parametrize(("why", "family", "fault", "settings", "code"), OTHER)
def test_a_value_that_does_not_arrive_is_never_done(
    cli: Run, tmp_path: Path, why: str, family: str, fault: str, settings: dict[str, object], code: int
) -> None:
    del why
    wish = profile(tmp_path / "p.yaml", family, *settings.items())
    link = ("--link", WRITABLE[family][0] + fault, "--family", family)
    said = cli("apply", wish, *link, "--yes")
    assert said.code == code, said.err + said.out
    assert cli("verify", wish, *link).code != 0


def test_what_is_optional_and_not_there_is_said_and_needs_nobody(cli: Run, tmp_path: Path) -> None:
    wish = profile(
        tmp_path / "p.yaml", "betaflight", ("feature.TELEMETRY", "ON"), ("no_such", 1), extra=", optional: true"
    )
    wish.write_text(wish.read_text() + "  small_angle: 30\n")
    said = cli("apply", wish, *on("betaflight"), "--yes")
    assert said.code == 0, said.err
    assert "built without: feature.TELEMETRY, no_such" in " ".join(said.out.split())
    verified = cli("verify", wish, *on("betaflight"))
    assert verified.code == 0
    assert "built without: feature.TELEMETRY, no_such" in " ".join(verified.out.split())


def test_a_waiver_in_the_profile_accepts_what_is_left_out_and_it_is_named_all_the_same(
    cli: Run, tmp_path: Path
) -> None:
    wish = profile(tmp_path / "p.yaml", "betaflight", ("small_angle", 30), ("feature.RX_SERIAL", "ON"))
    text = wish.read_text()
    wish.write_text(text + "waive:\n  - {rule: LEFT-READONLY, because: bench build, until: 2999-01-01}\n")
    said = cli("apply", wish, *on("betaflight"), "--yes", "--json")
    assert said.code == 0, said.err
    assert "NOT as wanted: feature.RX_SERIAL" in said.document["summary"]
    assert cli("verify", wish, *on("betaflight")).code == 0
    wish.write_text(text + "waive:\n  - {rule: LEFT-READONLY, because: bench build, until: 2020-01-01}\n")
    assert cli("apply", wish, *on("betaflight"), "--yes").code == 2


def test_accepting_one_reason_accepts_no_other(cli: Run, tmp_path: Path) -> None:
    wish = profile(tmp_path / "p.yaml", "betaflight", ("feature.RX_SERIAL", "ON"), ("craft_name", "KESTREL"))
    said = cli("apply", wish, *on("betaflight"), "--yes", "--accept", "LEFT-READONLY")
    assert said.code == 2
    assert "--accept LEFT-IDENTITY" in said.err
    assert "--accept LEFT-READONLY" not in said.err
    both = ("--accept", "LEFT-READONLY", "--include", "identity")
    assert cli("apply", wish, *on("betaflight"), "--yes", *both).code == 0


def test_a_calibration_that_was_as_planned_and_is_not_any_more_refuses_the_plan(cli: Run, tmp_path: Path) -> None:
    wish = profile(tmp_path / "p.yaml", "ardupilot", ("FENCE_ALT_MAX", 77), ("COMPASS_OFS_X", 5))
    assert cli("plan", wish, *on("ardupilot"), "-o", tmp_path / "plan.json").code == 1
    other = profile(tmp_path / "q.yaml", "ardupilot", ("COMPASS_OFS_X", 60))
    assert cli("apply", other, *on("ardupilot"), "--yes", "--include", "calibration").code == 0
    said = cli("apply", tmp_path / "plan.json", *on("ardupilot"), "--yes")
    assert said.code == 4, said.out
    assert "COMPASS_OFS_X" in said.err


OURS = """\
format: dronekit-cfg/rules/v1
pack: ours
rules:
  - id: OURS-R1
    title: Low fence
    severity: warning
    applies: {family: ardupilot}
    violation: p("FENCE_ALT_MAX") < 80
    message: "FENCE_ALT_MAX is {FENCE_ALT_MAX}"
    why: Trees.
    remedy: Raise it.
    source: our handbook
    examples:
      bad: {settings: {FENCE_ALT_MAX: 70}}
      good: {settings: {FENCE_ALT_MAX: 90}}
"""


def test_a_warning_of_the_users_own_rule_has_to_be_accepted_too(cli: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(OURS)
    wish = profile(tmp_path / "p.yaml", "ardupilot", ("FENCE_ALT_MAX", 77))
    said = cli("apply", wish, *on("ardupilot"), "--yes", "--rules", rules)
    assert said.code == 2, said.out
    assert "--accept OURS-R1" in said.err
    assert cli("apply", wish, *on("ardupilot"), "--yes", "--rules", rules, "--accept", "OURS-R1").code == 0
