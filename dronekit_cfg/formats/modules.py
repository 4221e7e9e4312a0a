"""Takes a stack of a whole aircraft apart: what is for the flight controller, and what for which module around it.

`heavy-lift+gnss-dual-ublox+sik-resilient` is the stack `heavy-lift+gnss-dual-ublox` of a flight controller and the
profile `sik-resilient` of a module. A word that only families of modules have becomes a module:

* its role is named before a colon (`gnss2:gnss-ublox-resilient`), else it is every role that the profiles declare for
  that family under `modules:`, else the usual one of the family (ublox gnss, sik radio, elrs rc);
* profiles that it requires and that are not named are put before it (`base/sik`);
* its link comes from `--module-link ROLE=URL`, else from `modules:`. A module that is named needs one; one that a
  profile declares `optional` is left alone without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.compose import declared_inputs
from dronekit_cfg.formats.layer import MODULE_FAMILIES, Layer
from dronekit_cfg.formats.library import Library, is_path
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.formats.stack import at_word, load_stack, split
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import ModuleSlot, Origin
from dronekit_cfg.text import t

__all__ = ["ROLES", "AircraftStack", "Module", "aircraft_stack", "for_generation", "own_inputs"]

ROLES: Mapping[str, str] = {"ublox": "gnss", "sik": "radio", "elrs": "rc"}
"""The role of a module that nobody gave one, by family."""

VEHICLE = "vehicle"
"""The role of the flight controller, which no module can have."""

NO_LINK = "none"
"""What `--module-link ROLE=none` says: this aircraft is without it, or it is left alone this time."""

_ROLED = re.compile(r"([a-z][a-z0-9_]+):(.+)")
"""Two letters at least: C:/profiles/x.yaml is a path."""
_EXAMPLES = {
    "ublox": "serial:/dev/ttyUSB0@38400",
    "sik": "serial:/dev/ttyUSB0@57600",
    "elrs": "serial:/dev/ttyUSB0@460800",
}


@dataclass(frozen=True, slots=True)
class Module:
    """One module to be set: its role, family, the stack of its profiles, its link and its own region ("" for none)."""

    role: str
    family: str
    stack: str
    link: str
    region: str = ""


@dataclass(frozen=True, slots=True)
class AircraftStack:
    """The flight controller's own stack, the modules, and notes on modules that are left alone."""

    main: str
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()
    declared: bool = False
    """Whether profiles or words speak of modules at all, with a link or without."""
    region: str = ""
    """Where the profiles of the flight controller say that the aircraft is operated."""


@dataclass(slots=True)
class _Draft:
    slot: ModuleSlot
    words: list[str]
    named: bool = False


def aircraft_stack(
    stack: str,
    library: Library,
    *,
    family: str | None = None,
    unit: Path | None = None,
    links: Mapping[str, str] | None = None,
) -> AircraftStack:
    """Take a stack apart; `links` are given on the command line, by role.

    A stack of one device (also one of a module alone) comes back as it is. Raises UsageError and FileProblems for a
    module without link, family or profile, and for a link that no module has.
    """
    parts = split(stack)
    if _is_file_of_its_own(parts) or _module_family(parts[0], library):
        if links:
            raise _stray(next(iter(links)), ())
        return AircraftStack(stack)
    words = [(part, _word(parts, place, library)) for place, part in enumerate(parts) if place]
    mine = (parts[0], *(part for part, found in words if found is None))
    layers = _layers(mine, library, family, unit)
    drafts = _declared(layers)
    for _, found in words:
        if found is not None:
            _named(drafts, *found)
    for role in links or {}:
        if role not in drafts:
            raise _stray(role, drafts)
    made = _finished("+".join(mine), drafts, library, dict(links or {}))
    return replace(made, region=next((layer.region for layer in reversed(layers) if layer.region), ""))


def _is_file_of_its_own(parts: Sequence[str]) -> bool:
    """Whether the stack is a lock or build file, which holds one device."""
    return len(parts) == 1 and parts[0].endswith(".json")


