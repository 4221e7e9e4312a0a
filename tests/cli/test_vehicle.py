"""The verbs that talk to a vehicle, on the simulated one, with time that does not pass for real."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli import progress
from dronekit_cfg.events import Event, Stage

pytestmark = pytest.mark.usefixtures("virtual_time")

Run = Callable[..., Any]

SIM = "sim:ardupilot-copter"
PROFILE = ("heavy-lift+gnss-resilient", "--input", "cells=6")
UID = "336431323139633763346335343034616100"


@pytest.fixture(autouse=True)
def on_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONEKIT_CFG_LINK", SIM)


def settings_in(path: Path) -> dict[str, Any]:
    return {s["name"]: s["value"] for s in json.loads(path.read_text())["settings"]}


def test_info_says_who_it_is_and_whether_it_is_armed(cli: Run) -> None:
    said = cli("info")
    assert said.code == 0
    assert "ardupilot copter 4.7.0-dev" in said.out
    assert UID in said.out
    assert "disarmed" in said.out
    document = cli("info", "--json").document
    assert (document["identity"]["uid"], document["armed"], document["unfinished"]) == (UID, False, None)
    assert cli("info", "--link", f"{SIM}?fault=armed", "--json").document["armed"] is True


def test_the_first_line_on_stderr_is_what_is_being_done_and_stdout_is_the_result(cli: Run) -> None:
    said = cli("info")
    assert said.err.startswith(f"- connect to {SIM}\n")
    assert "connect" not in said.out
    assert cli("info", "--quiet").err == ""


def test_detect_finds_what_a_link_has(cli: Run) -> None:
    said = cli("detect")
    assert said.code == 0
    assert UID in said.out
    nothing = cli("detect", "--link", f"{SIM}?fault=gcs-only", "--json")
    assert nothing.code == 3
    assert nothing.document["found"][0]["vehicle"] is None
    assert "ground station" in nothing.document["found"][0]["problem"]


def test_snapshot_saves_everything_and_does_not_replace_a_way_back(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "first.json"
    said = cli("snapshot", "--output", file)
    assert (said.code, said.out) == (0, f"1354 settings saved to {file}\n")
    assert settings_in(file)["RTL_ALT"] == 1500
    again = cli("snapshot", "--output", file)
    assert again.code == 2
    assert "the only way back" in again.err
    assert cli("snapshot", "--output", file, "--yes").code == 0


def test_snapshot_without_a_name_goes_to_the_vehicles_own_folder(cli: Run, state_dir: Path) -> None:
    document = cli("snapshot", "--json").document
    assert Path(document["file"]).is_relative_to(state_dir)
    assert len(document["snapshot"]["settings"]) == 1354


def test_plan_writes_nothing_and_says_what_would_change(cli: Run) -> None:
    said = cli("plan", *PROFILE)
    assert said.code == 1
    assert "RTL_ALT" in said.out
    assert said.out.splitlines()[-1] == "30 settings change, 1 reboot"
    assert cli("plan", *PROFILE, "--json").document["summary"] == "30 settings change, 1 reboot"
    one = cli("plan", *PROFILE, "--set", "RTL_ALT=1500", "--json").document["plan"]["changes"]
    assert "RTL_ALT" not in {c["name"] for c in one}


def test_a_plan_can_be_made_with_no_vehicle_at_hand(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "first.json"
    cli("snapshot", "--output", file)
    online = cli("plan", *PROFILE, "--json").document["plan"]
    offline = cli("plan", *PROFILE, "--against", file, "--link", "tcp:127.0.0.1:1", "--json")
    assert offline.code == 1
    assert offline.document["plan"]["changes"] == online["changes"]
    assert offline.document["plan"]["digest"] == online["digest"]


def test_the_whole_job(cli: Run, tmp_path: Path) -> None:
    first = tmp_path / "first.json"
    receipt = tmp_path / "receipt.json"
    assert cli("snapshot", "--output", first).code == 0
    done = cli("apply", *PROFILE, "--yes", "--receipt", receipt)
    assert done.code == 0, done.err
    assert "PASS  DONE: 30 settings written and verified, also after a reboot" in done.out
    assert json.loads(receipt.read_text())["result"] == "done"

    again = cli("apply", *PROFILE, "--yes", "--json")
    assert again.code == 0
    assert (again.document["result"], again.document["changed"]) == ("unchanged", False)

    assert cli("verify", *PROFILE).code == 0
    drifted = cli("verify", *PROFILE, "--set", "FENCE_RADIUS=301", "--json")
    assert drifted.code == 1
    assert [(d["name"], d["found"], d["wanted"]) for d in drifted.document["drift"]] == [("FENCE_RADIUS", 300, 301)]

    back = cli("restore", first, "--yes")
    assert back.code == 0, back.err
    last = tmp_path / "last.json"
    assert cli("snapshot", "--output", last).code == 0
    before, after = settings_in(first), settings_in(last)
    touched = {r["name"] for r in json.loads(receipt.read_text())["records"]}
    assert len(touched) == 30
    assert {n: before[n] for n in touched} == {n: after[n] for n in touched}


def test_a_failed_apply_is_undone_and_says_why(cli: Run) -> None:
    link = f"{SIM}?fault=clamp:RTL_ALT:4000"
    said = cli("apply", *PROFILE, "--set", "RTL_ALT=6000", "--yes", "--link", link)
    assert said.code == 5
    assert "RTL_ALT: the vehicle made 4000 of 6000" in said.out
    assert "FAIL  ROLLED BACK: the vehicle is exactly as before, and that was verified" in said.out
    quiet = cli("apply", *PROFILE, "--set", "RTL_ALT=6000", "--yes", "--quiet", "--link", link)
    assert (quiet.code, quiet.err) == (5, "")
    assert "RTL_ALT: the vehicle made 4000 of 6000" in quiet.out
    document = cli("apply", *PROFILE, "--set", "RTL_ALT=6000", "--yes", "--json", "--link", link).document
    assert (document["exit_code"], document["result"], document["changed"]) == (5, "rolled-back", False)
    assert cli("plan", *PROFILE, "--json").document["summary"] == "30 settings change, 1 reboot"


def test_without_a_yes_nothing_is_written(cli: Run, tmp_path: Path) -> None:
    said = cli("apply", *PROFILE)
    assert said.code == 2
    assert "--yes" in said.err
    assert "30 settings change" in said.out
    assert cli("apply", *PROFILE, "--json").document["error"]["exit_code"] == 2
    assert cli("plan", *PROFILE).code == 1


def test_a_saved_plan_is_applied_as_it_was_judged(cli: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert cli("plan", *PROFILE, "--output", plan).code == 1
    refused = cli("apply", plan, "--input", "cells=6", "--yes")
    assert refused.code == 2
    assert "holds its values already" in refused.err
    assert cli("apply", plan, "--yes").code == 0
    assert cli("verify", *PROFILE).code == 0


def test_a_plan_for_a_vehicle_that_has_changed_since_is_refused(cli: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    cli("plan", *PROFILE, "--output", plan)
    other = tmp_path / "other.yaml"
    other.write_text(
        "format: dronekit-cfg/profile/v1\nname: other\nversion: 1.0.0\nfamily: ardupilot\nsettings:\n  RTL_ALT: 2222\n"
    )
    assert cli("apply", other, "--yes").code == 0
    said = cli("apply", plan, "--yes")
    assert said.code == 4
    assert "RTL_ALT" in said.err


def test_a_plan_for_another_vehicle_is_refused(cli: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    cli("plan", *PROFILE, "--output", plan)
    said = cli("apply", plan, "--yes", "--link", f"{SIM}?id=2")
    assert said.code == 4
    assert "another vehicle" in said.err


def test_a_snapshot_of_another_vehicle_needs_clone(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "first.json"
    cli("snapshot", "--output", file)
    said = cli("restore", file, "--yes", "--link", f"{SIM}?id=2")
    assert said.code == 4
    assert "--clone" in said.err
    assert cli("restore", file, "--clone", "--yes", "--link", f"{SIM}?id=2").code == 0


def test_the_unit_file_of_the_aircraft_is_found_by_its_uid(cli: Run, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "units").mkdir(parents=True)
    (own / "units" / f"{UID}.yaml").write_text(
        "format: dronekit-cfg/profile/v1\nname: unit-7\nversion: 1.0.0\nfamily: ardupilot\n"
        "settings:\n  RTL_ALT: {value: 4321, because: a tower beside its field}\n"
    )
    changes = cli("plan", *PROFILE, "--profiles", own, "--json").document["plan"]["changes"]
    assert {c["name"]: c["wanted"]["value"] for c in changes}["RTL_ALT"] == 4321


def test_recover_with_nothing_to_do_says_so(cli: Run) -> None:
    said = cli("recover")
    assert said.code == 0
    assert said.out.startswith("nothing to recover")
    assert cli("recover", "--json").document["result"] == "nothing"


class StopsAt:
    """A progress view that sends this process a signal when a stage begins for the first time."""

    def __init__(self, stage: str, number: int) -> None:
        self.stage = stage
        self.number = number
        self.sent = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Stage) and event.text.startswith(self.stage) and not self.sent:
            self.sent = True
            os.kill(os.getpid(), self.number)

    def settle(self) -> None: ...

    def finish(self, *, ok: bool) -> None: ...


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("read all settings", "stopped; nothing was written to the vehicle"),
        ("write ", "stopped; nothing was written to the vehicle"),
        ("read everything back", "stopped; the vehicle is exactly as it was before, verified"),
        ("reboot", "stopped; the vehicle is exactly as it was before, verified"),
    ],
)
def test_a_stop_request_leaves_the_old_state_and_says_so(
    cli: Run, monkeypatch: pytest.MonkeyPatch, stage: str, words: str, number: int
) -> None:
    view = StopsAt(stage, number)
    with monkeypatch.context() as patch:
        patch.setattr(progress, "make_view", lambda _stream: view)
        said = cli("apply", *PROFILE, "--yes")
    assert said.code == 130
    assert words in said.err
    assert cli("plan", *PROFILE, "--json").document["summary"] == "30 settings change, 1 reboot"
    assert cli("recover", "--json").document["result"] == "nothing"


class BreaksDown(StopsAt):
    """A progress view whose stream is gone."""

    def __call__(self, event: Event) -> None:
        raise BrokenPipeError


def test_progress_that_nobody_reads_does_not_end_the_work(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "make_view", lambda _stream: BreaksDown("", 0))
    assert cli("apply", *PROFILE, "--yes").code == 0


BAD = {
    "no such port": (("info", "--link", "serial:/dev/no-such-port"), 3),
    "nobody listens": (("info", "--link", "tcp:127.0.0.1:1"), 3),
    "silence": (("info", "--link", f"{SIM}?fault=slow-boot:100&boot=cold"), 3),
    "deaf": (("info", "--link", f"{SIM}?fault=deaf"), 3),
    "garbage": (("info", "--link", f"chaos+{SIM}?corrupt=1"), 3),
    "a ground station": (("info", "--link", f"{SIM}?fault=gcs-only"), 3),
    "two vehicles": (("info", "--link", f"{SIM}?fault=second"), 4),
    "armed": (("apply", *PROFILE, "--yes", "--link", f"{SIM}?fault=armed"), 4),
    "unknown link": (("info", "--link", "seriall:/dev/x"), 2),
    "unknown option of a link": (("info", "--link", f"{SIM}?frsh"), 2),
    "unknown fault": (("info", "--link", f"{SIM}?fault=sneezes"), 2),
    "unknown family": (("info", "--family", "ardupilo"), 2),
    "bad target": (("info", "--target", "300"), 2),
    "no signing key": (("info", "--signing-key", "nowhere.key"), 2),
    "unknown profile": (("plan", "heavylift"), 2),
    "unknown input": (("plan", "heavy-lift", "--input", "cels=6"), 2),
    "input out of range": (("plan", "heavy-lift", "--input", "cells=99"), 2),
    "missing input": (("plan", "heavy-lift"), 2),
    "NaN": (("plan", *PROFILE, "--set", "RTL_ALT=nan"), 2),
    "does not fit its type": (("apply", *PROFILE, "--yes", "--set", "EK3_GPS_CHECK=255"), 2),
    "more than float32 carries": (("apply", *PROFILE, "--yes", "--set", "LOG_BITMASK=16777217"), 2),
    "unknown setting": (("apply", *PROFILE, "--yes", "--set", "RTL_ALTT=5"), 2),
    "hidden setting": (("apply", *PROFILE, "--yes", "--set", "GPS2_GNSS_MODE=5"), 2),
    "unknown class": (("plan", *PROFILE, "--include", "everything"), 2),
    "no snapshot": (("restore", "nowhere.json", "--yes"), 2),
    "include without clone": (("restore", "nowhere.json", "--include", "calibration"), 2),
    "no such plan": (("apply", "nowhere/plan.json", "--yes"), 2),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_a_remedy_and_the_documented_code(cli: Run, name: str, state_dir: Path) -> None:
    arguments, code = BAD[name]
    said = cli(*arguments)
    assert said.code == code, said.err
    assert "error: " in said.err
    assert "what to do: " in said.err
    assert "Traceback" not in said.err
    assert "error: internal error" not in said.err
    assert not list(state_dir.glob("vehicles/*/journals/*")), "nothing was begun"
    error = cli(*arguments, "--json").document["error"]
    assert (error["exit_code"], bool(error["message"]), bool(error["hint"])) == (code, True, True)


HINTS = {
    "unknown setting": "RTL_ALT",
    "does not fit its type": "127",
    "hidden setting": "GPS2_TYPE",
    "unknown profile": "heavy-lift",
    "unknown input": "cells",
    "missing input": "--input cells=VALUE",
    "two vehicles": "--target",
}


@pytest.mark.parametrize("name", HINTS)
def test_the_remedy_names_what_helps(cli: Run, name: str) -> None:
    assert HINTS[name] in cli(*BAD[name][0]).err


def test_a_setting_that_cannot_be_set_is_left_alone_and_said(cli: Run) -> None:
    said = cli("plan", *PROFILE, "--set", "STAT_BOOTCNT=0", "--set", "COMPASS_OFS_X=55")
    assert said.code == 1
    assert "STAT_BOOTCNT stays" in said.out
    assert "--include calibration" in said.out
    changes = cli("plan", *PROFILE, "--set", "COMPASS_OFS_X=77", "--include", "calibration", "--json").document
    assert "COMPASS_OFS_X" in {c["name"] for c in changes["plan"]["changes"]}


def test_a_state_folder_that_cannot_be_written_stops_before_the_vehicle_is_touched(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "a-file"
    file.write_text("")
    # The vehicle's memory is elsewhere: it must not be touched.
    said = cli("apply", *PROFILE, "--yes", "--state-dir", file / "state")
    assert said.code == 2
    assert "what to do:" in said.err
    assert cli("plan", *PROFILE, "--json").document["summary"] == "30 settings change, 1 reboot"


def test_the_environment_stands_in_for_options(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONEKIT_CFG_INPUT", "cells=6")
    monkeypatch.setenv("DRONEKIT_CFG_SET", "RTL_ALT=2500 FENCE_RADIUS=400")
    monkeypatch.setenv("DRONEKIT_CFG_QUIET", "1")
    monkeypatch.setenv("DRONEKIT_CFG_JSON", "1")
    said = cli("plan", "heavy-lift")
    assert said.err == ""
    wanted = {c["name"]: c["wanted"]["value"] for c in said.document["plan"]["changes"]}
    assert (wanted["RTL_ALT"], wanted["FENCE_RADIUS"]) == (2500, 400)


JSON_RUNS = (
    ("info",),
    ("detect",),
    ("snapshot",),
    ("plan", *PROFILE),
    ("apply", *PROFILE, "--yes"),
    ("verify", *PROFILE),
    ("recover",),
    ("profile", "list"),
    ("profile", "show", *PROFILE, "--family", "ardupilot"),
    ("profile", "lint"),
    ("profile", "lock", *PROFILE, "--output", "x.lock.json", "--family", "ardupilot"),
    ("diff", "ardupilot/heavy-lift", "ardupilot/fpv-7in", "--input", "cells=6"),
    ("convert", "ardupilot/heavy-lift", "x.param", "--input", "cells=6", "--yes"),
    ("sim", "list"),
)


@pytest.mark.parametrize("arguments", JSON_RUNS, ids=" ".join)
def test_every_verb_gives_one_json_document_that_names_itself_and_its_code(
    cli: Run, arguments: tuple[str, ...]
) -> None:
    said = cli(*arguments, "--json")
    assert said.code in {0, 1}
    assert said.document["command"] == " ".join(arguments[: 2 if arguments[0] in {"profile", "sim"} else 1])
    assert said.document["exit_code"] == said.code


def test_recording_a_session_makes_it_replayable(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    assert cli("detect", "--record", file).code == 0
    said = cli("detect", "--link", f"replay:{file}", "--family", "ardupilot", "--json")
    assert said.code == 0
    assert said.document["found"][0]["vehicle"]["uid"] == UID
