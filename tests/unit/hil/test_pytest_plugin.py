"""The pytest plugin, as a user's own test run sees it: in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

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


def run(folder: Path, *arguments: str) -> tuple[int, dict[str, str], ET.Element]:
    (folder / "test_it.py").write_text(TESTS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "dronekit_cfg.hil.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-o", "junit_family=xunit1", "--junitxml=j.xml", "-q", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        timeout=120,
    )
    root = ET.parse(folder / "j.xml").getroot()
    ended = {
        str(c.get("name")): next((x.tag for x in c if x.tag in {"failure", "error", "skipped"}), "passed")
        for c in root.iter("testcase")
    }
    return done.returncode, ended, root


@pytest.mark.parametrize("has", ["[]", "[sky]"])
def test_a_bench_file_runs_the_checks_and_skips_what_the_bench_lacks(has: str, tmp_path: Path) -> None:
    (tmp_path / "bench.yaml").write_text(f"link: sim:ardupilot-copter\nhas: {has}\nstate_dir: {tmp_path / 's'}\n")
    code, ended, root = run(tmp_path, "--bench", "bench.yaml")
    assert code == 0
    assert ended == {
        "test_gyros_are_quiet": "passed",
        "test_fix": "passed" if has == "[sky]" else "skipped",
        "test_two_receivers": "skipped",
        "test_it_holds_its_profile": "skipped",
        "test_bench_reads_settings": "passed",
    }
    assert {"uid", "firmware"} <= {p.get("name") for p in root.iter("property")}


def test_the_profile_of_the_bench_is_compared_and_its_digest_goes_into_the_junit_file(tmp_path: Path) -> None:
    where = f"link: sim:ardupilot-copter\nstate_dir: {tmp_path / 's'}\n"
    names = "profile: heavy-lift-quad\ninputs: {cells: 6, capacity_mah: 22000}\n"
    (tmp_path / "b.yaml").write_text(where + names)
    code, ended, root = run(tmp_path, "--bench", "b.yaml", "-k", "profile")
    assert (code, ended) == (1, {"test_it_holds_its_profile": "failure"})
    told = {str(p.get("name")): str(p.get("value")) for p in root.iter("property")}
    assert told["profile"] == "heavy-lift-quad"
    assert re.fullmatch(r"(sha256:)?[0-9a-f]{64}", told["profile-digest"])
    assert " -> " in str(next(root.iter("failure")).text)


def test_a_failing_check_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(f"link: sim:ardupilot-copter?fault=gyro-noise\nstate_dir: {tmp_path / 's'}\n")
    code, ended, root = run(tmp_path, "--bench", "b.yaml", "-k", "gyros")
    assert (code, ended) == (1, {"test_gyros_are_quiet": "failure"})
    assert "what to do" in str(next(root.iter("failure")).text)


def test_without_a_bench_the_tests_skip(tmp_path: Path) -> None:
    code, ended, _ = run(tmp_path)
    assert (code, set(ended.values())) == (0, {"skipped"})


def test_a_bench_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("link: sim:ardupilot-copter\nlinc: x\n")
    code, ended, _ = run(tmp_path, "--bench", "b.yaml", "-k", "gyros")
    assert code != 0
    assert set(ended.values()) == {"error"}
