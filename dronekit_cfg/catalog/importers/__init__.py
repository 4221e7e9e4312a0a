"""Vendor metadata into a spec: which importer fits a file is told by its content, not by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dronekit_cfg.catalog.enabled_by import with_enablers
from dronekit_cfg.catalog.importers import ardupilot_pdef, px4_json
from dronekit_cfg.catalog.importers._source import parse_json, read_bytes
from dronekit_cfg.catalog.importers.typed import TypeFact, types_from_json, types_from_snapshot, with_types
from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Spec
from dronekit_cfg.text import t

__all__ = [
    "TypeFact",
    "import_spec",
    "parse_json",
    "read_bytes",
    "types_from_json",
    "types_from_snapshot",
    "with_types",
]


def import_spec(path: Path, *, version: str, vehicle: str = "") -> Spec:
    """Import a vendor's metadata file (`apm.pdef.xml|json`, PX4 `parameters.xml|json`, also as .gz or .xz).

    `version` is the firmware version the file belongs to; `vehicle` is needed where the file does not tell it. Names
    that the file still documents although this firmware renamed them are left out. Raises MetadataError.
    """
    data, file = read_bytes(path), str(path)
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        if b"<paramfile" in start:
            spec = ardupilot_pdef.import_xml(data, version=version, vehicle=vehicle, file=file)
        else:
            spec = px4_json.import_xml(data, version=version, file=file)
    elif start.startswith(b"{"):
        content = parse_json(data, file)
        if isinstance(content.get("parameters"), list):
            spec = px4_json.import_json(data, version=version, file=file)
        else:
            spec = ardupilot_pdef.import_json(data, version=version, vehicle=vehicle, file=file)
    else:
        raise MetadataError(
            t("{file}: neither XML nor JSON", file=file),
            hint=t("give apm.pdef.xml, apm.pdef.json, parameters.xml or parameters.json of the firmware"),
        )
    return with_enablers(_without_renamed(spec)) if spec.family == "ardupilot" else spec


def _without_renamed(spec: Spec) -> Spec:
    """Drop old names of settings that are documented under their new name too: the vendor keeps some for a while."""
    renames = load_renames(spec.family, spec.vehicle)
    old = {entry.old for entry in renames.mixed(spec.settings.keys())} if renames else set()
    return replace(spec, settings={n: s for n, s in spec.settings.items() if n not in old}) if old else spec
