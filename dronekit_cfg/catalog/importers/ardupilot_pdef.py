"""Importer for ArduPilot's parameter metadata, `apm.pdef.xml` and `apm.pdef.json`.

Facts only: names, ranges, increments, units, value and bit labels, flags. The vendor's titles and descriptions are
never kept. The files tell neither version nor storage types nor defaults: the version is given by the caller, the rest
comes from a vehicle's own list (`importers.typed`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dronekit_cfg.catalog.importers._labels import short_label
from dronekit_cfg.catalog.importers._source import parse_json, parse_xml
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import SettingSpec, Spec
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["VEHICLES", "import_json", "import_xml"]

VEHICLES = {
    "ArduCopter": "copter",
    "ArduPlane": "plane",
    "Rover": "rover",
    "ArduSub": "sub",
    "AntennaTracker": "tracker",
    "Blimp": "blimp",
}
"""The vendor's name of a vehicle in `apm.pdef` and ours."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BIT = re.compile(r"(\d+)\s*:\s*([^,]*(?:,(?!\s*\d+\s*:)[^,]*)*)")
_IDENTITY = re.compile(r"SYSID_THISMAV|MAV_SYSID|BRD_SERIAL_NUM|.*_(?:DEVID|DEV_ID\d*)|INS\d?_?(?:ACC|GYR)\d?_ID")
_COUNTERS = re.compile(r"STAT_(?:BOOTCNT|FLTTIME|RUNTIME|RESET|FLTCNT|DISTFLWN)|MIS_TOTAL|FENCE_TOTAL|RALLY_TOTAL")


@dataclass(slots=True)
class _Raw:
    """One documented setting, texts as the vendor wrote them."""

    name: str
    fields: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    bits: dict[str, str] = field(default_factory=dict)


def import_xml(data: bytes, *, version: str, vehicle: str = "", file: str = "apm.pdef.xml") -> Spec:
    """Import `apm.pdef.xml`.

    `version` is that of the firmware ("4.5.6"); `vehicle` chooses one when the file has several. Raises MetadataError
    with file:line:col for text that is not well-formed, and for metadata that is not ArduPilot's.
    """
    root = parse_xml(data, file)
    if root.tag != "paramfile":
        raise _foreign(file, t("its outer element is <{tag}> and not <paramfile>", tag=root.tag))
    groups = [g for section in root if section.tag == "vehicles" for g in section.iter("parameters")]
    chosen = _vehicle([g.get("name", "") for g in groups], vehicle, file)
    wanted = [g for g in groups if VEHICLES.get(g.get("name", "")) == chosen]
    wanted += [g for section in root if section.tag == "libraries" for g in section.iter("parameters")]
    return _spec((_from_element(p, file) for g in wanted for p in g.iter("param")), chosen, version, file)


def import_json(data: bytes, *, version: str, vehicle: str, file: str = "apm.pdef.json") -> Spec:
    """Import `apm.pdef.json`, which does not say for which vehicle it is: the caller must. Raises MetadataError."""
    content = parse_json(data, file)
    if not isinstance(content, dict):
        raise _foreign(file, t("it holds no object of groups"))
    groups = [g for key, g in content.items() if key != "json" and isinstance(g, dict)]
    entries = [(n, p) for g in groups for n, p in g.items() if isinstance(p, dict)]
    if vehicle not in VEHICLES.values():
        raise MetadataError(
            t("{file}: for which vehicle?", file=file),
            hint=t("name one of {names}", names=", ".join(VEHICLES.values())),
        )
    return _spec((_from_object(n, p) for n, p in entries), vehicle, version, file)


def _foreign(file: str, why: str) -> MetadataError:
    return MetadataError(
        t("{file}: this is not ArduPilot parameter metadata: {why}", file=file, why=why),
        hint=t("give the apm.pdef.xml or apm.pdef.json of the firmware version at hand"),
    )


def _vehicle(found: list[str], wanted: str, file: str) -> str:
    """Choose the vehicle of an XML file: the one wanted, or the only one."""
    known = [VEHICLES[n] for n in found if n in VEHICLES]
    if wanted and wanted in known:
        return wanted
    if wanted:
        raise _foreign(
            file, t("it has {known} and not {wanted}", known=", ".join(known) or t("no vehicle"), wanted=wanted)
        )
    if len(known) != 1:
        raise MetadataError(
            t("{file}: holds {count} vehicles ({names})", file=file, count=len(known), names=", ".join(known) or "-"),
            hint=t("name the vehicle that is meant"),
        )
    return known[0]


