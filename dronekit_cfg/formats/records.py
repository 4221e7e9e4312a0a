"""Turns the frozen dataclasses of the model into plain JSON data and back, exactly.

Fields become keys in the order in which they are declared; fields that hold their default are left out. A Value becomes
`{"type": ..., "value": ...}`. Floats are written with the shortest digits that give the same number; NaN and the
infinities, which JSON lacks, become the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from dronekit_cfg.model import Kind, Value, shortest
from dronekit_cfg.text import t

__all__ = ["DataError", "from_data", "to_data", "value_from_data", "value_to_data"]

T = TypeVar("T")

_SPECIAL = ("nan", "inf", "-inf")


class DataError(ValueError):
    """Data that does not fit the dataclass; the text names the path to it."""


def value_to_data(value: Value) -> dict[str, Any]:
    """Give `{"type", "value"}`; a REAL32 that is no finite number has a text as its value."""
    raw = value.raw
    if isinstance(raw, float):
        raw = float(shortest(raw)) if math.isfinite(raw) else str(value)
    return {"type": value.kind.value, "value": raw}


def value_from_data(data: Any, path: str = "value") -> Value:
    """Make a Value of `{"type", "value"}`. Raises DataError."""
    if not isinstance(data, Mapping) or set(data) != {"type", "value"}:
        raise DataError(t("{path} needs type and value", path=path))
    raw = data["value"]
    if raw in _SPECIAL and data["type"] == Kind.REAL32:
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise DataError(t("{path} is no value: {data}", path=path, data=dict(data)))
    try:
        return Value(Kind(data["type"]), raw)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(t("{path} is no value: {data}", path=path, data=dict(data))) from error


def to_data(obj: Any) -> Any:
    """Give plain JSON data for a dataclass of the model, or for anything that its fields may hold."""
    if isinstance(obj, Value):
        return value_to_data(obj)
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return {f.name: to_data(v) for f in dataclasses.fields(obj) if not _is_default(f, v := getattr(obj, f.name))}
    if isinstance(obj, Mapping):
        return {str(k): to_data(v) for k, v in obj.items()}
    if isinstance(obj, tuple | list):
        return [to_data(v) for v in obj]
    return _plain(obj)


def _plain(obj: Any) -> Any:
    if isinstance(obj, Enum):
        return obj.value
    return str(obj) if isinstance(obj, float) and not math.isfinite(obj) else obj


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return bool(value == field.default)


def from_data(cls: type[T], data: Any, path: str = "") -> T:
    """Make a `cls` of what `to_data` gave. Raises DataError for missing, unknown and mistyped fields."""
    made: T = _read(cls, data, path or cls.__name__.lower())
    return made


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read(wanted: Any, data: Any, path: str) -> Any:
    if wanted is Value:
        return value_from_data(data, path)
    origin = typing.get_origin(wanted)
    if origin in (types.UnionType, typing.Union):
        return _read_union(typing.get_args(wanted), data, path)
    if origin is tuple:
        return _read_tuple(typing.get_args(wanted), data, path)
    if origin is not None:
        return _read_mapping(typing.get_args(wanted), data, path)
    if dataclasses.is_dataclass(wanted):
        return _read_dataclass(wanted, data, path)
    return _read_plain(wanted, data, path)


def _read_plain(wanted: Any, data: Any, path: str) -> Any:
    if issubclass(wanted, Enum):
        try:
            return wanted(data)
        except ValueError as error:
            raise DataError(t("{path}: {data} is not known", path=path, data=data)) from error
    if wanted is float and data in _SPECIAL:
        return float(data)
    if wanted is float and isinstance(data, int) and not isinstance(data, bool):
        return data
    if wanted is type(None) and data is None:
        return None
    if type(data) is not wanted:
        raise DataError(t("{path}: {data} does not fit", path=path, data=repr(data)[:40]))
    return data


def _read_union(options: tuple[Any, ...], data: Any, path: str) -> Any:
    if type(data) in options or (isinstance(data, bool) and int in options):
        return data
    errors = []
    for option in (o for o in options if o is not type(None)):
        try:
            return _read(option, data, path)
        except DataError as error:
            errors.append(error)
    raise errors[-1]


def _read_tuple(items: tuple[Any, ...], data: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise DataError(t("{path} is not a list", path=path))
    wanted = [items[0]] * len(data) if items[-1:] == (...,) else list(items)
    if len(wanted) != len(data):
        raise DataError(t("{path} does not have {count} items", path=path, count=len(wanted)))
    return tuple(_read(w, d, f"{path}[{i}]") for i, (w, d) in enumerate(zip(wanted, data, strict=True)))


def _read_mapping(items: tuple[Any, ...], data: Any, path: str) -> dict[Any, Any]:
    if not isinstance(data, dict):
        raise DataError(t("{path} is not a mapping", path=path))
    key = int if items[0] is int else str
    return {key(k): _read(items[1], v, f"{path}.{k}") for k, v in data.items()}


def _read_dataclass(cls: Any, data: Any, path: str) -> Any:
    if not isinstance(data, dict):
        raise DataError(t("{path} is not a mapping", path=path))
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in data:
        if key not in fields:
            raise DataError(t('{path}: unknown key "{key}"', path=path, key=key))
    for name, field in fields.items():
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and name not in data:
            raise DataError(t('{path}: "{key}" is missing', path=path, key=name))
    hints = _hints(cls)
    return cls(**{k: _read(hints[k], v, f"{path}.{k}") for k, v in data.items()})
