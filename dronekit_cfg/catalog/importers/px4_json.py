"""Importer for PX4's parameter metadata, `parameters.json` and `parameters.xml` (packed or not).

Facts only, as for ArduPilot. PX4 documents storage types and defaults itself. One file serves every kind of vehicle, so
the spec's vehicle is "" (any).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dronekit_cfg.catalog.importers._labels import short_label
from dronekit_cfg.catalog.importers._source import parse_json, parse_xml
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Kind, SettingSpec, Spec
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["import_json", "import_xml"]

_KINDS = {"int32": Kind.INT32, "float": Kind.REAL32}
_CALIBRATION = re.compile(r"(?:CAL|TC)_.*|SENS_(?:BOARD_[XYZ]_OFF|DPRES_OFF)")
"""Sensor and thermal calibration: PX4's metadata has no flag for it, its names do (`src/lib/sensor_calibration`)."""
_MEASURED = re.compile(r"CAL_GYRO\d_[XYZ]OFF")
"""Measured anew while the vehicle stands still."""
_IDENTITY = re.compile(r"MAV_SYS_ID|(?:CAL|TC)_[A-Z]+\d_ID")


def import_json(data: bytes, *, version: str, file: str = "parameters.json") -> Spec:
    """Import `parameters.json` of the firmware `version` ("1.15.4"). Raises MetadataError with file:line:col."""
    content = parse_json(data, file)
    entries = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise _foreign(file)
    return _spec((e for e in entries if isinstance(e, dict)), version, file)


def import_xml(data: bytes, *, version: str, file: str = "parameters.xml") -> Spec:
    """Import `parameters.xml`. Raises MetadataError with file:line:col."""
    root = parse_xml(data, file)
    if root.tag != "parameters":
        raise _foreign(file)
    return _spec((_from_element(p) for p in root.iter("parameter")), version, file)


def _foreign(file: str) -> MetadataError:
    return MetadataError(
        t("{file}: this is not PX4 parameter metadata", file=file),
        hint=t("give parameters.json(.xz) or parameters.xml of the firmware version at hand"),
    )


def _from_element(element: Element) -> dict[str, Any]:
    """Turn one <parameter> into the shape that the JSON has."""
    texts = {c.tag: (c.text or "").strip() for c in element}
    entry: dict[str, Any] = {k: element.get(k) for k in ("name", "type", "default")}
    entry |= {"min": texts.get("min"), "max": texts.get("max"), "increment": texts.get("increment")}
    entry |= {"units": texts.get("unit"), "rebootRequired": texts.get("reboot_required") == "true"}
    entry |= {"volatile": element.get("volatile") == "true", "readOnly": element.get("readonly") == "true"}
    entry["values"] = [{"value": c.get("code"), "description": c.text} for c in element.iterfind("values/value")]
    entry["bitmask"] = [{"index": c.get("index"), "description": c.text} for c in element.iterfind("bitmask/bit")]
    return entry


def _spec(entries: Iterable[Mapping[str, Any]], version: str, file: str) -> Spec:
    settings = {s.name: s for s in map(_facts, entries) if s.name}
    if not settings:
        raise _foreign(file)
    return Spec("px4", "", version, settings, source=f"parameters {version}")


def _facts(entry: Mapping[str, Any]) -> SettingSpec:
    name = str(entry.get("name") or "")
    kind = _KINDS.get(str(entry.get("type", "")).lower())
    return SettingSpec(
        name,
        kind=kind,
        unit=str(entry.get("units") or ""),
        minimum=_number(entry.get("min")),
        maximum=_number(entry.get("max")),
        increment=_number(entry.get("increment")),
        values={} if kind is Kind.REAL32 else _table(entry.get("values"), "value"),
        bits=_table(entry.get("bitmask"), "index"),
        default=_number(entry.get("default")),
        calibration=bool(_CALIBRATION.fullmatch(name)),
        identity=bool(_IDENTITY.fullmatch(name)),
        # PX4's flag means "not part of the checksum", which holds for calibration too; that must stay restorable.
        volatile=_flag(entry, "volatile") and not (_CALIBRATION.fullmatch(name) and not _MEASURED.fullmatch(name)),
        reboot=_flag(entry, "rebootRequired"),
        read_only=_flag(entry, "readOnly"),
    )


def _flag(entry: Mapping[str, Any], name: str) -> bool:
    return entry.get(name) in (True, "true")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < 3.5e38 else None  # beyond float32, also inf and nan: no fact


def _table(rows: object, key: str) -> dict[int, str]:
    table: dict[int, str] = {}
    for row in rows if isinstance(rows, list) else ():
        number = _number(row.get(key)) if isinstance(row, dict) else None
        label = short_label(str(row.get("description") or "")) if isinstance(row, dict) else ""
        if number is not None and number.is_integer() and label:
            table[int(number)] = label
    return table
