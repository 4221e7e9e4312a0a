"""`convert`: from one settings file format to another, without losing a bit of a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Offline, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.formats.param_file import ParamEntry
    from dronekit_cfg.formats.read_any import SettingsFile

__all__ = ["app", "convert"]

app = new_app()

TARGETS: Mapping[str, str] = {
    ".param": "mission-planner",
    ".parm": "mavproxy",
    ".params": "qgc",
    ".yaml": "profile",
    ".yml": "profile",
    ".txt": "diff",
}
"""What the ending of the output file means without --to."""
TEXTS = ("diff", "dump")
"""Scripts for the command line of Betaflight and INAV."""


@verb(app)
def convert(
    out: Output,
    options: Offline,
    source: Annotated[str, argument(metavar="IN", help=t("A settings file of any format, lock or profile."))],
    target: Annotated[
        Path, argument(metavar="OUT", help=t("The file to write: .param, .parm, .params, .yaml or .txt."))
    ],
    to: Annotated[
        str,
        option(
            "--to",
            metavar="FORMAT",
            help=t("mission-planner, mavproxy, qgc, profile, diff or dump; else OUT's ending tells."),
        ),
    ] = "",
    firmware: Annotated[
        str,
        option(
            "--firmware",
            metavar="FAMILY@VERSION",
            help=t("Carry the settings over to the names and units of this version, such as betaflight@2025.12."),
        ),
    ] = "",
) -> int:
    """Convert between settings file formats.

    Mission Planner, MAVProxy and QGroundControl files, profile YAML, and for Betaflight and INAV the text that their
    command line takes (`diff all`, `dump all`).
    """
    from dronekit_cfg.cli.carried import carried_source
    from dronekit_cfg.cli.cli_text import cli_text
    from dronekit_cfg.cli.foreign import foreign_message
    from dronekit_cfg.cli.render import plural, some
    from dronekit_cfg.cli.settings import read_source
    from dronekit_cfg.formats.files import write_atomic
    from dronekit_cfg.formats.param_write import beyond_float32

    kind = _kind(target, to)
    found = read_source(source, options)
    notes: list[str] = []
    if options.family and found.family not in (None, options.family):
        raise UsageError(
            foreign_message(source, found.family, options.family, found.settings),
            hint=t("settings of {family} cannot be those of another firmware", family=found.family),
        )
    if firmware:
        found, notes = carried_source(found, firmware, source)
    if target.exists() and not out.yes:
        raise UsageError(t("{file} exists", file=target), hint=t("choose another name, or add --yes to replace it"))
    if kind == "profile":
        text, left_out = _profile_text(found, target)
        notes += [t("left out, because it belongs to one unit: {names}", names=some(left_out))] if left_out else []
    elif kind in TEXTS:
        text = cli_text(found, whole=kind == "dump")
    else:
        _require_parameters(found)
        text = _param_text(found, kind)
    write_atomic(target, text)
    warnings = [*notes, *(str(w) for w in found.warnings)]
    if kind not in {"profile", *TEXTS} and (changed := beyond_float32(_entries(found))):
        warnings.append(t("ground stations carry every value as float32 and would change {names}", names=some(changed)))
    out.document(
        "convert",
        0,
        source=source,
        source_format=found.kind,
        target=str(target),
        target_format=kind,
        settings=len(found.settings),
        warnings=warnings,
    )
    for warning in warnings:
        out.say(t("warning: {text}", text=warning))
    count = plural(len(found.settings), t("setting"), t("settings"))
    out.write_text(t("{count} written to {file} ({format})", count=count, file=target, format=kind))
    return 0


def _kind(target: Path, to: str) -> str:
    known = sorted({*TARGETS.values(), *TEXTS})
    if to and to not in known:
        raise UsageError(
            t("--to {format} is not known", format=to), hint=t("choose one of {names}", names=", ".join(known))
        )
    kind = to or TARGETS.get(target.suffix.lower(), "")
    if target.suffix.lower() == ".json" and not to:
        raise UsageError(
            t("{file}: a snapshot can only come from a vehicle", file=target),
            hint=t("use `dronekit-cfg snapshot`, or write .param, .parm, .params, .yaml or .txt"),
        )
    if not kind:
        raise UsageError(
            t("{file}: its ending does not tell the format", file=target),
            hint=t("add --to with one of {names}", names=", ".join(known)),
        )
    return kind


def _require_parameters(found: SettingsFile) -> None:
    from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES

    if found.family in CLI_FAMILIES:
        raise UsageError(
            t("settings of {family} fit into no parameter file", family=found.family),
            hint=t("write .txt for its command line, or .yaml for a profile"),
        )


def _param_text(found: SettingsFile, kind: str) -> str:
    from dronekit_cfg.formats.param_file import Dialect
    from dronekit_cfg.formats.param_write import write_params, write_qgc

    if kind == Dialect.QGC and found.snapshot is None and found.family == "px4":
        return write_qgc(_entries(found), header={"Stack": "PX4 Pro"})
    return write_params(Dialect(kind), found.snapshot or _entries(found))


def _entries(found: SettingsFile) -> Sequence[ParamEntry]:
    """Give the settings as lines of a parameter file. Raises UsageError for texts."""
    from dronekit_cfg.cli.settings import as_value
    from dronekit_cfg.formats.param_file import ParamEntry
    from dronekit_cfg.formats.param_write import entries_of
    from dronekit_cfg.model import Value

    if found.snapshot:
        return entries_of(found.snapshot)
    if found.params:
        return _typed(found.params.by_name.values(), found.family)
    entries = []
    for name, given in found.settings.items():
        value = as_value(given)
        if isinstance(value.raw, str):
            raise UsageError(
                t("{name} is a text, which a parameter file cannot hold", name=name),
                hint=t("parameter files are for ArduPilot and PX4"),
            )
        entries.append(ParamEntry(name, str(value), value.raw, value.kind if isinstance(given, Value) else None))
    return _typed(entries, found.family)


def _typed(entries: Iterable[ParamEntry], family: str | None) -> tuple[ParamEntry, ...]:
    """Fill in types that the file does not tell, where the firmware's metadata does for all versions (PX4)."""
    from dataclasses import replace

    from dronekit_cfg.catalog.store import list_specs, spec_for

    listed = [s.version for s in list_specs() if s.family == family] if family == "px4" else []
    spec = spec_for("px4", "copter", listed[-1]) if listed else None
    if spec is None:
        return tuple(entries)
    return tuple(
        e if e.kind is not None or (known := spec.settings.get(e.name)) is None else replace(e, kind=known.kind)
        for e in entries
    )


