"""The text that the command line of Betaflight or INAV takes, from any settings file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.formats.read_any import SettingsFile

__all__ = ["cli_text"]


def cli_text(found: SettingsFile, *, whole: bool = False) -> str:
    """Give a script to be pasted into the command line.

    A snapshot that was read from a vehicle carries that vehicle's own `diff all`, which is given as it is, byte for
    byte (`whole`: its `dump all`); anything else is written in the firmware's order between `batch start` and `save`.
    Raises UsageError.
    """
    from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES
    from dronekit_cfg.formats.cli_dump_file import write_cli_dump

    if found.family not in CLI_FAMILIES:
        raise UsageError(
            t("{family} has no text command line", family=found.family or t("this firmware")),
            hint=t("write .param, .parm, .params or .yaml"),
        )
    if found.snapshot is not None:
        first, second = ("dump all", "diff all") if whole else ("diff all", "dump all")
        own = found.snapshot.raw.get(first) or found.snapshot.raw.get(second)
        if own:
            return own if own.endswith("\n") else own + "\n"
    return write_cli_dump(found.settings, found.family, reset=found.only_changes)
