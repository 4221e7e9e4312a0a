"""Spec files: metadata of one firmware version, small on disk and quick to load.

A file is packed JSON (gzip or xz, told by its first bytes). Tables of labels that many settings share are stored once,
and a setting becomes a short row that is turned into a `SettingSpec` when it is first asked for: loading 5,000 settings
to look at 60 of them costs little more than unpacking.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Kind, SettingSpec, Spec
from dronekit_cfg.text import t

__all__ = ["FORMAT", "dump", "load", "pack", "reading", "unpack"]

FORMAT = "dronekit-cfg/spec/v1"

_FLAGS = ("read_only", "volatile", "calibration", "identity", "reboot")
_LIMIT = 32 * 1024 * 1024

Row = list[Any]


class _Rows(Mapping[str, SettingSpec]):
    """Settings by name, each built from its row when it is first asked for."""

    def __init__(self, rows: Mapping[str, Row], tables: list[dict[str, str]]) -> None:
        self._rows = rows
        self._tables = tables
        self._built: dict[str, SettingSpec] = {}
        self._labels: dict[int, dict[int, str]] = {0: {}}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> SettingSpec:
        found = self._built.get(name)
        if found is None:
            found = self._built[name] = self._build(name, self._rows[name])
        return found

    def _table(self, index: int) -> dict[int, str]:
        labels = self._labels.get(index)
        if labels is None:
            labels = self._labels[index] = {int(k): v for k, v in self._tables[index - 1].items()}
        return labels

    def _build(self, name: str, row: Row) -> SettingSpec:
        kind, unit, low, high, step, values, bits, flags, default, enabled_by, *extra = row + [None] * (10 - len(row))
        label, options = extra or ("", ())
        flags = flags or 0
        return SettingSpec(
            name,
            kind=Kind(kind) if kind else None,
            label=label,
            unit=unit or "",
            minimum=low,
            maximum=high,
            increment=step,
            values=self._table(values or 0),
            bits=self._table(bits or 0),
            options=tuple(options),
            default=default,
            enabled_by=enabled_by or "",
            **{flag: bool(flags & (1 << i)) for i, flag in enumerate(_FLAGS)},
        )


def pack(spec: Spec) -> bytes:
    """Give `spec` as JSON, not yet packed. Raises ValueError on NaN."""
    tables: dict[str, int] = {}
    rows = {name: _row(setting, tables) for name, setting in sorted(spec.settings.items())}
    content = {
        "format": FORMAT,
        "family": spec.family,
        "vehicle": spec.vehicle,
        "version": spec.version,
        "source": spec.source,
        "tables": [json.loads(text) for text in tables],
        "settings": rows,
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _row(setting: SettingSpec, tables: dict[str, int]) -> Row:
    def table(labels: Mapping[int, str]) -> int:
        if not labels:
            return 0
        text = json.dumps({str(k): labels[k] for k in sorted(labels)}, ensure_ascii=False)
        return tables.setdefault(text, len(tables) + 1)

    flags = sum(1 << i for i, flag in enumerate(_FLAGS) if getattr(setting, flag))
    numbers = [_short(n) for n in (setting.minimum, setting.maximum, setting.increment)]
    row: Row = [setting.kind.value if setting.kind else None, setting.unit or None, *numbers]
    row += [table(setting.values), table(setting.bits), flags, _short(setting.default), setting.enabled_by or None]
    if setting.label or setting.options:
        return [*row, setting.label, list(setting.options)]
    while row and not row[-1] and row[-1] != 0.0:
        row.pop()
    return row


def _short(value: float | str | None) -> float | str | None:
    """Write 5.0 as 5."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def unpack(data: bytes, file: str = "") -> Spec:
    """Read what `pack` gave. Raises MetadataError when it is something else, or damaged."""
    try:
        content = json.loads(data)
    except ValueError as e:
        raise _damaged(file, str(e)) from e
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else None
        raise _damaged(file, t("its format is {found} and not {wanted}", found=found, wanted=FORMAT))
    rows, tables = content.get("settings"), content.get("tables")
    if not isinstance(rows, dict) or not isinstance(tables, list):
        raise _damaged(file, t("it has no settings"))
    family, vehicle, version, source = (str(content.get(k, "")) for k in ("family", "vehicle", "version", "source"))
    return Spec(family, vehicle, version, _Rows(rows, tables), source=source)


def _damaged(file: str, why: str) -> MetadataError:
    return MetadataError(
        t("{file}: no spec file that can be read: {why}", file=file, why=why),
        hint=t("import the vendor's metadata again with this version of dronekit-cfg"),
    )


def dump(spec: Spec, path: Path) -> None:
    """Write a spec file; `.xz` is packed by xz and anything else by gzip. The same spec gives the same bytes."""
    data = pack(spec)
    if path.suffix == ".xz":
        import lzma

        path.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    else:
        path.write_bytes(gzip.compress(data, compresslevel=9, mtime=0))


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """Turn what goes wrong with a packed file into MetadataError; `remedy` is for a damaged one."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise MetadataError(
            t("{file}: the packed file is damaged or cut short ({why})", file=path, why=e), hint=remedy
        ) from e
    except OSError as e:
        raise MetadataError(
            t("{file}: cannot be read ({why})", file=path, why=e.strerror or e),
            hint=t("check the path and its permissions"),
        ) from e


def load(path: Path) -> Spec:
    """Read a spec file. Raises MetadataError with the reason."""
    with reading(path, t("delete it and import the metadata again")):
        packed = path.read_bytes()
        data = _inflate(packed) if packed[:2] == b"\x1f\x8b" else _inflate_xz(packed)
    return unpack(data, str(path))


def _inflate(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    data = inflater.decompress(packed, _LIMIT)
    if inflater.unconsumed_tail or not inflater.eof:
        raise EOFError("incomplete or too large")
    return data


def _inflate_xz(packed: bytes) -> bytes:
    import lzma

    inflater = lzma.LZMADecompressor()
    try:
        data = inflater.decompress(packed, _LIMIT)
    except lzma.LZMAError as e:
        raise EOFError(str(e)) from e
    if not inflater.eof:
        raise EOFError("incomplete or too large")
    return data