def _stray(role: str, known: Iterable[str]) -> UsageError:
    there = t("the modules here are: {roles}", roles=", ".join(known)) if known else t("this profile has no modules")
    return UsageError(
        t("--module-link {role}: there is no such module", role=role), hint=did_you_mean(role, known, otherwise=there)
    )


def _module_family(name: str, library: Library) -> str:
    """Give the family of modules that a profile is for, "" when a flight controller's family has one of that name."""
    if is_path(name):
        path = Path(name).expanduser()
        if path.suffix == ".json" or not path.is_file():
            return ""
        try:
            found = {load_layer(path).family}
        except UsageError:
            return ""  # said by whoever loads it as a part of the stack
    else:
        found = set(library.families(name))
    return min(found) if found and found <= set(MODULE_FAMILIES) else ""


def _word(parts: Sequence[str], place: int, library: Library) -> tuple[str, str, str] | None:
    """Give role ("" when not said), family and profile of a word that is a module; None for one that is not."""
    part = parts[place]
    roled = _ROLED.fullmatch(part)
    name = roled[2] if roled else part
    family = _module_family(name, library)
    if roled and not family:
        message = t('"{name}" is no profile of a module', name=name)
        hint = t("ROLE:NAME gives a module a role; see what there is: dronekit-cfg profile list")
        raise FileProblems((at_word(parts, place, message, hint),))
    return (roled[1] if roled else "", family, name) if family else None


def _layers(parts: Sequence[str], library: Library, family: str | None, unit: Path | None) -> tuple[Layer, ...]:
    """Give the layers of the flight controller's stack; () where the vehicle has to tell which family is meant."""
    if family is None and len(library.families(parts[0])) > 1:
        return ()
    return load_stack(parts, library, family=family, unit=unit).layers


def _declared(layers: Iterable[Layer]) -> dict[str, _Draft]:
    """Collect what layers say about modules, later ones over earlier ones."""
    drafts: dict[str, _Draft] = {}
    for slot in (s for layer in layers for s in layer.modules):
        before = drafts[slot.role].slot if slot.role in drafts else ModuleSlot(slot.role)
        said = {n: v for n in ("family", "profile", "link", "region") if (v := getattr(slot, n))}
        optional = before.optional if slot.optional is None else slot.optional
        merged = replace(before, **said, optional=optional, origin=slot.origin)
        drafts[slot.role] = _Draft(merged, list(split(merged.profile)) if merged.profile else [])
    return drafts


def _named(drafts: dict[str, _Draft], role: str, family: str, name: str) -> None:
    """Add a word of the stack to the module that it is for."""
    roles = [role] if role else [r for r, d in drafts.items() if d.slot.family == family]
    for each in roles or [ROLES[family]]:
        draft = drafts.setdefault(each, _Draft(ModuleSlot(each, family, origin=Origin(name)), []))
        if draft.slot.family not in {"", family}:
            message = t("{role} is a {family} module", role=each, family=draft.slot.family)
            raise UsageError(
                t('{message}, and "{name}" is for {other}', message=message, name=name, other=family),
                hint=t("give it a role of its own: OTHER:{name}", name=name),
            )
        draft.slot = replace(draft.slot, family=family)
        draft.named = True
        if name not in draft.words:
            draft.words.append(name)


def _finished(main: str, drafts: Mapping[str, _Draft], library: Library, links: Mapping[str, str]) -> AircraftStack:
    modules: list[Module] = []
    notes: list[str] = []
    problems: list[Problem] = []
    for role, draft in drafts.items():
        slot, link = draft.slot, links.get(role, draft.slot.link)
        wrong = _wrong(draft)
        if link == NO_LINK or (not link and slot.optional and not draft.named):
            notes.append(_left_alone(slot, asked=link == NO_LINK))
        elif wrong or not link:
            problems.append(_problem(slot, *(wrong or _no_link(draft))))
        else:
            stack = "+".join(_completed(draft.words, slot.family, library))
            modules.append(Module(role, slot.family, stack, link, slot.region))
    if problems:
        raise FileProblems(tuple(problems))
    return AircraftStack(main, tuple(modules), tuple(notes), declared=bool(drafts))


