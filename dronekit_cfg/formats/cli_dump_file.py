"""Read and write files of Betaflight and INAV settings: what `diff`, `convert` and `validate` need of a dump."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.cli_dump import Dump, LineKind, detect_family, parse
from dronekit_cfg.formats.cli_dump_checks import problems
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_settings import render
from dronekit_cfg.model import Scalar, Snapshot
from dronekit_cfg.text import t

__all__ = ["CliDumpFile", "is_cli_dump", "read_cli_dump", "write_cli_dump"]


@dataclass(frozen=True)
class CliDumpFile:
    """A dump as settings: numbers where the text is one, else texts. `lines` gives the 1-based line of each setting.

    `unknown` are lines that no rule knows; they are kept as `line.<n>`.
    """

    family: str
    dump: Dump
    settings: Mapping[str, Scalar]
    lines: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[Problem, ...] = ()


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
    settings = {name: _plain(value) for name, value in dump.settings.items()}
    return CliDumpFile(family, dump, settings, lines, tuple(unknown))


def _plain(text: str) -> Scalar:
    if re.fullmatch(r"-?(0|[1-9]\d{0,9})", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,9}\.\d{1,9}", text):
        return float(text)
    return text


def write_cli_dump(source: Snapshot | Mapping[str, object], family: str = "", *, note: Sequence[str] = ()) -> str:
    """Give a file that the vehicle's CLI can replay: `batch start`, all settings in the firmware's order, `save`.

    Raises UsageError for a family without a CLI, and for names that are no settings of one.
    """
    if isinstance(source, Snapshot):
        family = family or source.identity.family
        source = {setting.name: setting.value for setting in source.settings}
    try:
        dialect = load_dialect(family)
        return render({name: str(value) for name, value in source.items()}, dialect, header=note)
    except KeyError:
        raise UsageError(
            t("{family} has no command line to write a dump for", family=family or "?"),
            hint=t("dumps are for betaflight and inav"),
        ) from None
    except ValueError as error:
        raise UsageError(str(error), hint=t("write a snapshot or a profile instead")) from None
