"""Reading vendor metadata files safely: packed or not, never too large, never with XML entities."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from xml.parsers.expat import ExpatError

from dronekit_cfg.catalog.codec import reading
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["LIMIT", "parse_json", "parse_xml", "read_bytes"]

LIMIT = 64 * 1024 * 1024
"""Largest unpacked metadata that is read, in bytes; the largest known one (all ArduPilot vehicles) has 8 MB."""


def read_bytes(path: Path) -> bytes:
    """Read a file and unpack gzip or xz, told by its first bytes. Raises MetadataError."""
    with reading(path, t("download the metadata again")), path.open("rb") as raw:
        start = raw.read(2)
        raw.seek(0)
        try:
            data = _unpacked(raw, start).read(LIMIT + 1)
        except lzma.LZMAError as e:
            raise EOFError(str(e)) from e
    if len(data) > LIMIT:
        raise MetadataError(
            t("{file}: larger than {limit} MB, so it is no firmware metadata", file=path, limit=LIMIT >> 20),
            hint=t("give apm.pdef.xml, apm.pdef.json, parameters.xml or parameters.json of the firmware"),
        )
    return data


def _unpacked(raw: IO[bytes], start: bytes) -> IO[bytes]:
    if start == b"\x1f\x8b":
        return cast("IO[bytes]", gzip.open(raw))
    return cast("IO[bytes]", lzma.open(raw)) if start == b"\xfd7" else raw


def parse_xml(data: bytes, file: str) -> Element:
    """Parse XML without DTD, entities or external references. Raises MetadataError with file:line:col."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        return parser.close()
    except DefusedXmlException as e:
        expat: Any = parser.parser
        raise MetadataError(
            t("{file}:{line}: XML with a DTD or entities is refused", file=file, line=expat.CurrentLineNumber),
            hint=t("real firmware metadata has none; take the file from the firmware's own server"),
        ) from e
    except (ParseError, ExpatError) as e:
        line, column = e.position if isinstance(e, ParseError) else (e.lineno, e.offset)
        raise MetadataError(
            t("{file}:{line}:{column}: not well-formed XML ({why})", file=file, line=line, column=column + 1, why=e),
            hint=t("the file is damaged or cut short: download it again"),
        ) from e


def parse_json(data: bytes, file: str) -> Any:
    """Parse JSON. Raises MetadataError with file:line:col."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as e:
        raise MetadataError(
            t("{file}:{line}:{column}: not valid JSON ({why})", file=file, line=e.lineno, column=e.colno, why=e.msg),
            hint=t("the file is damaged or cut short: download it again"),
        ) from e
    except (UnicodeDecodeError, RecursionError) as e:
        raise MetadataError(
            t("{file}: not valid JSON ({why})", file=file, why=e), hint=t("download the file again")
        ) from e
