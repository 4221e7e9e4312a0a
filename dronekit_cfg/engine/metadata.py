"""Metadata of one firmware version from any source: a vendor's file, what a CLI told, a module's tree, a vehicle.

ArduPilot and PX4 publish files, which the catalog reads. Betaflight and INAV publish none: their own `get` tells ranges
and allowed values, and `dump all` at least the names. An ExpressLRS module tells its tree of parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dronekit_cfg.catalog.importers import import_spec, parse_json, read_bytes
from dronekit_cfg.errors import MetadataError, UsageError
from dronekit_cfg.formats.cli_dump import detect_family, parse, parse_header
from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES, Dialect, load_dialect
from dronekit_cfg.formats.cli_dump_get import Got, parse_get, typed
from dronekit_cfg.formats.cli_dump_settings import address
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import SettingSpec, Spec
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection

__all__ = ["import_metadata", "metadata_of"]

_GET = re.compile(rb"^(?:Allowed (?:range|values): |Array length: |String length: )", re.MULTILINE)
_DUMP = re.compile(rb"^(?:# )?(?:set [a-z0-9_]+ = |# (?:Betaflight|INAV|Cleanflight) ?/)", re.MULTILINE)
_DIFF = re.compile(r"^defaults( nosave| noreboot)?\s*$", re.MULTILINE)


def import_metadata(path: Path, *, version: str = "", vehicle: str = "", family: str = "") -> Spec:
    """Read a file of metadata of any known kind, told by its content.

    `version` is needed where the file is silent (all but CLI output with its version line, and trees); `family` for CLI
    output without that line. Raises MetadataError with file:line:col, and UsageError for what has to be said.
    """
    data = read_bytes(path)
    if _GET.search(data) or _DUMP.search(data):
        return _from_cli(data, str(path), version, family)
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"elrs"' in data[:4096]:
        return _from_tree(parse_json(data, str(path)), str(path), version)
    if not version:
        raise UsageError(
            t("the file does not tell its firmware version"), hint=t("add --version, for example --version 4.6.3")
        )
    return import_spec(path, version=version, vehicle=vehicle)


def metadata_of(connection: Connection) -> Spec:
    """Ask a connected vehicle or module. Raises MetadataError where it carries none (ArduPilot)."""
    spec = connection.run(connection.driver.spec())
    if spec is None:
        raise MetadataError(
            t("this {family} vehicle carries no metadata", family=connection.identity.family),
            hint=t(
                "import the file that belongs to its firmware: `schema import {file} --version {version}`",
                file="parameters.json" if connection.identity.family == "px4" else "apm.pdef.xml",
                version=connection.identity.version,
            ),
        )
    # One build of a CLI family serves every kind of vehicle.
    return replace(spec, vehicle="") if spec.family in CLI_FAMILIES else spec


def _from_cli(data: bytes, file: str, version: str, family: str) -> Spec:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise MetadataError(
            t("{file}:{line}:1: byte {byte} is no text", file=file, line=line, byte=e.start),
            hint=t("save the output of the CLI as a text file"),
        ) from e
    header = parse_header(text)
    family = family or detect_family(text)
    if family not in CLI_FAMILIES:
        raise UsageError(
            t("{file} does not tell whether it is of Betaflight or INAV", file=file),
            hint=t("add --family betaflight or --family inav, or put the output of `version` before it"),
        )
    if header and not version:
        version = pep440(header.version)
    if not version:
        raise UsageError(
            t("{file} does not tell its firmware version", file=file),
            hint=t("add --version, or put the output of `version` before that of `get`"),
        )
    dialect = load_dialect(family)
    # Betaflight tells a default only where the value is another one; INAV never does.
    found = parse_get(text, default_is_value=family == "betaflight") if _GET.search(data) else {}
    settings = {name: _told(got, dialect) for name, got in found.items()} if found else _named(text, file, dialect)
    if not settings:
        raise MetadataError(
            t("{file}: no setting is told here", file=file), hint=t("save the output of `version` and `get`")
        )
    what = "get" if found else "dump all"
    return Spec(
        family,
        "",
        version,
        settings,
        source=t("`{what}` of {family} {version}", what=what, family=family, version=version),
    )


def _told(got: Got, dialect: Dialect) -> SettingSpec:
    kind = dialect.protected_kind(got.name)
    default = typed(got.default, got).raw if got.default is not None else None
    return SettingSpec(
        got.name,
        got.kind,
        minimum=got.minimum,
        maximum=got.maximum,
        options=got.options,
        default=default,
        read_only=kind == "read-only",
        volatile=kind == "volatile",
        calibration=kind == "calibration",
        identity=kind == "identity",
    )


def _named(text: str, file: str, dialect: Dialect) -> dict[str, SettingSpec]:
    """Take the names of a `dump all`: its values are those of one board, so they are no facts about the firmware."""
    if _DIFF.search(text):
        raise MetadataError(
            t("{file}: this is a diff, which leaves out what is at its default", file=file),
            hint=t("save the output of `version` and `get`, or at least of `dump all`"),
        )
    names: dict[str, SettingSpec] = {}
    for name in parse(text, dialect).settings:
        try:
            where = address(name, dialect) if not name.startswith("line.") else None
        except ValueError as error:
            raise MetadataError(
                t("{file}: {error}", file=file, error=error),
                hint=t("save the output of `version` and `dump all` again"),
            ) from error
        if where and where.kind == "set":
            names.setdefault(where.base, SettingSpec(where.base))
    return names


def _from_tree(content: Any, file: str, version: str) -> Spec:
    """Read a tree: {"elrs": "3.5.1", "vehicle": "tx", "parameters": [{number, parent, name, type, options...}]}.

    The fields are those of a CRSF parameter entry; type is "SELECTION", "FOLDER", "UINT8" and so on, in capitals.
    """
    from dronekit_cfg.families.elrs.tree import paths, spec
    from dronekit_cfg.wire.crsf import Entry, EntryType

    rows = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise _no_tree(file, t('"parameters" is no list'))
    entries: list[Entry] = []
    for place, row in enumerate(rows, 1):
        try:
            entries.append(_entry(row, Entry, EntryType))
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise _no_tree(file, t("parameter {place}: {why}", place=place, why=e)) from e
    settings = {path: spec(path, entry) for path, entry in paths(entries).items()}
    if not settings:
        raise _no_tree(file, t("it has no setting"))
    told = version or str(content.get("elrs") or "")
    if not re.fullmatch(r"\d[0-9a-z.]*", told):
        raise UsageError(t("{file} does not tell its firmware version", file=file), hint=t("add --version"))
    return Spec(
        "elrs",
        str(content.get("vehicle") or "tx"),
        told,
        settings,
        source=t("parameter tree of ELRS {version}", version=told),
    )


def _entry(row: Mapping[str, Any], entry: Any, kinds: Any) -> Any:
    options = row.get("options", [])
    if not (isinstance(row["name"], str) and isinstance(options, list) and all(isinstance(o, str) for o in options)):
        raise TypeError(t("name and options are texts"))
    return entry(
        number=int(row["number"]),
        parent=int(row.get("parent", 0)),
        type=kinds[row["type"]],
        hidden=bool(row.get("hidden", False)),
        name=row["name"],
        options=tuple(options),
        low=int(row.get("low", 0)),
        high=int(row.get("high", 0)),
        unit=str(row.get("unit", "")),
    )


def _no_tree(file: str, why: str) -> MetadataError:
    return MetadataError(
        t("{file}: this is no parameter tree of an ExpressLRS module: {why}", file=file, why=why),
        hint=t("`schema import --link URL` reads the tree from the module itself"),
    )