def _profile_text(found: SettingsFile, target: Path) -> tuple[str, list[str]]:
    """Give a profile that sets all that the source holds; a start to be cut down and given reasons.

    Of the text CLI families, lines that belong to one unit or are not known are left out: their names come second.
    """
    import json

    from dronekit_cfg.cli.settings import as_value

    if found.kind == "profile":
        raise UsageError(
            t("the source is a profile already"), hint=t("copy the file, or use `dronekit-cfg profile lock`")
        )
    family = found.family or "ardupilot"
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in target.stem.lower()).strip("-") or "profile"
    lines = ["format: dronekit-cfg/profile/v1", f"name: {name}", "version: 0.1.0", f"family: {family}"]
    identity = found.snapshot.identity if found.snapshot else None
    if identity and identity.vehicle:
        lines.append(f"vehicle: {identity.vehicle}")
    lines.append("settings:")
    left_out = _of_one_unit(found)
    for setting in sorted(found.settings.keys() - set(left_out)):
        value = as_value(found.settings[setting])
        lines.append(f"  {setting}: {json.dumps(value.raw) if isinstance(value.raw, str) else value}")
    return "\n".join(lines) + "\n", left_out


def _of_one_unit(found: SettingsFile) -> list[str]:
    from dronekit_cfg.cli.session import offline_policy
    from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES

    if found.family not in CLI_FAMILIES:
        return []
    policy = offline_policy(found.family)
    return [name for name in found.settings if policy.protected(name)]
