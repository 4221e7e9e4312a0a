"""Flies a matrix of profile x scenario x firmware program, spread over processes by pytest-xdist.

The flights are handed over in a private folder: `flights.cells` says what is to be flown, `<number>.result` is what was
found, `stop` asks all workers to land and end. No worker is started again: one that ends takes the rest of the run with
it, and what was not flown is an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dronekit_cfg
from dronekit_cfg.engine.connection import utc_now
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted, UsageError
from dronekit_cfg.hil.fly_steps import FlyOptions
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result, RunResult, Subject, Verdict
from dronekit_cfg.sitl.process import tail
from dronekit_cfg.text import t

__all__ = ["STOP", "Cell", "Column", "Flown", "fly_matrix", "read_cells", "write_result"]

CELLS, STOP, LOG = "flights.cells", "stop", "workers.log"
Flown = tuple[Result, Identity | None]
END_SECONDS = 120.0
"""How long flights may take to land after a stop request."""
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Column:
    """What flies in one column: a profile ("" for none) on a program."""

    profile: str
    digest: str
    program: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One flight of the matrix. `misfit` is the reason why it is left out."""

    scenario: Scenario
    column: Column
    options: FlyOptions
    misfit: str = ""


def read_cells(folder: Path) -> tuple[Cell, ...]:
    """Read what is to be flown."""
    cells: tuple[Cell, ...] = _decode((folder / CELLS).read_bytes(), tuple[Cell, ...])
    return cells


def write_result(folder: Path, number: int, flown: Flown) -> None:
    """Write what one flight found; the file appears whole."""
    part = folder / f"{number}.part"
    part.write_bytes(_encode(flown))
    part.replace(_place(folder, number))


def _encode(data: object) -> bytes:
    import msgspec

    return msgspec.msgpack.encode(data, enc_hook=str)


def _decode(data: bytes, kind: Any) -> Any:
    """Give back what was encoded; a Path travels as its text."""
    import msgspec

    return msgspec.msgpack.decode(data, type=kind, dec_hook=lambda wanted, value: wanted(value))


def fly_matrix(
    cells: Sequence[Cell], folder: Path, jobs: int, tell: Callable[[Result], None] = lambda _: None
) -> RunResult:
    """Fly all cells, `jobs` at a time; `folder` is an empty private one. Raises UsageError, Interrupted."""
    if find_spec("xdist") is None:
        raise UsageError(
            t("the matrix needs pytest-xdist"), hint=t('install it with: pip install "dronekit-cfg[matrix]"')
        )
    started, start = utc_now(), time.monotonic()
    flights = [cell for cell in cells if not cell.misfit]
    (folder / CELLS).write_bytes(_encode(tuple(flights)))
    found = iter(_collect(flights, folder, min(jobs, len(flights)), tell) if flights else [])
    flown = [_left_out(cell) if cell.misfit else next(found) for cell in cells]
    subjects = _subjects(cells, flown)
    columns = list(subjects)
    return RunResult(
        "matrix",
        t("Scenarios by profile and firmware"),
        tuple(
            replace(
                result,
                name=f"{cell.scenario.name}-{columns.index(cell.column) + 1}" if len(columns) > 1 else result.name,
                base=cell.scenario.base or cell.scenario.name,
                subject=subjects[cell.column],
            )
            for cell, (result, _) in zip(cells, flown, strict=True)
        ),
        None,
        started,
        time.monotonic() - start,
        f"dronekit-cfg {dronekit_cfg.__version__}",
        t("simulators, {n} at a time", n=jobs),
    )


def _subjects(cells: Sequence[Cell], flown: Sequence[Flown]) -> Mapping[Column, Subject]:
    """Name the columns by the firmware that answered; where two programs answer alike, by program too."""
    firmware = {cell.column.program: "" for cell in cells}
    for cell, (_, identity) in zip(cells, flown, strict=True):
        if identity is not None:
            firmware[cell.column.program] = identity.version_text
    named = list(firmware.values())

    def name(program: str) -> str:
        said = firmware[program]
        return f"{said} ({program})" if said and named.count(said) > 1 else said or Path(program).name

    return {
        c: Subject(c.profile, c.digest, name(c.program), c.program)
        for c in dict.fromkeys(cell.column for cell in cells)
    }


def _left_out(cell: Cell) -> Flown:
    return Result(cell.scenario.name, cell.scenario.title, Verdict.SKIP, cell.misfit), None


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number}.result"


def _collect(flights: Sequence[Cell], folder: Path, jobs: int, tell: Callable[[Result], None]) -> Sequence[Flown]:
    """Run the workers until all is flown or they have ended; what is missing then is an error."""
    found: dict[int, Flown] = {}

    def look() -> None:
        for number in range(len(flights)):
            if number not in found and _place(folder, number).exists():
                found[number] = _decode(_place(folder, number).read_bytes(), Flown)
                tell(found[number][0])

    stop = Stop()
    with stop.on_signals(), (folder / LOG).open("wb") as log:
        workers = _start(folder, jobs, log.fileno())
        try:
            while workers.poll() is None and not stop.asked:
                look()
                time.sleep(_POLL)
        finally:
            _end(workers, folder, patient=stop.asked)
    look()
    if stop.asked:
        raise Interrupted(t("stopped on request"))
    return [found.get(number) or _lost(cell, folder) for number, cell in enumerate(flights)]


def _start(folder: Path, jobs: int, log: int) -> subprocess.Popen[bytes]:
    """Start pytest with only what is needed here, whatever the user has installed and configured for it.

    Without capture (-s), as that takes standard input away, by whose end the workers know that we have gone.
    """
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    home = str(Path(dronekit_cfg.__file__).parents[1])
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(  # noqa: S603  the command is our own, no shell reads it
        [
            *(sys.executable, "-m", "pytest", "-q", "-s", "-c", "pytest.ini", "--rootdir", ".", "--noconftest"),
            *("-p", "no:cacheprovider", "-p", "xdist.plugin", "-p", "dronekit_cfg.hil.matrix_worker"),
            *("-n", str(jobs), "--dist", "worksteal", "--max-worker-restart", "0", CELLS),
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is ours: the flights land first
    )


def _end(workers: subprocess.Popen[bytes], folder: Path, *, patient: bool) -> None:
    """See the workers off: asked to land first, then by force. The closed pipe tells them too, should we be gone."""
    (folder / STOP).touch()
    assert workers.stdin is not None
    workers.stdin.close()
    try:
        workers.wait(END_SECONDS if patient else END_SECONDS / 4)
    except subprocess.TimeoutExpired:
        workers.kill()
        workers.wait()


def _lost(cell: Cell, folder: Path) -> Flown:
    said = tail(folder / LOG, 300)
    reason = t("it was not flown: the process for it ended; it says: {log}", log=said or t("nothing"))
    remedy = t("fly it alone with `dronekit-cfg sitl scenario`; run the matrix with fewer --jobs")
    return Result(cell.scenario.name, cell.scenario.title, Verdict.ERROR, reason, remedy=remedy), None
