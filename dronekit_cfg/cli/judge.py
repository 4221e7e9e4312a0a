"""Judges files offline: names, values and rules against the metadata of the firmware that a file is for.

Which firmware that is, is told by `--firmware`, by the file, or by where its names fit best; it is always said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.catalog.renames import Renames, load_renames
from dronekit_cfg.catalog.store import SpecFile, list_specs, releases_first, spec_for
from dronekit_cfg.cli.foreign import foreign_message
from dronekit_cfg.engine.generations import strays
from dronekit_cfg.engine.judge import facts_of
from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.read_any import SettingsFile, read_settings
from dronekit_cfg.model import Finding, InputSpec, Origin, Resolved, Scalar, Spec, Value, Waiver
from dronekit_cfg.reports.judged import Judged
from dronekit_cfg.rules.check import check, findings
from dronekit_cfg.rules.names import check_names
from dronekit_cfg.rules.rule import SEVERITIES, Rule
from dronekit_cfg.rules.shipped import shipped_rules
from dronekit_cfg.rules.values import check_values
from dronekit_cfg.rules.waivers import apply_waivers, load_waivers
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.formats.library import Library

__all__ = ["JudgeOptions", "all_rules", "files_in", "judge_file"]

SUFFIXES = (".param", ".parm", ".params", ".yaml", ".yml", ".json")
"""What is looked at inside a folder."""

LONGEST_STACK = 20
"""Profiles that need each other in a circle are given up here; loading them says what is wrong."""


@dataclass(frozen=True)
class JudgeOptions:
    """What `validate` was asked for; hashable and plain, so that worker processes can be given it."""

    firmware: str = ""
    family: str = ""
    strict: bool = False
    rules: tuple[Path, ...] = ()
    waivers: tuple[Path, ...] = ()
    accept: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    profiles: tuple[Path, ...] = ()
    specs: Path | None = None
    today: date = date.min


@cache
def all_rules(paths: tuple[Path, ...]) -> dict[str, Rule]:
    """Give the shipped rules and those of the user's packs and folders, by id. Raises FileProblems and UsageError."""
    rules = {rule.id: rule for rule in shipped_rules()}
    for path in paths:
        from dronekit_cfg.rules.pack import load_folder, load_pack

        packs = load_folder(path) if path.is_dir() else (load_pack(path),)
        rules |= {rule.id: rule for pack in packs for rule in pack.rules}
    return rules


@cache
def _waivers(paths: tuple[Path, ...]) -> tuple[Waiver, ...]:
    return tuple(waiver for path in paths for waiver in load_waivers(path))


def files_in(paths: list[Path]) -> list[Path]:
    """Give the files named, and those of a known kind in the folders named. Raises UsageError for what is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(t("there is no file {path}", path=path), hint=t("check the name and the folder"))
    return found


def judge_file(path: Path, options: JudgeOptions) -> Judged:
    """Judge one file. What cannot be read is a finding of that file and does not keep others from being judged."""
    try:
        file, notes = _read(path, options)
    except FileProblems as error:
        return Judged(str(path), tuple(_unreadable(error)))
    except UsageError as error:
        return Judged(str(path), (Finding("FILE", "error", "", error.message, error.hint, Origin("", str(path))),))
    return _judge(path, file, notes, options)


def _unreadable(error: FileProblems) -> Iterator[Finding]:
    for problem in error.problems:
        origin = Origin("", problem.file, problem.line, problem.column)
        yield Finding("FILE", "error", "", problem.message, problem.hint, origin)


def _read(path: Path, options: JudgeOptions) -> tuple[SettingsFile, list[str]]:
    if path.suffix.lower() not in {".yaml", ".yml"}:
        return read_settings(path), []
    from dronekit_cfg.formats.compose import declared_inputs, resolve
    from dronekit_cfg.formats.library import Library
    from dronekit_cfg.formats.roles import UNUSED, role_inputs
    from dronekit_cfg.formats.stack import load_stack, split

    library = Library(options.profiles)
    family, parts = _whole_stack(str(path.absolute()), library)
    stack = "+".join(parts)
    whole = load_stack(split(stack), library, family=family, unit=None)
    roles = {spec.name for spec in role_inputs(whole.layers)}
    specs = tuple(spec for spec in declared_inputs(whole) if spec.name not in {*roles, UNUSED})
    given = {name: value for name, value in options.inputs if name in {*roles, UNUSED}}
    inputs, assumed = _inputs(specs, dict(options.inputs))
    resolved = resolve(stack, library, family=family, inputs={**inputs, **given})
    notes = [t("with {inputs} for want of --input", inputs=assumed)] if assumed else []
    settings = {w.name: w.value for w in resolved.settings}
    return SettingsFile("profile", resolved.family, settings, resolved=resolved), notes


def _whole_stack(name: str, library: Library) -> tuple[str | None, list[str]]:
    """Give the family of a profile, and the profile after all that it needs: an overlay alone is half a profile."""
    from dronekit_cfg.formats.stack import load_stack

    parts: list[str] = []
    waiting = [name]
    family: str | None = None
    while waiting:
        part = waiting.pop()
        if part in parts:
            parts.remove(part)
        parts.insert(0, part)
        layers = load_stack((part,), library, family=family, unit=None).layers
        family = family or next((layer.family for layer in layers), None)
        present = {known for layer in layers for known in (layer.name, f"base/{layer.name}")}
        waiting += [r.name for layer in layers for r in layer.requires if r.name not in present]
        if len(parts) > LONGEST_STACK:
            break
    return family, parts


def _inputs(specs: tuple[InputSpec, ...], given: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Give the inputs that a profile declares; one that is missing gets the lowest value that is allowed, or yes."""
    inputs = {s.name: given[s.name] for s in specs if s.name in given}
    assumed: dict[str, str] = {}
    for spec in specs:
        if spec.name not in inputs and spec.default is None and spec.type == "boolean":
            assumed[spec.name] = "true"
        elif spec.name not in inputs and spec.default is None:
            lowest = spec.choices[0] if spec.choices else spec.minimum if spec.minimum is not None else 1
            assumed[spec.name] = f"{lowest:g}" if isinstance(lowest, float) else str(lowest)
    return {**inputs, **assumed}, ", ".join(f"{k}={v}" for k, v in assumed.items())


