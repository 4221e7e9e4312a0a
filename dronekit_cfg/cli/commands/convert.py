"""`convert`: from one settings file format to another, without losing a bit of a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
}
"""What the ending of the output file means without --to."""


@verb(app)
def convert(
    out: Output,
    options: Offline,
    source: Annotated[str, argument(metavar="IN", help=t("A snapshot, parameter file, lock or profile."))],
    target: Annotated[Path, argument(metavar="OUT", help=t("The file to write: .param, .parm, .params or .yaml."))],
    to: Annotated[
        str,
        option("--to", metavar="FORMAT", help=t("mission-planner, mavproxy, qgc or profile; else OUT's ending tells.")),
    ] = "",
) -> int:
    """Convert between settings file formats: Mission Planner, MAVProxy, QGroundControl, and profile YAML."""
    from dronekit_cfg.cli.render import plural, some
    from dronekit_cfg.cli.settings import read_source
    from dronekit_cfg.formats.files import write_atomic
    from dronekit_cfg.formats.param_write import beyond_float32

    kind = _kind(target, to)
    found = read_source(source, options)
    if target.exists() and not out.yes:
        raise UsageError(t("{file} exists", file=target), hint=t("choose another name, or add --yes to replace it"))
    text = _profile_text(found, target) if kind == "profile" else _param_text(found, kind)
    write_atomic(target, text)
    warnings = [str(w) for w in found.warnings]
    if kind != "profile" and (changed := beyond_float32(_entries(found))):
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
    known = sorted({*TARGETS.values()})
    if to and to not in known:
        raise UsageError(
            t("--to {format} is not known", format=to), hint=t("choose one of {names}", names=", ".join(known))
        )
    kind = to or TARGETS.get(target.suffix.lower(), "")
    if target.suffix.lower() == ".json" and not to:
        raise UsageError(
            t("{file}: a snapshot can only come from a vehicle", file=target),
            hint=t("use `dronekit-cfg snapshot`, or write .param, .parm, .params or .yaml"),
        )
    if not kind:
        raise UsageError(
            t("{file}: its ending does not tell the format", file=target),
            hint=t("add --to with one of {names}", names=", ".join(known)),
        )
    return kind


def _param_text(found: SettingsFile, kind: str) -> str:
    from dronekit_cfg.formats.param_file import Dialect
    from dronekit_cfg.formats.param_write import write_params

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
        return tuple(found.params.by_name.values())
    entries = []
    for name, given in found.settings.items():
        value = as_value(given)
        if isinstance(value.raw, str):
            raise UsageError(
                t("{name} is a text, which a parameter file cannot hold", name=name),
                hint=t("parameter files are for ArduPilot and PX4"),
            )
        entries.append(ParamEntry(name, str(value), value.raw, value.kind if isinstance(given, Value) else None))
    return tuple(entries)


def _profile_text(found: SettingsFile, target: Path) -> str:
    """Give a profile that sets all that the source holds; a start to be cut down and given reasons."""
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
    for setting in sorted(found.settings):
        value = as_value(found.settings[setting])
        lines.append(f"  {setting}: {json.dumps(value.raw) if isinstance(value.raw, str) else value}")
    return "\n".join(lines) + "\n"