def _problem(slot: ModuleSlot, message: str, hint: str) -> Problem:
    return Problem(slot.origin.file, slot.origin.line, slot.origin.column, message, hint)


def _wrong(draft: _Draft) -> tuple[str, str] | None:
    """Say what a module lacks besides a link."""
    slot = draft.slot
    if slot.role == VEHICLE:
        return t('"{role}" is the flight controller', role=VEHICLE), t("give the module another role")
    if not slot.family:
        return t("the module {role} has no family", role=slot.role), t("add family: elrs, sik or ublox")
    if not draft.words:
        example = t("add profile: with a profile of {family}", family=slot.family)
        return t("the module {role} has no profile", role=slot.role), example
    return None


def _no_link(draft: _Draft) -> tuple[str, str]:
    slot = draft.slot
    message = t(
        "nobody said where the module {role} is ({stack}, a profile for {family})",
        role=slot.role,
        stack="+".join(draft.words),
        family=slot.family,
    )
    return message, t(
        "give its link: --module-link {role}={example}, or leave it alone: --module-link {role}=none",
        role=slot.role,
        example=_EXAMPLES[slot.family],
    )


def _left_alone(slot: ModuleSlot, *, asked: bool) -> str:
    if asked:
        return t("the module {role} is left alone, as asked", role=slot.role)
    return t(
        "the module {role} ({family}) is left alone: no link is known; --module-link {role}=URL sets it as well",
        role=slot.role,
        family=slot.family or "?",
    )


def _completed(words: Sequence[str], family: str, library: Library) -> list[str]:
    """Put the profiles that words require, and that nobody named, before them."""
    done: list[str] = []
    for word in words:
        for needed in _needs(word, family, library):
            if not any(_is_called(needed, other) for other in (*done, *words)):
                done.append(needed)
        done.append(word)
    return done


def _needs(word: str, family: str, library: Library) -> list[str]:
    layers = load_stack((word,), library, family=family, unit=None).layers
    names = {layer.name for layer in layers}
    return [r.name for layer in layers for r in layer.requires if r.name not in names]


def _is_called(name: str, other: str) -> bool:
    return name == other or name.endswith(f"/{other}") or other.endswith(f"/{name}")


def for_generation(stack: str, library: Library, *, family: str, vehicle: str) -> str:
    """Give the stack of a module with each word replaced by the one for its generation, where the library has one.

    `gnss-ublox-resilient` becomes `gnss-ublox-resilient-m10` on an M10.
    """
    if family not in MODULE_FAMILIES or not vehicle:
        return stack
    words = [w if is_path(w) else _special(w, library, family, vehicle) for w in split(stack)]
    return "+".join(words)


def _special(word: str, library: Library, family: str, vehicle: str) -> str:
    special = f"{word}-{vehicle}"
    return special if not word.endswith(f"-{vehicle}") and family in library.families(special) else word


def own_inputs(
    stacks: Mapping[str, tuple[str, str | None]], library: Library, given: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Give each device the inputs that its profiles declare; `stacks` maps roles to (stack, family).

    `ROLE.NAME=VALUE` is for that device only. What nobody declares goes to the first device, which refuses it.
    """
    declared = {role: _names_of(stack, family, library) for role, (stack, family) in stacks.items()}
    own = {n: n.partition(".") for n in given}
    found = {r: {own[n][2]: v for n, v in given.items() if own[n][1] and own[n][0] == r} for r in stacks}
    for name, value in given.items():
        role, dot, _ = own[name]
        if dot and role in found:
            continue
        takers = [r for r, names in declared.items() if name in names] or [next(iter(stacks))]
        for taker in takers:
            found[taker].setdefault(name, value)
    return found


def _names_of(stack: str, family: str | None, library: Library) -> frozenset[str]:
    parts = split(stack)
    if _is_file_of_its_own(parts):
        return frozenset()
    loaded = load_stack(parts, library, family=family, unit=None)
    return frozenset(spec.name for spec in declared_inputs(loaded))
