"""Checks of setting names: unknown ones, those of another firmware generation, old and new name together."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Protocol

from dronekit_cfg.model import Finding, Origin, Scalar, Spec, Value
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.lookup import Renames, plain_name
from dronekit_cfg.text import t

__all__ = ["Gone", "Translator", "check_names"]


class Gone(Protocol):
    """Settings that left the firmware, and why."""

    @property
    def since(self) -> str:
        """The release that has them no more."""

    @property
    def reason(self) -> str:
        """What is there instead, or why nothing is."""


class Translator(Renames, Protocol):
    """Renames that can also carry a value over to another generation."""

    def belongs(self, name: str, version: str) -> bool:
        """Whether `name` is one of the two names of a renamed setting, and the one that `version` has."""

    def gone(self, name: str, version: str) -> Gone | None:
        """Give why firmware `version` has no setting `name` any more."""

    def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
        """Give name and value for a vehicle that has these settings, None where nothing changes.

        Raises ValueError with the reason when only a person can say what the value is to be.
        """


def check_names(
    settings: Mapping[str, Value | Scalar],
    spec: Spec,
    *,
    renames: Translator | None = None,
    listed: Collection[str] = (),
    version: str = "",
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Finding, ...]:
    """Judge the names of `settings` against those of a firmware version.

    Lines of a text CLI that are no settings (feature.GPS, serial.0) are left alone. `listed` are names that the vehicle
    itself lists: they are right whatever the metadata says. `version` is that of the firmware at hand: where the
    metadata is only the nearest, a name of that version is right too, and an unknown one is an info.
    """
    found: list[Finding] = []
    known = spec.settings.keys()
    for name, value in settings.items():
        plain = plain_name(name)
        if "." in plain:
            continue  # a line of a text CLI that is no setting (feature.GPS, serial.0): metadata does not list those
        if plain in known or name in known or name in listed:
            others = [
                o
                for o, _ in (renames.others(name) if renames else ())
                if o in settings and o not in known and o not in listed
            ]
            found += [_both(name, other) for other in others]
        elif spec.exact or not version or renames is None or not renames.belongs(name, version):
            found.append(_wrong(name, value, spec, renames, version or spec.version))
    places = origins or {}
    return tuple(replace(f, origin=places.get(f.name)) for f in found)


def _both(name: str, other: str) -> Finding:
    text = t("{name} and {other} are two names of one setting", name=name, other=other)
    return Finding("NAME-BOTH", "error", other, text, t(BUILTIN["NAME-BOTH"].remedy))


def _wrong(name: str, value: Value | Scalar, spec: Spec, renames: Translator | None, version: str) -> Finding:
    raw = value.raw if isinstance(value, Value) else value
    try:
        moved = renames.translate(name, raw, spec.settings.__contains__) if renames is not None else None
    except ValueError as error:
        return Finding("NAME-GENERATION", "error", name, str(error), t(BUILTIN["NAME-GENERATION"].remedy))
    if moved is not None:
        other, there = moved
        text = t(
            "{name} is called {other} in {family} {version}",
            name=name,
            other=other,
            family=spec.family,
            version=spec.version,
        )
        remedy = t("Write {other} = {value} instead of {name} = {raw}.", other=other, value=there, name=name, raw=raw)
        return Finding("NAME-GENERATION", "error", name, text, remedy)
    if renames is not None and (gone := renames.gone(name, version)):
        text = t("{name} is gone since {family} {since}", name=name, family=spec.family, since=gone.since)
        return Finding("NAME-UNKNOWN", "warning", name, text, t("Remove it: {reason}.", reason=gone.reason))
    text = t("{family} {version} has no setting {name}", family=spec.family, version=spec.version, name=name)
    return Finding("NAME-UNKNOWN", "warning" if spec.exact else "info", name, text, _advice(name, spec))


def _advice(name: str, spec: Spec) -> str:
    if name.upper() in spec.settings:
        return t("Names are written in upper case: {name}.", name=name.upper())
    if name.lower() in spec.settings:
        return t("Names are written in lower case: {name}.", name=name.lower())
    close = difflib.get_close_matches(plain_name(name), spec.settings, n=3)
    if close:
        return t("The closest names are {names}.", names=", ".join(close))
    return t("Remove it, or check which firmware version it belongs to.")
