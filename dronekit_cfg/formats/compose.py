"""Merges a stack of profiles into one: parents, profile, overlays, unit file, `--set`; values keep their provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats import builds, expressions, firmware, lock, roles, yaml_tree
from dronekit_cfg.formats import inputs as input_values
from dronekit_cfg.formats.files import read_text
from dronekit_cfg.formats.layer import NUMERIC_FAMILIES, Layer, LayerSetting
from dronekit_cfg.formats.library import Library, is_path
from dronekit_cfg.formats.profile_yaml import setting_objection
from dronekit_cfg.formats.sources import source_of
from dronekit_cfg.formats.stack import Group, Role, Stack, load_stack, split
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import InputSpec, Origin, Resolved, Scalar, Waiver, Wanted, float32, shortest
from dronekit_cfg.model.region import UNSET, joined
from dronekit_cfg.text import t

__all__ = ["canonical", "declared_inputs", "explain", "resolve"]

_EXCLUSIVE_FLAGS = frozenset({"vlos", "bvlos"})


def resolve(
    stack: str,
    library: Library,
    *,
    family: str | None = None,
    inputs: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
    unit: Path | None = None,
) -> Resolved:
    """Give what a stack such as `heavy-lift+gnss-dual` asks for, with inputs filled in and expressions computed.

    `sets` are `NAME=VALUE` texts that win over every layer; `unit` is the file of one aircraft. A lock file may stand
    in the place of a stack; it takes no inputs or sets. Raises UsageError when the stack cannot be found, and
    FileProblems with everything that is wrong in any of its files, in their being together, and in the inputs.
    """
    parts = split(stack)
    locked = _locked(parts, library, inputs or {}, sets, unit)
    if locked:
        return locked
    loaded = load_stack(parts, library, family=family, unit=unit)
    if not loaded.groups:
        raise FileProblems(loaded.problems)
    merge = _Merge(loaded.groups[0].layers[-1].family)
    declared = declared_inputs(loaded)
    values, problems = input_values.fill(declared, inputs or {}, _known(loaded), complete=loaded.complete)
    merge.inputs = values
    merge.complete = loaded.complete
    merge.absent = {spec.name: spec for spec in declared if spec.name not in values}
    merge.problems = [*loaded.problems, *problems, *_rival_answers(loaded, inputs or {})]
    merge.problems += _region_problems(loaded, values)
    for group in loaded.groups:
        merge.group(group)
    for text in sets:
        merge.set(text)
    placed = roles.place(merge.finish(), merge.family, values)
    merge.problems += placed.problems
    asked = [input_values.missing(s) for n, s in merge.absent.items() if n in merge.asked and n not in (inputs or {})]
    empty = not any(layer.settings for layer in loaded.layers) or not (placed.settings or merge.problems or asked)
    nothing = [_sets_nothing(stack, loaded, placed)] if empty and loaded.complete else []
    _raise_if([*nothing, *merge.problems, *asked])
    return _resolved(loaded, placed, values)


def declared_inputs(stack: Stack) -> tuple[InputSpec, ...]:
    """Give all inputs that the layers of a stack declare; a later declaration of a name replaces an earlier one."""
    ports = {spec.name: spec for spec in roles.role_inputs(stack.layers)}
    return tuple((ports | {spec.name: spec for layer in stack.layers for spec in layer.inputs}).values())


def explain(resolved: Resolved, name: str) -> str:
    """Tell where the value of a setting comes from, what it replaced, and why. Raises UsageError for an unset name."""
    found = next((w for w in resolved.settings if w.name == name), None)
    if found is None:
        hint = did_you_mean(name, (w.name for w in resolved.settings), otherwise=t("the profile does not set it"))
        raise UsageError(t('"{stack}" does not set {name}', stack=resolved.name, name=name), hint=hint)
    lines = [f"{name} = {found.value}", t("  from {origin}", origin=found.origin)]
    lines += [t("  because {why}", why=found.because)] if found.because else []
    lines += [t("  source: {source}", source=found.source)] if found.source else []
    known = source_of(found.source)
    lines += [f"    {known}"] if known and known.address.startswith("https:") else []
    lines += [t("  replaces the value of {origin}", origin=o) for o in reversed(found.overrode)]
    return "\n".join(lines)


def canonical(value: Scalar, family: str) -> Scalar:
    """Give a value in the one form in which it is compared and digested: 2.0 as 2, a float as float32 would hold it."""
    if isinstance(value, str):
        return value
    number = int(value) if isinstance(value, bool) else value
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        return int(number)
    if isinstance(number, float) and family in NUMERIC_FAMILIES:
        return float(shortest(float32(number)))
    return number


def _locked(
    parts: Sequence[str], library: Library, inputs: Mapping[str, str], sets: Sequence[str], unit: Path | None
) -> Resolved | None:
    """Read a lock or a build file where one is named in the place of a stack."""
    if len(parts) != 1 or not is_path(parts[0]):
        return None
    path = Path(parts[0]).expanduser()
    build = "" if parts[0].endswith(".json") or not path.is_file() else read_text(path)
    if not parts[0].endswith(".json") and not builds.is_build(build):
        return None
    if inputs or sets or unit:
        message = t("this file holds its inputs and values already: {file}", file=parts[0])
        hint = t("leave out --input, --set and --unit, or name the profile instead of the file")
        raise UsageError(message, hint=hint)
    if build:
        return builds.resolve_build(builds.parse_build(build, str(path)), library)
    return lock.load_lock(read_text(path), str(path))


def _known(stack: Stack) -> dict[str, tuple[Scalar, Origin]]:
    known = {name: found for layer in stack.layers for name, found in layer.input_values.items()}
    said = next((layer for layer in reversed(stack.layers) if layer.region), None)
    if said is not None and any(spec.name == "region" for layer in stack.layers for spec in layer.inputs):
        known["region"] = (said.region, Origin(said.name, said.file, 1, 1))
    return known


def _rival_answers(stack: Stack, given: Mapping[str, str]) -> list[Problem]:
    """Name the inputs that two overlays, or an overlay and the command line, answer differently.

    Two receivers or two chemistries cannot both be fitted; the rest of an overlay is for its own answer.
    """
    problems: list[Problem] = []
    said: dict[str, tuple[Scalar, Origin, Group]] = {}
    for group in (g for g in stack.groups if g.role is Role.OVERLAY):
        for name, (value, origin) in {n: a for layer in group.layers for n, a in layer.input_values.items()}.items():
            if name in given and given[name].casefold() != str(value).casefold():
                message = t(
                    'the input {name} is {value} in "{layer}", and {typed} was given',
                    name=name,
                    value=value,
                    layer=origin.layer,
                    typed=given[name],
                )
                problems.append(_at(origin, message, t("take the overlay of what is fitted, or leave the input out")))
            before, where, other = said.setdefault(name, (value, origin, group))
            if before == value or _named(group, other):
                continue
            message = t(
                'the input {name} is {now} in "{layer}" and {before} in "{other}"',
                name=name,
                now=value,
                layer=origin.layer,
                before=before,
                other=where.layer,
            )
            problems.append(_at(origin, message, t("keep the overlay of what is fitted, and leave out the other one")))
    return problems


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A setting on its way to the result: the group that set it last, and who had set it before."""

    setting: LayerSetting
    group: Group | None
    overrode: tuple[Origin, ...] = ()


