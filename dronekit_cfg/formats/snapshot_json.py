"""Snapshots as files: lossless, sealed, one setting per line.

Integers are written as such. A float is written with the shortest digits that give the same float32, and beside them
its bits as `hex` (big-endian, as IEEE 754 draws them): the bits are the truth for -0 and NaN, the digits for people.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from dronekit_cfg.formats.files import read_text, write_atomic
from dronekit_cfg.formats.machine_json import parse_sealed, refuse, sealed_text
from dronekit_cfg.formats.records import DataError, from_data, to_data, value_from_data, value_to_data
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value
from dronekit_cfg.text import t

__all__ = ["dump_snapshot", "load_snapshot", "read_snapshot", "save_snapshot"]

_FORMAT = "snapshot/v1"


def dump_snapshot(snapshot: Snapshot, *, tool: str = "") -> str:
    """Give the text of a snapshot file; `tool` names what took it ("dronekit-cfg 0.1.0")."""
    return sealed_text(
        {
            "format": f"dronekit-cfg/{_FORMAT}",
            "taken": snapshot.taken,
            "source": snapshot.source,
            "tool": tool,
            "typed": snapshot.typed,
            "digest": snapshot.digest,
            "identity": to_data(snapshot.identity),
            "raw": dict(snapshot.raw),
            "settings": [_setting_data(s) for s in snapshot.settings],
        }
    )


def load_snapshot(text: str, file: str) -> Snapshot:
    """Read a snapshot from its text. Raises FileProblems when it is damaged, changed, or not a snapshot."""
    body = parse_sealed(text, file, wanted=_FORMAT)
    try:
        snapshot = Snapshot(
            identity=from_data(Identity, body["identity"]),
            taken=str(body["taken"]),
            source=str(body["source"]),
            settings=tuple(_setting(entry) for entry in body["settings"]),
            typed=bool(body["typed"]),
            raw={str(k): str(v) for k, v in body["raw"].items()},
        )
        digest = body["digest"]
    except (DataError, KeyError, TypeError, AttributeError, ValueError, struct.error) as error:
        refuse(file, t("the snapshot is damaged: {why}", why=error), t("use an undamaged copy"))
    if len(snapshot.by_name) != len(snapshot.settings):
        refuse(file, t("the snapshot lists a setting twice"), t("use an undamaged copy"))
    if digest != snapshot.digest:
        refuse(file, t("the digest of the snapshot does not match its settings"), t("use an undamaged copy"))
    return snapshot


def save_snapshot(path: Path, snapshot: Snapshot, *, tool: str = "") -> None:
    """Write a snapshot file, on disk when this returns. Raises StateError."""
    write_atomic(path, dump_snapshot(snapshot, tool=tool))


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file. Raises UsageError or FileProblems."""
    return load_snapshot(read_text(path), str(path))


def _setting_data(setting: Setting) -> dict[str, Any]:
    data: dict[str, Any] = {"name": setting.name, **value_to_data(setting.value)}
    if isinstance(setting.value.raw, float):
        data["hex"] = struct.pack(">f", setting.value.raw).hex()
    if setting.default is not None:
        data["default"] = value_to_data(setting.default)
        if setting.default.kind is setting.value.kind:
            data["default"] = data["default"]["value"]
    return data


def _setting(data: dict[str, Any]) -> Setting:
    name = data["name"]
    if not isinstance(name, str) or not set(data) <= {"name", "type", "value", "hex", "default"}:
        raise DataError(t("a setting has unknown or mistyped keys: {keys}", keys=", ".join(data)))
    value = value_from_data({"type": data["type"], "value": data["value"]}, name)
    if "hex" in data:
        value = _exact(value, data["hex"], name)
    default = data.get("default")
    if default is None:
        return Setting(name, value)
    typed = default if isinstance(default, dict) else {"type": data["type"], "value": default}
    return Setting(name, value, value_from_data(typed, f"{name} default"))


def _exact(value: Value, bits: str, name: str) -> Value:
    """Take the value from its bits, which have to agree with its digits."""
    number = struct.unpack(">f", bytes.fromhex(bits))[0]
    exact = Value(Kind.REAL32, number)
    both_nan = math.isnan(number) and math.isnan(value.number)
    if value.kind is not Kind.REAL32 or not (both_nan or number == value.number):
        raise DataError(t("{name}: value {value} and hex {bits} differ", name=name, value=value, bits=bits))
    return exact
