"""Settings from any source a user may name, and how two of them compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.formats.library import Library, is_path
from dronekit_cfg.formats.read_any import SettingsFile, read_settings
from dronekit_cfg.model import Kind, Scalar, Spec, Value, float32

if TYPE_CHECKING:
    from dronekit_cfg.cli.options import Offline

__all__ = ["Comparison", "Difference", "as_value", "compare", "is_file", "library_of", "read_source", "spec_of"]

_PARTIAL = frozenset({"profile", "lock"})
"""Kinds of files that name only some settings of a vehicle."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that differs; None where a side does not have it, line 0 where it is not known."""

    name: str
    a: Value | Scalar | None
    b: Value | Scalar | None
    a_line: int = 0
    b_line: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found, how many names it looked at, and what differs but changes by itself all the time.

    `untold` are names about which one side says nothing: a `diff all` leaves out what is at its default, and nobody
    here knows that default.
    """

    compared: int
    differences: tuple[Difference, ...]
    restless: tuple[Difference, ...] = ()
    untold: tuple[str, ...] = ()


def library_of(options: Offline) -> Library:
    """Give the profiles of the user and those that are shipped; raises UsageError for a folder that is not there."""
    from dronekit_cfg.cli.session import library_for

    return library_for(options.profiles, options.state_dir)


def read_source(name: str, options: Offline, *, family: str = "") -> SettingsFile:
    """Read a file of any known format, or resolve a profile stack by its name. Raises UsageError and FileProblems.

    `family` decides between profiles of the same name where `--family` does not.
    """
    from dronekit_cfg.cli.session import parse_pairs
    from dronekit_cfg.formats.compose import resolve

    inputs = parse_pairs(options.inputs, "--input")
    path = Path(name).expanduser()
    if is_file(name):
        # A parameter file or snapshot takes no inputs; they are for the other side then.
        return read_settings(path, library=library_of(options), inputs=inputs)
    wanted = options.family or family or None
    resolved = resolve(name, library_of(options), family=wanted, inputs=inputs, sets=tuple(options.sets or ()))
    settings = {w.name: w.value for w in resolved.settings}
    return SettingsFile("profile", resolved.family, settings, resolved=resolved)


def is_file(name: str) -> bool:
    """Whether a source is named by its file, and not a profile stack by its name."""
    path = Path(name).expanduser()
    return path.is_file() or (is_path(name) and "+" not in name) or path.suffix in {".param", ".parm", ".params"}


def spec_of(first: SettingsFile, second: SettingsFile, options: Offline) -> Spec | None:
    """Give the metadata that fits the one of two files that knows its vehicle."""
    from dronekit_cfg.engine.knowledge import spec_for_vehicle
    from dronekit_cfg.engine.state import StateDir

    snapshot = first.snapshot or second.snapshot
    return spec_for_vehicle(snapshot.identity, StateDir(options.state_dir).root) if snapshot else None


def as_value(value: Value | Scalar) -> Value:
    """Give a plain number or text as the value a vehicle would hold; a whole number stays whole."""
    if isinstance(value, Value):
        return value
    if isinstance(value, str):
        return Value(Kind.TEXT, value)
    if float(value).is_integer() and abs(value) <= 2**31 - 1:
        return Value(Kind.INT32, int(value))
    return Value(Kind.REAL32, float32(value))


def compare(first: SettingsFile, second: SettingsFile, spec: Spec | None = None) -> Comparison:
    """Compare two sources by name. Where just one of them is a profile, only what it sets is compared.

    Between two snapshots, what a vehicle changes by itself (counters, pressure at boot) is told apart.
    """
    partial = [file.kind in _PARTIAL for file in (first, second)]
    names = {**first.settings, **second.settings}
    if partial == [True, False]:
        names = dict(first.settings)
    elif partial == [False, True]:
        names = dict(second.settings)
    one, other = _with_defaults(first, second), _with_defaults(second, first)
    # Two `diff all` both name what is not at its default, so what only one of them names does differ.
    both = first.only_changes and second.only_changes
    silent = [s for f, s in ((first, one), (second, other)) if f.only_changes and not both]
    untold = tuple(n for n in sorted(names) if any(n not in side for side in silent))
    differences = tuple(
        Difference(n, one.get(n), other.get(n), first.lines.get(n, 0), second.lines.get(n, 0))
        for n in sorted(names)
        if n not in untold and not _same(one, other, n)
    )
    restless = _restless(first, second, differences, spec)
    left = tuple(d for d in differences if d not in restless)
    return Comparison(len(names) - len(restless) - len(untold), left, restless, untold)


def _with_defaults(file: SettingsFile, other: SettingsFile) -> Mapping[str, Value | Scalar]:
    """Give the settings of `file`; what a `diff all` leaves out is at the default that the other side tells."""
    if not file.only_changes or other.snapshot is None:
        return file.settings
    told = {s.name: s.default for s in other.snapshot.settings if s.default is not None}
    return {**told, **file.settings}


def _restless(
    first: SettingsFile, second: SettingsFile, differences: Sequence[Difference], spec: Spec | None
) -> tuple[Difference, ...]:
    if first.snapshot is None or second.snapshot is None:
        return ()
    from dronekit_cfg.cli.session import offline_policy

    policy = offline_policy(first.snapshot.identity.family)
    return tuple(
        d
        for d in differences
        if d.a is not None
        and d.b is not None
        and (policy.protected(d.name) == "volatile" or (spec is not None and spec.get(d.name).volatile))
    )


def _same(one: Mapping[str, Value | Scalar], other: Mapping[str, Value | Scalar], name: str) -> bool:
    if name not in one or name not in other:
        return False
    a, b = as_value(one[name]), as_value(other[name])
    if Kind.TEXT in (a.kind, b.kind) and a.kind is not b.kind and Kind.SECRET not in (a.kind, b.kind):
        return str(a) == str(b)  # a text file does not tell that the name of a craft is a text: 007, 1
    return a.same(b)