@dataclass(slots=True)
class _Merge:
    family: str
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    absent: Mapping[str, InputSpec] = field(default_factory=dict)
    """Declared inputs without a value; those that something needs end up in `asked`."""
    asked: set[str] = field(default_factory=set)
    complete: bool = True
    problems: list[Problem] = field(default_factory=list)
    merged: dict[str, _Candidate] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)

    def group(self, group: Group) -> None:
        for layer in group.layers:
            for setting in layer.settings:
                self.put(setting, group)

    def put(self, setting: LayerSetting, group: Group | None) -> None:
        earlier = self.merged.get(setting.name)
        if earlier is None:
            self.merged[setting.name] = _Candidate(setting, group)
            return
        winner, loser = (setting, group), (earlier.setting, earlier.group)
        if _rivals(group, earlier.group) and self.differ(setting, earlier.setting):
            now, before = _named(group, earlier.group), _named(earlier.group, group)
            if now == before:
                self.conflict(setting, earlier, mutual=now)
            elif before:
                winner, loser = loser, winner
        overrode = (*earlier.overrode, loser[0].origin)
        self.merged[setting.name] = _Candidate(*winner, overrode)

    def lacks(self, expr: str, origin: Origin) -> bool:
        """Whether inputs that `expr` needs have no value; they are asked for."""
        needed = expressions.names_needed(expr, origin)
        self.asked |= needed & set(self.absent)
        unknown = not self.complete and not needed <= set(self.inputs)
        return unknown or bool(needed & set(self.absent))

    def differ(self, one: LayerSetting, other: LayerSetting) -> bool:
        """Whether two overlays want different values; a value that cannot be computed is a problem of its own."""
        values = (self.value(one, quiet=True), self.value(other, quiet=True))
        return None not in values and values[0] != values[1]

    def conflict(self, setting: LayerSetting, earlier: _Candidate, *, mutual: bool) -> None:
        other = earlier.setting.origin
        message = t(
            '{name} is {now} in "{layer}" and {before} in "{other}" ({place})',
            name=setting.name,
            now=_shown(setting),
            layer=setting.origin.layer,
            before=_shown(earlier.setting),
            other=other.layer,
            place=f"{other.file}:{other.line}:{other.column}",
        )
        hint = t("let the one that is to win name the other: overrides: [{other}]", other=other.layer)
        if mutual:
            hint = t("both name the other under overrides: remove one of the two")
        self.problems.append(_at(setting.origin, message, hint))

    def set(self, text: str) -> None:
        name, equals, typed = (part.strip() for part in text.partition("="))
        if not equals or not name or not typed:
            message = t('"{text}" does not set anything', text=text)
            self.problems.append(Problem(f'--set "{text}"', 1, 1, message, t("write --set NAME=VALUE")))
            return
        place = (f'--set "{name}=..."', 1, len(name) + 2)  # the value may be a secret, so it is not said again
        if self.sets.setdefault(name, typed) != typed:
            message = t("{name} is set twice, to {first} and {second}", name=name, first=self.sets[name], second=typed)
            self.problems.append(Problem(*place, message, t("keep one of the two")))
        value = yaml_tree.scalar(typed)
        plain = typed if value is None or isinstance(value, bool) else value
        objection = setting_objection(self.family, name, plain) or _not_finite(name, plain)
        if objection:
            self.problems.append(Problem(*place, *objection))
        self.put(LayerSetting(name, plain, None, t("given on the command line"), "", Origin("--set")), None)

    def value(self, setting: LayerSetting, *, quiet: bool = False) -> Scalar | None:
        """Compute one value; with `quiet`, a problem gives None and is left to be said later."""
        if setting.expr is None:
            return None if setting.value is None else canonical(setting.value, self.family)
        if self.lacks(setting.expr, setting.origin):
            return None
        try:
            text = self.family not in NUMERIC_FAMILIES
            result = expressions.evaluate(setting.expr, self.inputs, setting.origin, text=text)
        except FileProblems as error:
            self.problems += [] if quiet else error.problems
            return None
        if objection := setting_objection(self.family, setting.name, result):
            self.problems += [] if quiet else [_at(setting.origin, *objection)]
            return None
        return canonical(result, self.family)

    def finish(self) -> tuple[Wanted, ...]:
        """Compute what is left after merging; what cannot be computed is left out and is a problem."""
        wanted = []
        for name, candidate in self.merged.items():
            setting = candidate.setting
            value = self.value(setting)
            if value is not None:
                made = Wanted(
                    name,
                    value,
                    setting.origin,
                    setting.because,
                    setting.source,
                    candidate.overrode,
                    optional=setting.optional,
                )
                wanted.append(made)
        return tuple(wanted)


