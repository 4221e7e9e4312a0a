"""What the verbs that fly scenarios share: their options, the profile under test, and seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Offline, argument, option
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.model import Resolved
    from dronekit_cfg.model.checked import Result, RunResult

__all__ = [
    "KeepOption",
    "ScenarioNames",
    "SeedOption",
    "SeedsOption",
    "SpeedupOption",
    "family_of",
    "resolved_for",
    "seeds_of",
    "teller",
    "vehicle_of",
    "without_files",
]

ScenarioNames = Annotated[
    list[str], argument(metavar="NAME...", help=t("Scenarios by name or number (s01), files, or all."))
]
SpeedupOption = Annotated[
    float,
    option("--speedup", metavar="X", min=0, max=20, help=t("Times faster than real time; 0: 10, and 5 for PX4.")),
]
KeepOption = Annotated[
    Path | None, option("--keep", metavar="DIR", help=t("Keep logs and recordings of all flights here."))
]
SeedsOption = Annotated[
    int,
    option(
        "--seeds",
        metavar="N",
        min=0,
        max=1000,
        help=t("Fly scenarios with random stimuli with the seeds 1 to N: wind, moments, patterns of loss."),
    ),
]
SeedOption = Annotated[
    int | None, option("--seed", metavar="K", min=0, help=t("Fly with this seed, such as one that failed."))
]


def seeds_of(seeds: int, seed: int | None) -> Sequence[int]:
    """Give the seeds to fly with. Raises UsageError where both were given."""
    if seeds and seed is not None:
        raise UsageError(t("--seeds and --seed exclude each other"), hint=t("give one of them"))
    return (seed,) if seed is not None else range(1, seeds + 1)


def vehicle_of(binary: str) -> str:
    """Say which firmware a program is, by its name."""
    name = Path(binary).name.lower()
    return next((v for v in ("px4", "betaflight") if name.startswith(v)), "arducopter")


def family_of(vehicle: str) -> str:
    """Give the family whose profiles a vehicle takes."""
    return "ardupilot" if vehicle == "arducopter" else vehicle


def resolved_for(profile: str, options: Offline, vehicle: str) -> Resolved:
    """Resolve a profile stack for the firmware that flies. Raises UsageError, FileProblems."""
    from dronekit_cfg.cli.session import library_for, parse_pairs
    from dronekit_cfg.formats.compose import resolve

    library = library_for(options.profiles, options.state_dir)
    inputs = parse_pairs(options.inputs, "--input")
    return resolve(profile, library, family=family_of(vehicle), inputs=inputs, sets=tuple(options.sets or ()))


def teller(out: Output) -> Callable[[Result], None]:
    """Give what tells each result as it comes."""
    from dronekit_cfg.events import Note

    def tell(result: Result) -> None:
        said = f": {result.reason}" if result.reason else ""
        out.report(Note(f"{result.verdict.upper()} {result.name}{said}"))

    return tell


def without_files(run: RunResult) -> RunResult:
    """Leave out the names of files that are not kept."""
    from dataclasses import replace

    return replace(run, results=tuple(replace(r, files=()) for r in run.results))
