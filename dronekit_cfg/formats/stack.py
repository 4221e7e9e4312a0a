"""Turns `heavy-lift+gnss-dual` into the profile files that it stands for, in the order in which they are merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats import firmware
from dronekit_cfg.formats.files import read_text
from dronekit_cfg.formats.layer import Layer, Reference
from dronekit_cfg.formats.library import Library, is_path
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.model import Origin
from dronekit_cfg.text import t

__all__ = ["Group", "Role", "Stack", "at_word", "load_stack", "split"]


class Role(StrEnum):
    """What a group of layers is in a stack."""

    PROFILE = "profile"
    OVERLAY = "overlay"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Group:
    """One part of a stack: a profile or overlay after those that it extends (its own file is the last layer)."""

    name: str
    role: Role
    layers: tuple[Layer, ...]

    @property
    def overrides(self) -> frozenset[str]:
        """Names of the overlays that this one may replace values of."""
        return frozenset(r.name for layer in self.layers for r in layer.overrides)


@dataclass(frozen=True, slots=True)
class Stack:
    """The groups of a stack in merge order, and everything that is wrong with them.

    `complete` is False when a file could not be loaded: then what looks undeclared may be declared there.
    """

    groups: tuple[Group, ...]
    problems: tuple[Problem, ...]
    complete: bool = True

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers in merge order."""
        return tuple(layer for group in self.groups for layer in group.layers)


def split(stack: str) -> tuple[str, ...]:
    """Split a stack at `+`. A file whose path contains `+` is one part. Raises FileProblems for an empty part."""
    if is_path(stack) and Path(stack).expanduser().is_file():
        return (stack,)
    parts = tuple(p.strip() for p in stack.split("+"))
    if not all(parts):
        message = t('"{stack}" is not a profile stack', stack=stack)
        raise FileProblems((at_word(parts, parts.index(""), message, t("write it like heavy-lift+gnss-dual")),))
    twice = [i for i, p in enumerate(parts) if p in parts[:i]]
    if twice:
        message = t('"{name}" is named twice in the stack', name=parts[twice[0]])
        raise FileProblems((at_word(parts, twice[0], message, t("leave one of them out")),))
    return parts


def at_word(parts: Sequence[str], place: int, message: str, hint: str) -> Problem:
    """Give a problem of a word as it was typed: the stack itself is the file, and the word's first character."""
    column = sum(len(part) + 1 for part in parts[:place]) + 1
    return Problem(f'"{"+".join(parts)}"', 1, column, message, hint)


def load_stack(parts: Iterable[str], library: Library, *, family: str | None, unit: Path | None) -> Stack:
    """Load all layers of a stack, parents first. Raises FileProblems when the first part cannot be found."""
    loader = _Loader(library, family, tuple(parts))
    for place in range(len(loader.parts)):
        loader.word(place)
    if unit:
        loader.group(Role.UNIT, unit)
    groups = tuple(loader.groups)
    return Stack(groups, (*loader.problems, *_misfits(groups)), complete=not loader.problems)