def _rivals(one: Group | None, other: Group | None) -> bool:
    """Whether two groups are different overlays, of which neither has a natural right to win."""
    return one is not other and one is not None and other is not None and one.role == other.role == Role.OVERLAY


def _named(one: Group | None, other: Group | None) -> bool:
    """Whether `one` says that it overrides `other`."""
    names = {layer.name for layer in other.layers} if other else set()
    return bool(one and one.overrides & {*names, *(n.rpartition("/")[2] for n in names)})


def _shown(setting: LayerSetting) -> str:
    return str(setting.value) if setting.expr is None else setting.expr


def _not_finite(name: str, value: Scalar) -> tuple[str, str] | None:
    if isinstance(value, float) and not math.isfinite(value):
        return t("{name}: {value} is not a number", name=name, value=value), t("write a finite number")
    return None


def _at(origin: Origin, message: str, hint: str) -> Problem:
    return Problem(origin.file, origin.line, origin.column, message, hint)


def _sets_nothing(stack: str, loaded: Stack, placed: roles.Placed) -> Problem:
    message = t('"{stack}" sets nothing', stack=stack)
    hint = t("add settings: to the profile, or extends: to build on another one")
    return Problem(loaded.groups[0].layers[-1].file, 1, 1, message, "; ".join(placed.notes) or hint)


