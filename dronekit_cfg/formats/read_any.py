"""Reads settings from any file this tool knows, by content first and by name second: for diff, convert and validate.

`FORMATS` is the table of what is known, asked in order; a new format is one more row with a sniffer and a reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.cli_dump_file import is_cli_dump, read_cli_dump
from dronekit_cfg.formats.files import decode, is_html, lines_of, read_bytes
from dronekit_cfg.formats.library import Library, is_path
from dronekit_cfg.formats.lock import load_lock
from dronekit_cfg.formats.machine_json import format_of
from dronekit_cfg.formats.param_family import family_of_names
from dronekit_cfg.formats.param_file import Dialect, ParamFile
from dronekit_cfg.formats.param_text import detect_dialect, parse_params
from dronekit_cfg.formats.px4_script import is_px4_storage, is_script, parse_script
from dronekit_cfg.formats.snapshot_json import load_snapshot
from dronekit_cfg.model import Resolved, Scalar, Snapshot, Value
from dronekit_cfg.text import t

__all__ = ["FORMATS", "Format", "SettingsFile", "Source", "detect_format", "read_settings", "snapshot_of"]


@dataclass(frozen=True)
class SettingsFile:
    """Settings from a file: a Value where the file tells the type, else a plain number or text.

    `kind` is a name of `FORMATS`, `family` None where the file does not tell it. `lines` gives the 1-based line of each
    setting where it is known. The one of `snapshot`, `resolved` and `params` that the file is, is set; the output of
    `diff all` or `dump all` is a `snapshot` too where its header tells whose it is. `only_changes`: what is at its
    default is left out (`diff all`).
    """

    kind: str
    family: str | None
    settings: Mapping[str, Value | Scalar]
    lines: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    snapshot: Snapshot | None = None
    resolved: Resolved | None = None
    params: ParamFile | None = None
    only_changes: bool = False


@dataclass(frozen=True)
class Source:
    """What a reader gets: the file's text, its path, and what a profile needs to be resolved."""

    text: str
    path: Path
    library: Library | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """One known format: its name, whether a text (with its file's name) is one, and how settings are read from it."""

    kind: str
    sniff: Callable[[str, str], bool]
    read: Callable[[Source], SettingsFile]


def detect_format(path: Path, text: str) -> str:
    """Give the name of the first format of `FORMATS` that fits. Raises FileProblems when none does."""
    return _format(path, text).kind


def read_settings(
    path: Path, *, library: Library | None = None, inputs: Mapping[str, str] | None = None
) -> SettingsFile:
    """Read the settings of a file of any known format; profiles are resolved with `library` and `inputs`.

    Raises UsageError when it cannot be read, and FileProblems with everything that is wrong in it.
    """
    data = read_bytes(path)
    if is_px4_storage(data):
        hint = t("save the settings with a ground station, or take a snapshot of the vehicle")
        raise FileProblems((Problem(str(path), 0, 0, t("this is PX4's own storage file (BSON), not read here"), hint),))
    text = decode(data, str(path))
    return _format(path, text).read(Source(text, path, library, inputs or {}))


def snapshot_of(path: Path) -> SettingsFile:
    """Read a file that is a whole vehicle: a snapshot, or the text of `diff all` or `dump all`; `snapshot` is set.

    Raises UsageError, and FileProblems when the file is something else or does not say which firmware wrote it.
    """
    found = read_settings(path)
    if found.snapshot is not None:
        return found
    if found.kind == "cli-dump":
        message = t("the file does not say which firmware wrote it")
        hint = t("save the whole output of `diff all` or `dump all`, its first lines included")
    else:
        message = t("this is no snapshot of a vehicle, but a file of the format {kind}", kind=found.kind)
        if found.family:
            message += t(", of {family}", family=found.family)
        hint = t("take one with `dronekit-cfg snapshot`; Betaflight and INAV: `diff all` or `dump all` as text")
    raise FileProblems((Problem(str(path), 1, 1, message, hint),))