def _from_element(element: Element, file: str) -> _Raw:
    name = element.get("name", "").rpartition(":")[2]
    if not name:
        raise _foreign(file, t("a <param> has no name"))
    raw = _Raw(name)
    for child in element:
        if child.tag == "field":
            raw.fields[child.get("name", "")] = (child.text or "").strip()
        elif child.tag in {"values", "bitmask"}:
            table = raw.values if child.tag == "values" else raw.bits
            table.update({c.get("code", ""): (c.text or "").strip() for c in child})
    return raw


def _from_object(name: str, entry: Mapping[str, Any]) -> _Raw:
    raw = _Raw(name.rpartition(":")[2])
    for key, value in entry.items():
        if key == "Range" and isinstance(value, dict):
            raw.fields["Range"] = f"{value.get('low', '')} {value.get('high', '')}"
        elif key in {"Values", "Bitmask"} and isinstance(value, dict):
            table = raw.values if key == "Values" else raw.bits
            table.update({str(k): str(v).strip() for k, v in value.items()})
        elif isinstance(value, str | int | float):
            raw.fields[key] = str(value).strip()
    return raw


def _spec(entries: Iterable[_Raw], vehicle: str, version: str, file: str) -> Spec:
    settings: dict[str, SettingSpec] = {}
    for raw in entries:
        facts = _facts(raw)
        known = settings.get(raw.name)
        settings[raw.name] = _merged(known, facts) if known else facts
    if not settings:
        raise _foreign(file, t("it documents no parameter"))
    return Spec("ardupilot", vehicle, version, settings, source=f"apm.pdef {version}")


def _facts(raw: _Raw) -> SettingSpec:
    low, high = _range(raw.fields.get("Range", ""))
    bits = dict(_integers(raw.bits.items())) or dict(_integers(_BIT.findall(raw.fields.get("Bitmask", ""))))
    return SettingSpec(
        raw.name,
        unit=raw.fields.get("Units", ""),
        minimum=low,
        maximum=high,
        increment=_number(raw.fields.get("Increment", "")),
        values={} if bits else _codes(raw.values),  # beside bits they are examples of sums, not all there are
        bits=bits,
        read_only=_flag(raw, "ReadOnly"),
        volatile=_flag(raw, "Volatile") or bool(_COUNTERS.fullmatch(raw.name)),
        calibration=_flag(raw, "Calibration"),
        identity=bool(_IDENTITY.fullmatch(raw.name)),
        reboot=_flag(raw, "RebootRequired"),
    )


def _flag(raw: _Raw, name: str) -> bool:
    return raw.fields.get(name, "").lower() in {"true", "1", "yes"}


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _range(text: str) -> tuple[float | None, float | None]:
    """Read "low high"; anything else (the vendor has a few slips) gives no range rather than a wrong one."""
    parts = text.replace(",", " ").split()
    numbers = [_number(p) for p in parts]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
        return None, None
    return numbers[0], numbers[1]


def _integers(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    for code, label in pairs:
        if re.fullmatch(r"\s*[+-]?\d+\s*", code) and label.strip():
            yield int(code), short_label(label)


def _codes(table: Mapping[str, str]) -> dict[int, str]:
    """Give the value labels; a table with fractions names points of a scale and is no enumeration, so it is dropped."""
    numbers = [_number(c.strip()) for c in table]
    if any(n is None or not n.is_integer() for n in numbers):
        return {}
    return {
        int(n): short_label(label) for n, label in zip(numbers, table.values(), strict=True) if n is not None and label
    }


def _merged(a: SettingSpec, b: SettingSpec) -> SettingSpec:
    """Join two entries of one name (helicopter and multirotor, battery drivers): what either allows is allowed."""

    def both(x: float | None, y: float | None, pick: Any) -> float | None:
        return None if x is None or y is None else float(pick(x, y))

    return replace(
        a,
        unit=a.unit or b.unit,
        minimum=both(a.minimum, b.minimum, min),
        maximum=both(a.maximum, b.maximum, max),
        increment=a.increment if a.increment is not None else b.increment,
        values={**b.values, **a.values} if a.values and b.values and not (a.bits or b.bits) else {},
        bits={**b.bits, **a.bits},
        **{f: getattr(a, f) or getattr(b, f) for f in ("read_only", "volatile", "calibration", "identity", "reboot")},
    )