def _raise_if(problems: Sequence[Problem]) -> None:
    if unique := tuple(dict.fromkeys(problems)):
        raise FileProblems(unique)


def _resolved(stack: Stack, placed: roles.Placed, values: Mapping[str, Scalar]) -> Resolved:
    main = stack.groups[0].layers[-1]
    layers = stack.layers
    return Resolved(
        name="+".join(g.name for g in stack.groups if g.role is not Role.UNIT),
        version=main.version,
        family=main.family,
        vehicle=_first(layers, "vehicle"),
        firmware=firmware.intersect(layer.firmware for layer in layers) or "",
        names=_first(layers, "names"),
        settings=placed.settings,
        notes=placed.notes,
        inputs=values,
        flags=_flags(layers),
        waivers=_waivers(layers),
        layers=tuple(layer.label for layer in layers),
        region=_region(layers, values),
    )


def _first(layers: Sequence[Layer], what: str) -> str:
    return next((found for layer in layers if (found := str(getattr(layer, what)))), "")


def _region(layers: Sequence[Layer], values: Mapping[str, Scalar]) -> str:
    """Give where the vehicle is operated: by the input of that name, else by the last layer that says it."""
    said = str(values.get("region", "")) or next((layer.region for layer in reversed(layers) if layer.region), "")
    return "" if said == UNSET else said


def _region_problems(stack: Stack, values: Mapping[str, Scalar]) -> list[Problem]:
    """Say what is wrong with the regions that layers and inputs name, each by itself and together."""
    said = [(layer.region, Origin(layer.name, layer.file, 1, 1)) for layer in stack.layers if layer.region]
    said.append((str(values.get("region", "")), Origin("")))
    problems: list[Problem] = []
    whole = ""
    for text, origin in said:
        try:
            whole = joined(whole, text)
        except ValueError as error:
            hint = t("limits of one place hold for an aircraft: name that place in all of its profiles")
            problems.append(_at(origin, t("region: {why}", why=error), hint))
    return problems


def _flags(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Collect flags; a later layer's vlos or bvlos replaces the other one."""
    flags: dict[str, None] = {}
    for layer in layers:
        if _EXCLUSIVE_FLAGS & set(layer.flags):
            flags = {f: None for f in flags if f not in _EXCLUSIVE_FLAGS}
        flags |= dict.fromkeys(layer.flags)
    return tuple(flags)


def _waivers(layers: Sequence[Layer]) -> tuple[Waiver, ...]:
    """Collect waivers; a later layer's waiver of a rule replaces an earlier one."""
    return tuple({w.rule: w for layer in layers for w in layer.waivers}.values())