@dataclass(slots=True)
class _Loader:
    library: Library
    family: str | None
    parts: tuple[str, ...]
    groups: list[Group] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    done: set[Path] = field(default_factory=set)

    def word(self, place: int) -> None:
        """Load one word of the stack; the first is the profile, which everything else needs."""
        name = self.parts[place]
        try:
            path = self.library.find(name, family=self.family)
        except UsageError as error:
            problem = at_word(self.parts, place, error.message, error.hint)
            if not place:
                raise FileProblems((problem,)) from None
            self.problems.append(problem)
            return
        if not self.group(Role.OVERLAY if place else Role.PROFILE, path):
            message = t('"{name}" is already part of the stack', name=name)
            self.problems.append(at_word(self.parts, place, message, t("leave it out")))

    def group(self, role: Role, path: Path) -> bool:
        """Load a profile with those that it extends; False when it is in the stack already."""
        layers = tuple(self.lineage(path, ()))
        if layers:
            self.family = self.family or layers[-1].family
            self.groups.append(Group(layers[-1].name, role, layers))
        return bool(layers or self.problems or path.resolve() not in self.done)

    def lineage(self, path: Path, children: tuple[tuple[Path, str], ...]) -> Iterator[Layer]:
        """Load a file after its parents; a file that is in the stack already is not loaded again."""
        identity = path.resolve()
        if identity in self.done:
            return
        try:
            layer = load_layer(path)
        except UsageError as error:
            self.done.add(identity)
            found = (
                error.problems if isinstance(error, FileProblems) else (Problem("", 0, 0, error.message, error.hint),)
            )
            self.problems.extend(found)
            return
        chain = (*children, (identity, layer.name))
        for reference in layer.extends:
            parent = self.parent(reference, path, layer)
            if parent is None:
                continue
            if parent.resolve() in [p for p, _ in chain]:
                names = " -> ".join([*(n for _, n in chain), reference.name])
                hint = t("remove one of the extends: entries")
                self.problems.append(_at(reference.origin, t("profiles extend each other: {names}", names=names), hint))
                continue
            yield from self.lineage(parent, chain)
        if identity not in self.done:
            self.done.add(identity)
            yield layer

    def parent(self, reference: Reference, path: Path, layer: Layer) -> Path | None:
        try:
            return self.library.find(reference.name, family=layer.family, beside=path.parent)
        except UsageError as error:
            self.problems.append(_at(reference.origin, error.message, error.hint))
            return None


def _at(origin: Origin, message: str, hint: str) -> Problem:
    return Problem(origin.file, origin.line, origin.column, message, hint)


def _misfits(groups: tuple[Group, ...]) -> Iterator[Problem]:
    """Say which layers do not belong together."""
    layers = [layer for group in groups for layer in group.layers]
    for what in ("family", "vehicle", "names"):
        yield from _mixed(layers, what)
    ranges = [layer for layer in layers if layer.firmware]
    if firmware.intersect(layer.firmware for layer in ranges) is None:
        said = ", ".join(f'{layer.name} "{layer.firmware}"' for layer in ranges)
        hint = t("use layers for the same firmware")
        yield Problem(ranges[-1].file, 1, 1, t("no firmware version suits all layers: {said}", said=said), hint)
    yield from _unmet(layers)
    for group in groups:
        if group.role is Role.UNIT:
            hint = t("name those profiles on the command line")
            own = group.layers[-1]
            yield from (_at(r.origin, t("a unit file cannot extend profiles"), hint) for r in own.extends)


_MIXED_HINTS = {
    "family": "a stack is for one family: choose layers of the same one",
    "vehicle": "a stack is for one vehicle type: choose layers of the same one",
    "names": "setting names differ between generations: migrate one of the layers",
}


def _mixed(layers: list[Layer], what: str) -> Iterator[Problem]:
    said = [(layer, str(getattr(layer, what))) for layer in layers if getattr(layer, what)]
    for other, found in said[1:]:
        first, wanted = said[0]
        if found != wanted:
            message = t(
                '{what} of "{name}" is {found}, that of "{first}" is {wanted}',
                what=what,
                name=other.name,
                found=found,
                first=first.name,
                wanted=wanted,
            )
            yield Problem(other.file, _line_of(other.file, what), 1, message, t(_MIXED_HINTS[what]))


def _line_of(file: str, key: str) -> int:
    """Give the line on which a file says its family, vehicle or names."""
    lines = read_text(Path(file)).splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)


def _unmet(layers: list[Layer]) -> Iterator[Problem]:
    present: set[str] = set()
    for layer in layers:
        for needed in layer.requires:
            if not any(_is_called(name, needed.name) for name in present):
                message = t('"{name}" needs "{needed}" before it', name=layer.name, needed=needed.name)
                yield _at(needed.origin, message, t("add +{needed} to the stack, before it", needed=needed.name))
        present.add(layer.name)


def _is_called(name: str, wanted: str) -> bool:
    """Whether both name the same profile, one of them perhaps with its folder (`base/x` and `x`)."""
    return name == wanted or name.endswith(f"/{wanted}") or wanted.endswith(f"/{name}")
