"""Says at once when a file is of another firmware than the one that is meant: its names tell, whatever it is called."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import DronekitError, UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.formats.read_any import SettingsFile

__all__ = ["foreign_message", "refuse_parameter_file", "require_same_family"]

_SHOWN = 3


def foreign_message(file: str, family: str, wanted: str, names: Collection[str]) -> str:
    """Say that `file` is of `family` and not of `wanted`, with some of the names that tell it."""
    from dronekit_cfg.formats.param_family import telling_names

    shown = ", ".join(telling_names(names, family)[:_SHOWN])
    if not shown:
        return t("{file} is of {family}, not of {wanted}", file=file, family=family, wanted=wanted)
    return t(
        "{file} is of {family} by its names ({names} ...), not of {wanted}",
        file=file,
        family=family,
        names=shown,
        wanted=wanted,
    )


def require_same_family(first: tuple[str, SettingsFile], second: tuple[str, SettingsFile]) -> None:
    """Refuse to compare files of two firmwares, which have no setting in common. Raises UsageError."""
    (a, one), (b, two) = first, second
    if one.family and two.family and one.family != two.family:
        raise UsageError(
            foreign_message(a, one.family, two.family, one.settings),
            hint=t("{other} is of {family}: compare files of one firmware", other=b, family=two.family),
        )


def refuse_parameter_file(name: str) -> None:
    """Refuse a parameter file or snapshot where a profile is wanted, and say whose it is. Raises UsageError."""
    from dronekit_cfg.formats.param_family import telling_names
    from dronekit_cfg.formats.read_any import read_settings

    path = Path(name).expanduser()
    if path.suffix.lower() in {".yaml", ".yml"} or "+" in name or not path.is_file():
        return
    try:
        found = read_settings(path)
    except DronekitError:
        return  # a plan, a lock with a mistake, or nothing known: whoever reads it next says so
    if found.kind in {"lock", "profile"}:
        return
    who = found.family or t("an unknown firmware")
    names = ", ".join(telling_names(found.settings, found.family or "")[:_SHOWN])
    by = t(" by its names ({names} ...)", names=names) if names else ""
    what = t("snapshot") if found.snapshot else t("parameter file")
    hint = t(
        "make a profile of it: dronekit-cfg convert {file} NAME.yaml; it then fits {family} only", file=name, family=who
    )
    if found.snapshot:
        hint = t("restore it: dronekit-cfg restore {file}; it fits {family} only", file=name, family=who)
    raise UsageError(
        t("{file} is no profile, but a {what} of {family}{by}", file=name, what=what, family=who, by=by), hint=hint
    )
