"""Finds the spec that fits a firmware version best: shipped ones and those that a user imported.

Rule, in this order: the same version; else the nearest version of the same major.minor; else the highest version of a
lower major.minor; else the lowest of a higher one. Of two equally near ones the user's own is taken, and a release
before a development version. A spec that is not
for exactly this version says so (`Spec.exact` is False, `Spec.source` names the choice and the reason).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dronekit_cfg.catalog import codec
from dronekit_cfg.errors import StateError, UsageError
from dronekit_cfg.model import Spec
from dronekit_cfg.text import t

__all__ = ["SpecFile", "best_of", "list_specs", "releases_first", "save_user_spec", "shipped_dir", "spec_for"]

_SUFFIXES = (".json.gz", ".json.xz")
_NAME = re.compile(r"([a-z0-9]+)(?:-([a-z][a-z0-9]*))?-(\d[0-9a-z.]*)")


@dataclass(frozen=True, slots=True)
class SpecFile:
    """One spec file, as its name tells: `<family>[-<vehicle>]-<version>.json.gz`; `vehicle` is "" for any."""

    path: Path
    family: str
    vehicle: str
    version: str
    user: bool = False

    def load(self) -> Spec:
        """Read it. Raises MetadataError."""
        return codec.load(self.path)


def shipped_dir() -> Path:
    """Give the folder of the shipped specs: inside the installed package, else in the repository this runs from."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_data" / "schemas" / "specs"
    return inside if inside.is_dir() else package.parent / "schemas" / "specs"


def list_specs(user_dir: Path | None = None) -> tuple[SpecFile, ...]:
    """Give every spec file there is, the user's own ones first, each group by name."""
    return (*_files(user_dir, user=True), *_files(shipped_dir(), user=False))


def spec_for(family: str, vehicle: str, version: str, *, user_dir: Path | None = None) -> Spec | None:
    """Give the spec that fits this firmware best by the rule above, or None when there is none for this vehicle.

    `version` is PEP 440 or what a person writes ("4.5.6", "4.7.0-dev", "2025.12.1"). A version that cannot be read, or
    that the vehicle does not tell (0.0.0), takes the highest spec. Raises MetadataError for a damaged file.
    """
    files = [f for f in list_specs(user_dir) if f.family == family and f.vehicle in ("", vehicle)]
    if not files:
        return None
    wanted = _release(version)
    chosen, why = _choose(files, version, wanted)
    spec = chosen.load()
    exact = _same(spec.version, version)
    source = spec.source if exact else t("{source}; {why}", source=spec.source, why=why)
    return replace(spec, vehicle=vehicle, source=source, exact=exact)


def save_user_spec(spec: Spec, user_dir: Path) -> Path:
    """Write `spec` into the user's folder and give its path. Raises UsageError for unfit names, and StateError."""
    name = "-".join(part for part in (spec.family, spec.vehicle, spec.version.replace("-", ".")) if part)
    if not _NAME.fullmatch(name):
        raise UsageError(
            t("{name!r} is no name for a spec", name=name),
            hint=t("family and vehicle are lower-case words, the version is numbers such as 4.5.6"),
        )
    path = user_dir / f"{name}.json.gz"
    partial = path.with_suffix(".partial")
    try:
        user_dir.mkdir(parents=True, exist_ok=True)
        codec.dump(spec, partial)
        partial.replace(path)
    except OSError as e:
        raise StateError(
            t("{path}: cannot be written ({why})", path=path, why=e.strerror or e),
            hint=t("check free space and permissions of the folder"),
        ) from e
    return path


def _files(folder: Path | None, *, user: bool) -> Iterator[SpecFile]:
    if folder is None or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        suffix = next((s for s in _SUFFIXES if path.name.endswith(s)), "")
        found = _NAME.fullmatch(path.name.removesuffix(suffix)) if suffix else None
        if found:
            yield SpecFile(path, found[1], found[2] or "", found[3], user)


def _release(version: str) -> tuple[int, ...]:
    """Read the leading numbers of a version: "4.7.0.dev0" and "4.7.0-dev" are (4, 7, 0); () when there are none."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    return tuple(int(n) for n in found[1].split(".")) if found else ()


def _same(a: str, b: str) -> bool:
    return _canonical(a) == _canonical(b)


def _canonical(version: str) -> tuple[tuple[int, ...], str]:
    """Give numbers without trailing zeros, and the rest of the version without its decoration."""
    numbers = _release(version)
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    rest = re.sub(r"^v?\d+(?:\.\d+)*", "", version.strip().lower())
    return numbers, re.sub(r"[-._+\s]|(?<=[a-z])0+$", "", rest)


def _choose(files: list[SpecFile], version: str, wanted: tuple[int, ...]) -> tuple[SpecFile, str]:
    same = [f for f in files if _same(f.version, version)]
    if same:
        return same[0], ""
    ordered = sorted(files, key=_rank)
    if not any(wanted):
        return _last(ordered), t("the vehicle does not tell its version, the newest metadata is used")
    series = [f for f in ordered if _release(f.version)[:2] == wanted[:2]]
    if series:
        return min(series, key=lambda f: _distance(_release(f.version), wanted)), t(
            "nearest to {version}, of the same series", version=version
        )
    lower = [f for f in ordered if _release(f.version) < wanted]
    if lower:
        return _last(lower), t("nearest lower version to {version}", version=version)
    return ordered[0], t("nearest higher version to {version}", version=version)


def _rank(file: SpecFile) -> tuple[tuple[int, ...], bool, bool]:
    """Sort by version; of equal ones the user's own comes first, and a release before a development version."""
    return _release(file.version), not file.user, _canonical(file.version)[1] != ""


def best_of(files: Sequence[SpecFile]) -> SpecFile:
    """Give the file of the highest version: the user's own before a shipped one, a release before a development one."""
    return _last(sorted(files, key=_rank))


def releases_first(files: Sequence[SpecFile]) -> list[SpecFile]:
    """Give the files of releases, the newest first, and then those of development versions, the newest first."""
    newest = sorted(sorted(files, key=lambda f: not f.user), key=lambda f: _release(f.version), reverse=True)
    return sorted(newest, key=lambda f: _canonical(f.version)[1] != "")


def _last(ordered: list[SpecFile]) -> SpecFile:
    """Give the first of those with the highest version (the user's own comes first)."""
    highest = _release(ordered[-1].version)
    return next(f for f in ordered if _release(f.version) == highest)


def _distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """How far two versions of one series are apart: the difference of their third numbers."""
    thirds = [version[2] if len(version) > 2 else 0 for version in (a, b)]
    return abs(thirds[0] - thirds[1])
