"""The parameters of a module as settings: by their path of labels, selections by label and never by number.

Folders show their state in brackets ("TX Power (100 Dyn)"), which is left out, and blanks become `_`, so that paths can
stand in profiles: `TX_Power/Max_Power`. Commands, notes and folders are no settings.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence

from dronekit_cfg.model import Kind, Setting, SettingSpec, Value, float32
from dronekit_cfg.text import t
from dronekit_cfg.wire.crsf import Entry, EntryType

__all__ = ["choose", "commands", "domain", "packed", "paths", "setting", "spec"]

_STATE = re.compile(r"\s*\([^()]*\)\s*$")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+\S* (\w+)")
_ODD = re.compile(r"[^A-Za-z0-9_.:@-]+")
_KINDS = {
    EntryType.UINT8: Kind.UINT8,
    EntryType.INT8: Kind.INT8,
    EntryType.UINT16: Kind.UINT16,
    EntryType.INT16: Kind.INT16,
    EntryType.UINT32: Kind.UINT32,
    EntryType.INT32: Kind.INT32,
    EntryType.FLOAT: Kind.REAL32,
    EntryType.SELECTION: Kind.TEXT,
}


def paths(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Give the settings by their path. Hidden ones are left out; of two with one path, neither is a setting."""
    by_number = {entry.number: entry for entry in entries}
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.type in _KINDS and not entry.hidden:
            found.setdefault("/".join(_word(n) for n in [*_folders(entry, by_number), entry.name]), []).append(entry)
    return {path: same[0] for path, same in found.items() if len(same) == 1}


def commands(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Give the commands by their path."""
    by_number = {entry.number: entry for entry in entries}
    return {
        "/".join(_word(n) for n in [*_folders(entry, by_number), entry.name]): entry
        for entry in entries
        if entry.type is EntryType.COMMAND and not entry.hidden
    }


def domain(entries: Sequence[Entry]) -> str:
    """Give the regulatory domain, such as ISM2G4 or CE_LBT, from the note named "4.0.0 ISM2G4"; "" when none."""
    notes = (_VERSION.fullmatch(entry.name) for entry in entries if entry.type is EntryType.INFO)
    return next((found[1] for found in notes if found), "")


def _word(label: str) -> str:
    return _ODD.sub("_", label.strip())


def _folders(entry: Entry, by_number: Mapping[int, Entry]) -> list[str]:
    names: list[str] = []
    parent = entry.parent
    while parent and (folder := by_number.get(parent)) is not None and len(names) < len(by_number):
        names.insert(0, _STATE.sub("", folder.name))
        parent = folder.parent
    return names


def setting(path: str, entry: Entry) -> Setting:
    """Give a parameter as setting; a selection whose index has no label shows the index."""
    if entry.type is EntryType.FLOAT:
        return Setting(path, Value(Kind.REAL32, float32(int(entry.value) / _scale(entry))))
    if entry.type is not EntryType.SELECTION:
        return Setting(path, Value(_KINDS[entry.type], entry.value))
    index = int(entry.value)
    label = entry.options[index] if index < len(entry.options) else ""
    return Setting(path, Value(Kind.TEXT, label or f"#{index}"))


def spec(path: str, entry: Entry) -> SettingSpec:
    """Give the facts that the module tells about a parameter."""
    if entry.type is EntryType.SELECTION:
        return SettingSpec(path, Kind.TEXT, unit=entry.unit, options=tuple(filter(None, entry.options)))
    low, high = entry.low / _scale(entry), entry.high / _scale(entry)
    return SettingSpec(path, _KINDS[entry.type], unit=entry.unit, minimum=low, maximum=high)


def _scale(entry: Entry) -> int:
    number: int = 10**entry.precision
    return number


def choose(path: str, entry: Entry, value: object) -> Value:
    """Turn a profile's value into the stored one. A label may be given without what follows in its brackets.

    ValueError says what the module offers now: it depends on its band, its port and its mode.
    """
    if entry.type is EntryType.FLOAT:
        return _choose_float(path, entry, value)
    if entry.type is not EntryType.SELECTION:
        if not isinstance(value, int | float) or not entry.low <= value <= entry.high or value != int(value):
            raise ValueError(
                t("{name} is {low} to {high}, not {value!r}", name=path, low=entry.low, high=entry.high, value=value)
            )
        return Value(_KINDS[entry.type], int(value))
    wanted = str(value).strip().lower()
    labels = [label for label in entry.options if label]
    exact = [label for label in labels if label.lower() == wanted]
    short = [label for label in labels if label.lower().partition("(")[0].strip() == wanted]
    fits = exact or short
    if len(fits) != 1:
        raise ValueError(
            t(
                "{name} cannot be {value!r}; the module offers {labels}",
                name=path,
                value=value,
                labels=", ".join(labels),
            )
        )
    return Value(Kind.TEXT, fits[0])


def _choose_float(path: str, entry: Entry, value: object) -> Value:
    low, high = entry.low / _scale(entry), entry.high / _scale(entry)
    if not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(t("{name} is {low:g} to {high:g}, not {value!r}", name=path, low=low, high=high, value=value))
    exact = value * _scale(entry)
    if abs(exact - round(exact)) > 1e-6 * max(1, abs(exact)):
        raise ValueError(
            t("{name} has {n} digits behind the point, {value!r} has more", name=path, n=entry.precision, value=value)
        )
    return Value(Kind.REAL32, float32(value))


def packed(entry: Entry, value: Value) -> bytes:
    """Give a value as it is written. ValueError for a label that the module does not offer (any more)."""
    if entry.type is EntryType.SELECTION:
        return bytes((entry.options.index(str(value)),))
    if entry.type is EntryType.FLOAT:
        return struct.pack(entry.format, round(value.number * _scale(entry)))
    return struct.pack(entry.format, value.raw)