def _format(path: Path, text: str) -> Format:
    if is_html(text):
        hint = t("the download saved an error page: open the link in a browser, then save the raw file")
        raise FileProblems((Problem(str(path), 1, 1, t("this is a web page (HTML), not a settings file"), hint),))
    found = next((f for f in FORMATS if f.sniff(text, path.name)), None)
    if found:
        return found
    message = t("this is no file of settings that is known here")
    other = format_of(text).partition("/")[0]
    if other:
        message = t("this is a {what} file, which holds no settings to read", what=other)
    kinds = ", ".join(f.kind for f in FORMATS)
    raise FileProblems((Problem(str(path), 1, 1, message, t("known are: {kinds}", kinds=kinds)),))


def _read_snapshot(source: Source) -> SettingsFile:
    snapshot = load_snapshot(source.text, str(source.path))
    settings = {s.name: s.value for s in snapshot.settings}
    named = re.compile(r'\{"name": "([^"]+)"')
    lines = {m[1]: i for i, line in enumerate(lines_of(source.text), 1) if (m := named.match(line))}
    return SettingsFile("snapshot", snapshot.identity.family, settings, lines, snapshot=snapshot)


def _read_lock(source: Source) -> SettingsFile:
    return _of_resolved("lock", load_lock(source.text, str(source.path)), source)


def _read_profile(source: Source) -> SettingsFile:
    from dronekit_cfg.formats.compose import resolve  # loads YAML, which no other format needs

    name = str(source.path)
    stack = name if is_path(name) else str(source.path.absolute())
    return _of_resolved("profile", resolve(stack, source.library or Library(), inputs=source.inputs), source)


def _of_resolved(kind: str, resolved: Resolved, source: Source) -> SettingsFile:
    settings = {w.name: w.value for w in resolved.settings}
    lines = {w.name: w.origin.line for w in resolved.settings if w.origin.file == str(source.path)}
    return SettingsFile(kind, resolved.family, settings, lines, resolved=resolved)


def _read_params(dialect: Dialect) -> Callable[[Source], SettingsFile]:
    def read(source: Source) -> SettingsFile:
        params = parse_params(source.text, str(source.path), dialect=dialect)
        if params.problems:
            raise FileProblems(params.problems)
        settings: dict[str, Value | Scalar] = {n: e.value() if e.kind else e.number for n, e in params.by_name.items()}
        lines = {n: e.line for n, e in params.by_name.items()}
        family = _FAMILIES.get(params.header.get("Stack", "").split(" ")[0].casefold())
        family = family or family_of_names(settings)
        return SettingsFile(dialect.value, family, settings, lines, params.warnings, params=params)

    return read


_FAMILIES = {"ardupilot": "ardupilot", "px4": "px4"}
"""First word of QGroundControl's `# Stack:` line to our family."""


def _read_script(source: Source) -> SettingsFile:
    script = parse_script(source.text, str(source.path))
    return SettingsFile("px4-script", "px4", dict(script.settings), script.lines, script.warnings)


def _read_dump(source: Source) -> SettingsFile:
    dump = read_cli_dump(source.text, str(source.path))
    return SettingsFile(
        "cli-dump",
        dump.family,
        dump.settings,
        dump.lines,
        dump.unknown,
        snapshot=dump.snapshot,
        only_changes=dump.only_changes,
    )


def _is_ours(kind: str) -> Callable[[str, str], bool]:
    return lambda text, _name: format_of(text).startswith(f"{kind}/")


def _is_profile(text: str, name: str) -> bool:
    return bool(re.search(r"^format:\s*[\"']?dronekit-cfg/", text, re.MULTILINE)) or name.endswith((".yaml", ".yml"))


def _is_dialect(dialect: Dialect) -> Callable[[str, str], bool]:
    return lambda text, name: detect_dialect(text, name) is dialect


FORMATS: tuple[Format, ...] = (
    Format("snapshot", _is_ours("snapshot"), _read_snapshot),
    Format("lock", _is_ours("lock"), _read_lock),
    Format("profile", _is_profile, _read_profile),
    Format("px4-script", lambda text, _name: is_script(text), _read_script),
    Format("cli-dump", is_cli_dump, _read_dump),
    *(Format(dialect.value, _is_dialect(dialect), _read_params(dialect)) for dialect in Dialect),
)
"""Every format that `read_settings` knows, in the order in which they are asked."""
