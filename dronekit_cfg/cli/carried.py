"""A settings file carried over to another firmware version, for `convert --firmware`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.formats.read_any import SettingsFile
    from dronekit_cfg.model import Scalar, Value

__all__ = ["carried_source"]


def carried_source(found: SettingsFile, firmware: str, file: str) -> tuple[SettingsFile, list[str]]:
    """Give the settings under the names and in the units of `firmware` (FAMILY@VERSION), and what was changed.

    Raises UsageError where the file does not tell its version, FileProblems for what only a person can carry over.
    """
    from dronekit_cfg.catalog.renames import load_renames
    from dronekit_cfg.engine.carry import carry_notes, carry_settings

    family, _, version = firmware.partition("@")
    if not version or not version[0].isdigit():
        raise UsageError(
            t("--firmware {text} is not FAMILY@VERSION", text=firmware), hint=t("for example betaflight@2025.12")
        )
    identity = found.snapshot.identity if found.snapshot else None
    if identity is None:
        raise UsageError(
            t("{file} does not tell which firmware version it is of", file=file),
            hint=t("--firmware needs a snapshot, or a whole `diff all` or `dump all`; profiles: `profile migrate`"),
        )
    if family not in (identity.family, identity.vehicle):
        raise UsageError(
            t("{file} is of {theirs}, not of {family}", file=file, theirs=identity.family, family=family),
            hint=t("settings are carried over between versions of one firmware"),
        )
    plain = {name: _plain(value) for name, value in found.settings.items()}
    carried = carry_settings(plain, load_renames(identity.family, identity.vehicle), identity.version, version)
    if carried.undecided:
        hint = t("take the line out of the file, and set it by hand on the new firmware")
        raise FileProblems(
            tuple(
                Problem(file, found.lines.get(n, 0), int(n in found.lines), why, hint) for n, why in carried.undecided
            )
        )
    settings: dict[str, Value | Scalar] = {
        name: found.settings[old] if plain[old] == value else value
        for name, value in carried.settings.items()
        for old in (carried.sources[name],)
    }
    lines = {name: found.lines[old] for name, old in carried.sources.items() if old in found.lines}
    kept = replace(found, settings=settings, lines=lines, snapshot=None, params=None)
    return kept, list(carry_notes(carried))


def _plain(value: Value | Scalar) -> Scalar:
    from dronekit_cfg.model import Value

    return value.raw if isinstance(value, Value) else value
