"""Writes a profile from a vehicle that already flies: what is not at its default, grouped by subsystem.

Left out are calibration, identity, volatile and read-only settings, and what is at its default. What each setting is
called by the vendor's metadata stands beside it as a comment. Reasons are left for the person who knows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dronekit_cfg.formats.layer import PROFILE_FORMAT
from dronekit_cfg.model import Scalar, Setting, Snapshot, Spec, Value
from dronekit_cfg.text import t

__all__ = ["NewProfile", "new_profile"]

_SERIAL = re.compile(r"(SERIAL\d+|RC\d+|SERVO\d+)_.*")
_PLAIN_YAML = re.compile(r"-?\d+(\.\d+)?|[A-Za-z_][A-Za-z0-9_-]*")
_NOT_SO_AFTER_A_RESET = {"inav": frozenset({"feature.GPS"})}
"""Settings that the firmware itself takes from their default as soon as it starts after a reset: INAV 9.0.0 switches
feature GPS off while no port is for a receiver (seen on its simulator)."""
_SELECTED = frozenset({"profile", "rateprofile", "battery_profile", "control_profile", "mixer_profile"})
_FIRST = {"betaflight": 0, "inav": 1}
"""Which profile is selected, and the number of the first one, which is selected after a reset; no vehicle tells it."""
_WORDS_OF_YAML = frozenset({"on", "off", "yes", "no", "true", "false", "null", "y", "n"})


@dataclass(frozen=True, slots=True)
class NewProfile:
    """The text of a profile, how many settings it has, and the protected ones that it leaves out."""

    text: str
    settings: int
    left_out: tuple[str, ...]


def new_profile(
    snapshot: Snapshot,
    name: str,
    *,
    spec: Spec | None = None,
    protected: Callable[[str], str] = lambda _: "",
    generation: Callable[[Mapping[str, Scalar | None], str], str] = lambda _, series: series,
    fresh: Snapshot | None = None,
) -> NewProfile:
    """Make a profile of a snapshot. `protected` is the family's own list of what profiles do not set.

    Defaults are those of `fresh`, a snapshot of such a vehicle after a reset, else those that the vehicle tells, else
    those of its metadata; an airframe of PX4 may have its own, which only `fresh` shows. What has no known default is
    taken: leaving it out could lose it. `generation` says of which generation the settings' names
    are, given the series of the firmware: a development version may have names of the one before, or of both (then "").
    """
    facts = spec.get if spec else None
    family = snapshot.identity.family
    unsteady = _NOT_SO_AFTER_A_RESET.get(family, frozenset())
    different = [s for s in snapshot.settings if not _at_default(s, spec, fresh, unsteady)]
    different = [s for s in different if s.name not in _SELECTED or str(s.value) != str(_FIRST.get(family))]
    kept: list[Setting] = []
    left: list[Setting] = []
    for setting in different:
        known = facts(setting.name) if facts else None
        flagged = known and (known.calibration or known.identity or known.volatile or known.read_only)
        (left if flagged or protected(setting.name) else kept).append(setting)
    identity = snapshot.identity
    lines = [
        f"# {t('made from a snapshot of {taken}: {version}', taken=snapshot.taken, version=identity.version_text)}",
        f"# {t('defaults, calibration and identity are left out; add because: and source: where you know them')}",
        f"format: {PROFILE_FORMAT}",
        f"name: {name}",
        "version: 0.1.0",
        f"family: {identity.family}",
    ]
    lines += [f"vehicle: {identity.vehicle}"] if identity.vehicle else []
    lines += _versions(identity.version, lambda series: generation({s.name: s.value.raw for s in kept}, series))
    lines += ["settings:"] if kept else []
    for group, settings in _grouped(kept):
        lines.append(f"  # {group}")
        lines += [_line(s, spec) for s in settings]
    return NewProfile("\n".join(lines) + "\n", len(kept), tuple(s.name for s in left))


def _at_default(setting: Setting, spec: Spec | None, fresh: Snapshot | None, unsteady: frozenset[str]) -> bool:
    """Whether a setting is as on a fresh vehicle: seen there, else told by the vehicle, else by its metadata."""
    if fresh is not None and setting.name in fresh.by_name:
        return setting.value.same(fresh.value(setting.name))
    if setting.name in unsteady:
        return False
    if setting.default is not None:
        return setting.value.same(setting.default)
    told = spec.get(setting.name).default if spec else None
    if told is None or isinstance(told, str) or isinstance(setting.value.raw, str):
        return False
    try:
        return setting.value.same(Value(setting.value.kind, told))
    except (ValueError, TypeError, OverflowError):
        return False


def _versions(version: str, generation: Callable[[str], str]) -> list[str]:
    """Give the firmware range, which is the series that the vehicle runs, and the generation of its names."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if not found:
        return []
    major, minor = int(found[1]), int(found[2])
    names = generation(f"{major}.{minor}")
    return [f'firmware: ">={major}.{minor},<{major}.{minor + 1}"', *([f'names: "{names}"'] if names else [])]


def _group(name: str) -> str:
    """Give the subsystem of a setting: the first part of its name, with numbered ports and channels together."""
    numbered = _SERIAL.fullmatch(name)
    if numbered:
        return re.sub(r"\d+$", "", numbered[1])
    return re.split(r"[_.]", name, maxsplit=1)[0].rstrip("0123456789") or name


def _grouped(settings: Sequence[Setting]) -> list[tuple[str, list[Setting]]]:
    groups: dict[str, list[Setting]] = {}
    for setting in sorted(settings, key=lambda s: s.name):
        groups.setdefault(_group(setting.name), []).append(setting)
    return sorted(groups.items())


def _line(setting: Setting, spec: Spec | None) -> str:
    text = f"  {setting.name}: {_yaml(setting)}"
    if spec is None:
        return text
    facts = spec.get(setting.name)
    said = facts.describe(setting.value)
    about = [facts.label, said if said != str(setting.value) else ""]
    note = ": ".join(a for a in about if a).replace("\n", " ")
    return f"{text}  # {note}" if note else text


def _yaml(setting: Setting) -> str:
    text = str(setting.value)
    if isinstance(setting.value.raw, str):
        plain = _PLAIN_YAML.fullmatch(text) and text.lower() not in _WORDS_OF_YAML and not text[:1].isdigit()
        return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