def _judge(path: Path, file: SettingsFile, notes: list[str], options: JudgeOptions) -> Judged:
    wanted = _firmware(options.firmware, options.specs)[0] or options.family
    if wanted and file.family and file.family != wanted:
        hint = t("give it to {family}; leave out --family and --firmware to have it judged", family=file.family)
        message = foreign_message(path.name, file.family, wanted, file.settings)
        return Judged(str(path), (Finding("FILE", "error", "", message, hint, Origin("", str(path))),))
    spec, version, why = _spec(file, options)
    family = spec.family if spec else file.family or "ardupilot"
    vehicle = spec.vehicle if spec else ""
    renames = load_renames(family, vehicle)
    settings, origins, found = _settings(path, file, spec, renames)
    snapshot = file.snapshot
    if spec is not None:
        defaults = {s.name: s.default for s in snapshot.settings if s.default is not None} if snapshot else {}
        # A dump is text that anybody may have edited; only what was read from a vehicle proves that a name is right.
        listed = snapshot.by_name.keys() if snapshot and snapshot.typed else ()
        named = _only_settings(settings, family)
        found += check_names(named, spec, renames=renames, listed=listed, version=version, origins=origins)
        found += check_values(
            settings,
            spec,
            defaults=defaults,
            renames=renames,
            strict=options.strict,
            writing=file.resolved is not None,
            origins=origins,
        )
    rules = all_rules(options.rules)
    resolved = file.resolved
    inputs: Mapping[str, Scalar] = resolved.inputs if resolved else dict(options.inputs)
    if snapshot:
        inputs = facts_of(snapshot.identity, inputs)
    results = check(
        rules.values(),
        settings,
        family=family,
        vehicle=vehicle,
        version=version,
        spec=spec,
        inputs=inputs,
        flags=(*(resolved.flags if resolved else ()), *options.flags),
        renames=renames,
    )
    found += findings(results, origins)
    found += [
        Finding("FILE", "warning", "", w.message, w.hint, Origin("", w.file, w.line, w.column)) for w in file.warnings
    ]
    own = resolved.waivers if resolved else ()
    judged = apply_waivers(found, (*own, *_waivers(options.waivers)), today=options.today, rules=rules)
    left = [f for f in judged.findings if not (f.id in options.accept and f.severity != "error")]
    left.sort(key=lambda f: SEVERITIES.index(f.severity))
    return Judged(str(path), tuple(left), judged.waived, "; ".join([why, *notes]))


def _only_settings(settings: Mapping[str, Value | Scalar], family: str) -> Mapping[str, Value | Scalar]:
    """Leave out the lines of a text CLI that are no settings (`mixer`, `board_name`): metadata does not list those."""
    from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES, load_dialect
    from dronekit_cfg.formats.cli_dump_settings import address

    if family not in CLI_FAMILIES:
        return settings
    dialect = load_dialect(family)
    return {n: v for n, v in settings.items() if not n.startswith("line.") and address(n, dialect).kind == "set"}


