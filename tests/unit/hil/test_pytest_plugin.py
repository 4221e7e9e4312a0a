"""The pytest plugin, as a user's own test run sees it: in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.state import StateDir

TESTS = """
import pytest

def test_gyros_are_quiet(check):
    assert check("gyro-noise", sigma=0.15).measures

@pytest.mark.needs("sky")
def test_fix(check):
    check("gnss")

def test_two_receivers(check):
    check("gnss-two")

def test_it_holds_its_profile(profile):
    assert profile.drift() == ()

def test_bench_reads_settings(bench):
    assert bench.numbers(["FRAME_CLASS"]) == {"FRAME_CLASS": 1}
"""


def start(folder: Path, *arguments: str, tests: str = TESTS) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(tests, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "dronekit_cfg.hil.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-o", "junit_family=xunit1", "--junitxml=j.xml", "-q", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def run(folder: Path, *arguments: str, tests: str = TESTS) -> tuple[int, dict[str, str], ET.Element]:
    done = start(folder, *arguments, tests=tests)
    root = ET.parse(folder / "j.xml").getroot()
    ended = {
        str(c.get("name")): next((x.tag for x in c if x.tag in {"failure", "error", "skipped"}), "passed")
        for c in root.iter("testcase")
    }
    return done.returncode, ended, root


def test_a_bench_file_runs_the_checks_and_skips_what_the_bench_lacks(tmp_path: Path) -> None:
    (tmp_path / "bench.yaml").write_text("link: sim:ardupilot-copter\nhas: [rc]\nstate_dir: s\nseconds: 3\n")
    code, ended, root = run(tmp_path, "--bench", "bench.yaml")
    assert code == 0
    assert ended == {
        "test_gyros_are_quiet": "passed",
        "test_fix": "skipped",
        "test_two_receivers": "skipped",
        "test_it_holds_its_profile": "skipped",
        "test_bench_reads_settings": "passed",
    }
    assert "the bench has no sky; it has rc" in ET.tostring(root, "unicode")
    assert {"uid", "firmware"} <= {p.get("name") for p in root.iter("property")}


def test_the_profile_of_the_bench_is_compared_and_its_digest_goes_into_the_junit_file(tmp_path: Path) -> None:
    where = "link: sim:ardupilot-copter\nstate_dir: s\nseconds: 3\n"
    names = "profile: heavy-lift-quad\ninputs: {cells: 6, capacity_mah: 22000}\n"
    (tmp_path / "b.yaml").write_text(where + names)
    code, ended, root = run(tmp_path, "--bench", "b.yaml", "-k", "profile")
    assert (code, ended) == (1, {"test_it_holds_its_profile": "failure"})
    told = {str(p.get("name")): str(p.get("value")) for p in root.iter("property")}
    assert told["profile"] == "heavy-lift-quad"
    assert re.fullmatch(r"(sha256:)?[0-9a-f]{64}", told["profile-digest"])
    assert " -> " in str(next(root.iter("failure")).text)


def test_a_failing_check_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("link: sim:ardupilot-copter?fault=gyro-noise\nstate_dir: s\nseconds: 3\n")
    code, ended, root = run(tmp_path, "--bench", "b.yaml", "-k", "gyros")
    assert (code, ended) == (1, {"test_gyros_are_quiet": "failure"})
    assert "what to do" in str(next(root.iter("failure")).text)


def test_without_a_bench_the_tests_skip(tmp_path: Path) -> None:
    code, ended, _ = run(tmp_path)
    assert (code, set(ended.values())) == (0, {"skipped"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("link: sim:ardupilot-copter\nlinc: x\n", "b.yaml:2:1: unknown key"),
        ("link: [\n", "b.yaml:2:1: not valid YAML"),
        ("link: sim:ardupilot-copter\nhas: sky\n", "b.yaml:2:6: has"),
        ("has: [sky]\n", "link"),
        (None, "cannot read b.yaml"),
    ],
)
def test_a_bench_file_that_is_wrong_ends_the_run_with_its_place(
    content: str | None, words: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "b.yaml").write_text(content)
    done = start(tmp_path, "--bench", "b.yaml")
    assert done.returncode == 4  # pytest's own for a wrong use
    assert words in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (
            "sim:betaflight",
            "check gyro-noise is for ardupilot, and this is betaflight\nwhat to do: for betaflight there is msp-gyro",
        ),
        ("serial:/dev/ttyNONE", "there is no port /dev/ttyNONE\nwhat to do: "),
    ],
)
def test_what_is_wrong_with_the_vehicle_is_told_without_a_traceback(link: str, words: str, tmp_path: Path) -> None:
    done = start(tmp_path, "--bench-link", link, "-k", "gyros")
    assert done.returncode == 1
    assert words in done.stdout
    assert "Traceback" not in done.stdout
    assert "During handling" not in done.stdout


def test_two_runs_never_share_a_vehicle(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("link: sim:ardupilot-copter\nstate_dir: s\nseconds: 3\n")
    state = StateDir(tmp_path / "s")
    with (
        connect(LinkOptions("sim:ardupilot-copter", state_dir=tmp_path / "s")) as other,
        state.lease(other.identity.key),
    ):
        done = start(tmp_path, "--bench", "b.yaml", "-k", "reads_settings")
    assert done.returncode == 1
    assert "another dronekit-cfg is working on" in done.stdout


def test_the_test_of_the_readme_runs_as_it_is_written(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    (text,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "test_it.py").write_text(text, "utf-8")
    (tmp_path / "b.yaml").write_text("link: sim:ardupilot-copter\nhas: [sky]\nstate_dir: s\nseconds: 3\n")
    code, ended, _ = run(tmp_path, "--bench", "b.yaml", tests=text)
    assert (code, ended) == (0, {"test_gyros_rest": "passed", "test_fix": "passed"})
