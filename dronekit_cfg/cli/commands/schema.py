"""`schema`: firmware metadata: which there is, what it says about a setting, importing more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from dronekit_cfg.cli.options import Common, Device, StateDirOption, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.text import Text

    from dronekit_cfg.catalog.store import SpecFile
    from dronekit_cfg.model import SettingSpec, Spec

__all__ = ["app", "diff", "import_file", "list_specs", "show"]

app = new_app(t("List, show, import and compare firmware metadata."), no_args_is_help=True)

_FIRMWARE = t("Which metadata, such as copter@4.7; `schema list` shows them.")


@verb(app, "list")
def list_specs(out: Output, options: Common, state_dir: StateDirOption = None) -> int:
    """List the firmware metadata there is, shipped and your own."""
    from dronekit_cfg.cli.render import simple_table

    del options
    files = _files(state_dir)
    out.document(
        "schema list",
        0,
        schemas=[
            {"family": f.family, "vehicle": f.vehicle, "version": f.version, "own": f.user, "file": str(f.path)}
            for f in files
        ],
    )
    rows = [(_name(f), f.family, t("your own") if f.user else t("shipped"), str(f.path.name)) for f in files]
    out.show(simple_table((t("Firmware"), t("Family"), t("From"), t("File")), rows))
    return 0


def _files(state_dir: Path | None) -> tuple[SpecFile, ...]:
    from dronekit_cfg.catalog.store import list_specs as stored
    from dronekit_cfg.engine.state import StateDir

    return stored(StateDir(state_dir).root / "specs")


def _name(file: SpecFile) -> str:
    return f"{file.vehicle or file.family}@{file.version}"


def _find(text: str, state_dir: Path | None) -> Spec:
    """Load the metadata that VEHICLE@VERSION or a file name means; the version may be the start of one."""
    from dataclasses import replace

    from dronekit_cfg.catalog.store import best_of

    files = _files(state_dir)
    what, _, version = text.partition("@")
    named = [f for f in files if what in (f.vehicle, f.family, f"{f.family}-{f.vehicle}")]
    fitting = [f for f in named if (f.version + ".").startswith(f"{version}.")] if version else named
    if len({(f.family, f.vehicle) for f in fitting}) == 1:
        fitting = [best_of(fitting)]
    if len(fitting) != 1:
        names = ", ".join(_name(f) for f in (fitting or files))
        problem = t("{text} may mean several", text=text) if fitting else t("there is no metadata {text}", text=text)
        raise UsageError(problem, hint=t("choose one of {names}", names=names))
    return replace(fitting[0].load(), vehicle=fitting[0].vehicle)


@verb(app)
def show(
    out: Output,
    options: Common,
    name: Annotated[str, argument(metavar="SETTING", help=t("The name of a setting."))],
    firmware: Annotated[str, option("--firmware", metavar="VEHICLE@VERSION", help=_FIRMWARE)] = "copter",
    state_dir: StateDirOption = None,
) -> int:
    """Show what the metadata says about one setting: type, range, unit, values, bits, and what makes it appear."""
    from dronekit_cfg.cli.render import facts
    from dronekit_cfg.formats.records import to_data
    from dronekit_cfg.formats.suggest import did_you_mean

    del options
    spec = _find(firmware, state_dir)
    setting = spec.settings.get(name.upper()) or spec.settings.get(name)
    if setting is None:
        hint = did_you_mean(name, spec.settings, otherwise=t("`schema list` shows what other metadata there is"))
        raise UsageError(t("{spec} has no setting {name}", spec=_title(spec), name=name), hint=hint)
    out.document("schema show", 0, firmware=_title(spec), setting=to_data(setting))
    out.show(facts([(t("setting"), setting.name), (t("firmware"), _title(spec)), *_rows(setting)], indent=0))
    return 0


def _title(spec: Spec) -> str:
    return " ".join(part for part in (spec.family, spec.vehicle, spec.version) if part)


def _rows(setting: SettingSpec) -> list[tuple[str, str | Text]]:
    flags = {
        t("read-only"): setting.read_only,
        t("changes by itself"): setting.volatile,
        t("calibration"): setting.calibration,
        t("identity"): setting.identity,
        t("takes effect after a reboot"): setting.reboot,
    }
    low, high = (f"{x:g}" if x is not None else "" for x in (setting.minimum, setting.maximum))
    return [
        (t("about"), setting.label),
        (t("type"), setting.kind.value if setting.kind else t("not known")),
        (t("range"), t("{low} to {high}", low=low or t("any"), high=high or t("any")) if low or high else ""),
        (t("unit"), setting.unit),
        (t("default"), "" if setting.default is None else str(setting.default)),
        (t("values"), "\n".join(f"{n}  {label}" for n, label in setting.values.items())),
        (t("bits"), "\n".join(f"{n}  {label}" for n, label in setting.bits.items())),
        (t("words"), ", ".join(setting.options)),
        (t("appears"), t("after {name} is set", name=setting.enabled_by) if setting.enabled_by else ""),
        (t("notes"), ", ".join(word for word, given in flags.items() if given)),
    ]


@verb(app, "import")
def import_file(
    out: Output,
    device: Device,
    file: Annotated[
        Path | None,
        argument(
            metavar="[FILE]",
            help=t(
                "apm.pdef.xml or .json, PX4 parameters.xml or .json, what `get` of Betaflight or INAV prints, "
                "an ExpressLRS tree. Without it the vehicle on --link is asked."
            ),
        ),
    ] = None,
    version: Annotated[str, option("--version", metavar="VERSION", help=t("The firmware version it belongs to."))] = "",
    vehicle: Annotated[
        str, option("--vehicle", metavar="VEHICLE", help=t("Such as copter, where the file is silent."))
    ] = "",
) -> int:
    """Import metadata from a file or from a live vehicle, so that files of that firmware version are judged by it."""
    from dronekit_cfg.catalog.store import save_user_spec
    from dronekit_cfg.engine.metadata import import_metadata, metadata_of
    from dronekit_cfg.engine.state import StateDir

    if file is not None:
        spec = import_metadata(file, version=version, vehicle=vehicle, family=device.family)
    else:
        from dronekit_cfg.cli.session import vehicle as connected

        with connected(out, device) as (connection, _):
            spec = metadata_of(connection)
    path = save_user_spec(spec, StateDir(device.state_dir).root / "specs")
    out.document("schema import", 0, firmware=_title(spec), settings=len(spec.settings), file=str(path))
    out.write_text(
        t("{spec}: {count} settings, kept in {path}", spec=_title(spec), count=len(spec.settings), path=path)
    )
    return 0


@verb(app)
def diff(
    out: Output,
    options: Common,
    a: Annotated[str, argument(metavar="A", help=_FIRMWARE)],
    b: Annotated[str, argument(metavar="B", help=_FIRMWARE)],
    state_dir: StateDirOption = None,
) -> int:
    """Show what changed between the settings of two firmware versions. Exit code 0: nothing; 1: something."""
    from dronekit_cfg.catalog.diff import compare
    from dronekit_cfg.catalog.renames import load_renames
    from dronekit_cfg.cli.render import facts, plural, simple_table

    del options
    before, after = _find(a, state_dir), _find(b, state_dir)
    found = compare(before, after, load_renames(before.family, before.vehicle))
    code = 0 if found.same else 1
    renamed: list[dict[str, Any]] = [{"old": r.old, "new": r.new, "scale": r.scale} for r in found.renamed]
    out.document(
        "schema diff",
        code,
        before=found.before,
        after=found.after,
        new=list(found.new),
        gone=list(found.gone),
        renamed=renamed,
        changed=[{"name": c.name, "parts": list(c.parts)} for c in found.changed],
    )
    if found.renamed:
        rows = [(r.old, r.new, f"x {r.scale:g}" if r.scale not in (None, 1.0) else "") for r in found.renamed]
        out.detail(simple_table((t("Old name"), t("New name"), t("Value")), rows), "")
    if found.changed:
        out.detail(simple_table((t("Changed"), t("In")), [(c.name, ", ".join(c.parts)) for c in found.changed]), "")
    out.detail(facts([(t("new"), ", ".join(found.new)), (t("gone"), ", ".join(found.gone))], indent=0), "")
    counts = [
        t("{count} new", count=len(found.new)),
        t("{count} gone", count=len(found.gone)),
        t("{count} renamed", count=len(found.renamed)),
        plural(len(found.changed), t("setting changed"), t("settings changed")),
    ]
    out.write_text(f"{found.before} to {found.after}: {', '.join(counts)}")
    return code