def _settings(
    path: Path, file: SettingsFile, spec: Spec | None, renames: Renames | None
) -> tuple[dict[str, Value | Scalar], dict[str, Origin], list[Finding]]:
    """Give settings and their places. A profile is carried over to the names of this firmware, as a plan would do."""
    resolved = file.resolved
    if resolved is None:
        places = {name: Origin("", str(path), line) for name, line in file.lines.items()}
        return dict(file.settings), places, []
    return _carried(resolved, spec, renames)


def _carried(
    resolved: Resolved, spec: Spec | None, renames: Renames | None
) -> tuple[dict[str, Value | Scalar], dict[str, Origin], list[Finding]]:
    settings: dict[str, Value | Scalar] = {}
    origins: dict[str, Origin] = {}
    found: list[Finding] = []
    if renames is not None:
        places = {w.name: w.origin for w in resolved.settings}
        mixed = strays({w.name: w.value for w in resolved.settings}, renames, resolved.names)
        found += [Finding("NAME-GENERATION", "error", s.name, s.message, s.hint, places[s.name]) for s in mixed]
    for wanted in resolved.settings:
        name, value = wanted.name, wanted.value
        try:
            moved = renames.translate(name, value, spec.settings.__contains__) if renames and spec else None
        except ValueError as error:
            found.append(Finding("NAME-GENERATION", "error", name, str(error), "", wanted.origin))
            continue
        name, value = moved or (name, value)
        settings[name] = value
        origins[name] = wanted.origin
    return settings, origins, found


def _spec(file: SettingsFile, options: JudgeOptions) -> tuple[Spec | None, str, str]:
    """Choose the metadata: what --firmware says, what the file says, or where its names fit best.

    Gives it with the version of the firmware at hand, and says why this one.
    """
    family, vehicle, version = _firmware(options.firmware, options.specs)
    family = family or file.family or "ardupilot"
    if not version and file.snapshot:
        identity = file.snapshot.identity
        family, vehicle, version = identity.family, identity.vehicle, identity.version
    if not version and file.resolved:
        vehicle, version = file.resolved.vehicle, file.resolved.names
    if not version and file.params:
        version = file.params.header.get("Version", "")
    candidates = [
        s for s in list_specs(options.specs) if s.family == family and (not vehicle or s.vehicle in ("", vehicle))
    ]
    if not candidates:
        what = f"{family} {vehicle}".strip()
        return None, version, t("no metadata of {what}: rules only; `schema import` adds some", what=what)
    if not version:
        best = _best_fit(file, tuple(candidates))
        spec = _loaded(best)
        return (
            spec,
            spec.version,
            t("judged as {spec}, which its names fit best; --firmware sets it", spec=_named(spec)),
        )
    chosen = spec_for(family, vehicle or candidates[0].vehicle, version, user_dir=options.specs)
    if chosen is None:
        return None, version, t("no metadata of {what}: rules only", what=f"{family} {vehicle}".strip())
    return (
        chosen,
        version,
        t("judged as {spec}", spec=_named(chosen))
        + ("" if chosen.exact else t(", the nearest to {version}", version=version)),
    )


def _named(spec: Spec) -> str:
    return " ".join(part for part in (spec.family, spec.vehicle, spec.version) if part)


@cache
def _loaded(file: SpecFile) -> Spec:
    return replace(file.load(), vehicle=file.vehicle)


def _best_fit(file: SettingsFile, candidates: tuple[SpecFile, ...]) -> SpecFile:
    """Give the candidate that knows most of the file's names; of equally good ones the newest release."""
    names = file.settings.keys()
    best, most = candidates[0], -1
    for candidate in releases_first(candidates):
        known = len(names & _loaded(candidate).settings.keys())
        if known > most:
            best, most = candidate, known
        if known == len(names):
            break  # nothing can fit better, and each further one would have to be loaded
    return best


def _firmware(text: str, specs: Path | None) -> tuple[str, str, str]:
    """Read --firmware VEHICLE@VERSION or FAMILY@VERSION: (family, vehicle, version). Raises UsageError."""
    if not text:
        return "", "", ""
    what, at, version = text.partition("@")
    known = list_specs(specs)
    for spec in known:
        if what in (spec.family, spec.vehicle, f"{spec.family}-{spec.vehicle}"):
            return spec.family, "" if what == spec.family else spec.vehicle, version
    names = sorted({f"{s.vehicle or s.family}@{s.version}" for s in known})
    del at
    raise UsageError(
        t("--firmware {text} is not known", text=text), hint=t("for example {names}", names=", ".join(names))
    )
