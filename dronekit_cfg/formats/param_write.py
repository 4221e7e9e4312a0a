"""Writes parameter files that Mission Planner, MAVProxy and QGroundControl read, without losing a bit of a float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.param_file import MAV_TYPES, Dialect, ParamEntry
from dronekit_cfg.model import Kind, Snapshot, Value, float32, shortest
from dronekit_cfg.text import t

__all__ = ["beyond_float32", "entries_of", "write_mavproxy", "write_mission_planner", "write_params", "write_qgc"]

_MAX_NAME = 16
_STACKS = {"ardupilot": "ArduPilot", "px4": "PX4 Pro"}
_VEHICLES = {"copter": "Multi-Rotor", "plane": "Fixed Wing", "rover": "Rover", "sub": "Sub"}
_NUMBERS = {kind: number for number, kind in MAV_TYPES.items()}


def entries_of(snapshot: Snapshot) -> tuple[ParamEntry, ...]:
    """Give the settings of a snapshot as entries. Raises UsageError for texts, which these files cannot hold."""
    system, _, component = snapshot.identity.address.partition(":")
    place = (int(system) if system.isdigit() else 1, int(component) if component.isdigit() else 1)
    return tuple(_entry(s.name, s.value, *place) for s in snapshot.settings)


def _entry(name: str, value: Value, system: int, component: int) -> ParamEntry:
    if isinstance(value.raw, str):
        message = t("{name} is a text, which a parameter file cannot hold", name=name)
        raise UsageError(message, hint=t("parameter files are for ArduPilot and PX4: write a snapshot instead"))
    return ParamEntry(name, str(value), value.raw, value.kind, system=system, component=component)


def beyond_float32(entries: Iterable[ParamEntry]) -> tuple[str, ...]:
    """Name the integers that ground stations would change, because they carry every value as a float32."""
    return tuple(e.name for e in entries if isinstance(e.number, int) and int(float32(e.number)) != e.number)


def write_params(dialect: Dialect, source: Snapshot | Sequence[ParamEntry]) -> str:
    """Give the text of a parameter file in a dialect. Raises UsageError for what such a file cannot hold."""
    writers: dict[Dialect, Callable[[Snapshot | Sequence[ParamEntry]], str]] = {
        Dialect.MISSION_PLANNER: write_mission_planner,
        Dialect.MAVPROXY: write_mavproxy,
        Dialect.QGC: write_qgc,
    }
    return writers[dialect](source)


def write_mission_planner(source: Snapshot | Sequence[ParamEntry], *, note: str = "") -> str:
    """Give a `.param` text: `NAME,VALUE`, sorted, CRLF, without the trailing comments that Mission Planner chokes on.

    `note` becomes the first line `#NOTE: ...` (a date and a frame, as Mission Planner writes it).
    """
    entries = _checked(source)
    head = [f"#NOTE: {' '.join(note.split())}"] if note else []
    return "".join(f"{line}\r\n" for line in (*head, *(f"{e.name},{_shortest(e)}" for e in entries)))


def write_mavproxy(source: Snapshot | Sequence[ParamEntry]) -> str:
    """Give a `.parm` text: name in 16 columns, then the value with six decimals as MAVProxy writes it.

    Where six decimals would change the float32 (4e-7 would become 0), the shortest text that keeps it is written:
    MAVProxy reads any float.
    """
    return "".join(f"{e.name:<16} {_six_decimals(e)}\n" for e in _checked(source))


def write_qgc(source: Snapshot | Sequence[ParamEntry], *, header: Mapping[str, str] | None = None) -> str:
    """Give a `.params` text with types. `header` may set Stack, Vehicle, Version and Git Revision.

    Raises UsageError when the type of an entry is not known: a wrong one makes QGroundControl skip the line.
    """
    entries = _checked(source)
    untyped = [e.name for e in entries if e.kind is None]
    if untyped:
        message = t("the types of {count} parameters are not known: {names}", count=len(untyped), names=_some(untyped))
        hint = t("QGroundControl files carry types: convert from a snapshot, or write .param or .parm instead")
        raise UsageError(message, hint=hint)
    told = {**(_header(source) if isinstance(source, Snapshot) else {}), **(header or {})}
    system = next((e.system for e in entries if e.system), 1)
    lines = [f"# Onboard parameters for Vehicle {system}", "#"]
    lines += [f"# {key}: {' '.join(str(told[key]).split())}" for key in _HEADER_KEYS if told.get(key)]
    lines += ["#", "# Vehicle-Id Component-Id Name Value Type"]
    lines += [_row(e) for e in entries]
    return "".join(f"{line}\n" for line in lines)


_HEADER_KEYS = ("Stack", "Vehicle", "Version", "Git Revision")


def _header(snapshot: Snapshot) -> dict[str, str]:
    identity = snapshot.identity
    return {
        "Stack": _STACKS.get(identity.family, identity.family),
        "Vehicle": _VEHICLES.get(identity.vehicle, identity.vehicle),
        "Version": identity.version_text or identity.version,
    }


def _row(entry: ParamEntry) -> str:
    number = _NUMBERS[entry.kind or Kind.REAL32]
    text = str(int(entry.number)) if entry.kind and entry.kind.is_integer else _decimals(entry.number, 18)
    return f"{entry.system or 1}\t{entry.component or 1}\t{entry.name}\t{text}\t{number}"


def _checked(source: Snapshot | Sequence[ParamEntry]) -> list[ParamEntry]:
    """Give the entries sorted by name; refuse what would not come back the same."""
    entries = sorted(entries_of(source) if isinstance(source, Snapshot) else source, key=lambda e: e.name)
    long = [e.name for e in entries if len(e.name) > _MAX_NAME]
    if long:
        message = t("names longer than {count} characters: {names}", count=_MAX_NAME, names=_some(long))
        raise UsageError(message, hint=t("no vehicle has such parameters: remove them"))
    odd = [e.name for e in entries if not math.isfinite(e.number)]
    if odd:
        message = t("not a finite number: {names}", names=_some(odd))
        raise UsageError(message, hint=t("only a snapshot file can hold them: correct the values on the vehicle"))
    return entries


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _shortest(entry: ParamEntry) -> str:
    """Give whole numbers without point or exponent, as Mission Planner does; -0 is no whole number."""
    number = entry.number
    minus_zero = number == 0 and math.copysign(1, number) < 0
    if float(number).is_integer() and abs(number) < 2**32 and not minus_zero:
        return str(int(number))
    return shortest(float32(number))


def _six_decimals(entry: ParamEntry) -> str:
    return f"{entry.number}.000000" if isinstance(entry.number, int) else _decimals(entry.number, 6)


def _decimals(number: float, count: int) -> str:
    """Write a float with a fixed count of decimals where that keeps the float32, else with its shortest text."""
    text = f"{number:.{count}f}"
    return text if float32(float(text)) == float32(number) and len(text) < 40 else shortest(float32(number))
