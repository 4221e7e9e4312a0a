"""Read and write files of Betaflight and INAV settings: what `diff`, `convert`, `validate` and `restore` need.

`diff all` leaves out what is at its default; `dump all` names everything. A file tells which of the two it is by the
command that resets to defaults, which only `diff all` prints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.cli_dump import Dump, LineKind, detect_family, parse
from dronekit_cfg.formats.cli_dump_checks import problems
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_settings import render
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import Identity, Kind, Scalar, Setting, Snapshot, Value
from dronekit_cfg.text import t

__all__ = ["CliDumpFile", "is_cli_dump", "read_cli_dump", "write_cli_dump"]

_LARGEST = 4 << 20
"""The largest dump known has 110 kB."""


@dataclass(frozen=True)
class CliDumpFile:
    """A dump as settings: numbers where the text is one, else texts. `lines` gives the 1-based line of each setting.

    `unknown` are lines that no rule knows; they are kept as `line.<n>`. `only_changes`: it is a `diff`, which leaves
    out what is at its default.
    """

    family: str
    dump: Dump
    settings: Mapping[str, Scalar]
    lines: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[Problem, ...] = ()
    only_changes: bool = False

    @property
    def snapshot(self) -> Snapshot | None:
        """The same as a snapshot, as far as its header tells whose it is; None for a dump without version line."""
        header = self.dump.header
        if header is None:
            return None
        try:
            version = pep440(header.version)
        except ValueError:
            return None
        revision = f" ({header.revision})" if header.revision else ""
        texts = self.dump.settings
        identity = Identity(
            family=self.family,
            vehicle="copter",
            version=version,
            version_text=f"{header.version}{revision}",
            board=texts.get("board_name", "") or header.target,
            uid=texts.get("mcu_id", "").lower(),
        )
        settings = tuple(Setting(name, _value(value)) for name, value in self.settings.items())
        name = "diff all" if self.only_changes else "dump all"
        return Snapshot(identity, "", "file", settings, typed=False, raw={name: str(self.dump)})


def _value(value: Scalar) -> Value:
    if isinstance(value, str):
        return Value(Kind.TEXT, value)
    return Value(Kind.INT32 if isinstance(value, int) else Kind.REAL32, value)


_TYPICAL = re.compile(
    r"^(# (Betaflight|INAV)\b|set \w+ = |(rate|battery_|mixer_|control_)?profile \d|feature -?[A-Z]|batch start)",
    re.MULTILINE,
)


def is_cli_dump(text: str, name: str = "") -> bool:
    """Whether `text` is the output of `diff` or `dump`, whatever its file is called."""
    del name
    return bool(detect_family(text)) or len(_TYPICAL.findall(text)) > 2


def read_cli_dump(text: str, file: str = "", *, family: str = "") -> CliDumpFile:
    """Read a dump. Raises FileProblems with all that is wrong in it (cut off, corrupted, saved twice, no ASCII)."""
    if len(text) > _LARGEST:
        hint = t("is it the right file? A dump has some 100 kB at most")
        raise FileProblems((Problem(file, 0, 0, t("{size} MB are too much", size=len(text) >> 20), hint),))
    family = family or detect_family(text) or "betaflight"
    dump = parse(text.removeprefix("\ufeff"), load_dialect(family))
    found = problems(dump, file)
    if found:
        raise FileProblems(found)
    lines: dict[str, int] = {}
    unknown: list[Problem] = []
    for number, line in enumerate(dump.lines, 1):
        if line.kind is LineKind.UNKNOWN:
            lines[f"line.{len(unknown) + 1}"] = number
            hint = t("it is kept as it is and never written to a vehicle")
            unknown.append(Problem(file, number, 1, t("this line is not known here: {line}", line=line.text), hint))
        elif line.name:
            lines[line.name] = number
    floats = family == "inav"  # Betaflight has no floats in its settings, so 1.50 is a text there
    settings = {name: _plain(value, floats=floats) for name, value in dump.settings.items()}
    reset = {dump.dialect.commands["defaults"], "defaults"}
    only_changes = any(x.kind is LineKind.COMMAND and " ".join(x.text.split()).lower() in reset for x in dump.lines)
    return CliDumpFile(family, dump, settings, lines, tuple(unknown), only_changes)


def _plain(text: str, *, floats: bool) -> Scalar:
    if re.fullmatch(r"-?[1-9]\d{0,8}|0", text):
        return int(text)
    if floats and re.fullmatch(r"-?\d{1,9}\.\d{3}", text):
        return float(text)
    return text


def write_cli_dump(
    source: Snapshot | Mapping[str, object], family: str = "", *, note: Sequence[str] = (), reset: bool = False
) -> str:
    """Give a file that the vehicle's CLI can replay: `batch start`, all settings in the firmware's order, `save`.

    `reset` begins with the command that resets to defaults, as `diff all` does. Raises UsageError for a family without
    a CLI, and for names that are no settings of one.
    """
    if isinstance(source, Snapshot):
        family = family or source.identity.family
        source = {setting.name: setting.value for setting in source.settings}
    try:
        dialect = load_dialect(family)
        texts = {name: _text(value) for name, value in source.items()}
        return render(texts, dialect, header=note, reset=reset)
    except KeyError:
        raise UsageError(
            t("{family} has no command line to write a dump for", family=family or "?"),
            hint=t("dumps are for betaflight and inav"),
        ) from None
    except ValueError as error:
        raise UsageError(str(error), hint=t("write a snapshot or a profile instead")) from None


def _text(value: object) -> str:
    """Give a value as the CLI takes it: a float without exponent."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    raw = value.raw if isinstance(value, Value) else value
    if isinstance(raw, float) and "e" in str(value):
        return f"{raw:.9f}".rstrip("0").rstrip(".")
    return str(value)
