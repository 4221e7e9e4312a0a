"""Runs the program in this process, with a state folder of its own, and gives what it said and its exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli.app import run
from dronekit_cfg.cli.session import clock_in_use
from dronekit_cfg.links.clock import VirtualClock


@dataclass(frozen=True)
class Said:
    """What one run of the program said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is anything else."""
        data = json.loads(self.out)
        assert isinstance(data, dict)
        return data


Run = Callable[..., Said]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, state_dir: Path, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith("DRONEKIT_CFG_")] + ["NO_COLOR", "FORCE_COLOR", "COLUMNS"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DRONEKIT_CFG_STATE_DIR", str(state_dir))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return call


@pytest.fixture
def virtual_time() -> Iterator[None]:
    """Let the program's clock stand still but for what it waits for, so that simulators answer at once."""
    token = clock_in_use.set(VirtualClock())
    yield
    clock_in_use.reset(token)
