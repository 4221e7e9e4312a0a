"""Firmware version ranges, written as people write them: ">=4.5,<4.8"."""

from __future__ import annotations

from collections.abc import Iterable

from dronekit_cfg.text import t

__all__ = ["allows", "intersect", "range_error"]


def range_error(text: str) -> str:
    """Say why `text` is no version range; "" when it is one (an empty text allows every version)."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        found = SpecifierSet(text)
    except InvalidSpecifier:
        return t('"{text}" is not a version range', text=text)
    if any(s.operator == "===" for s in found):
        return t("=== is not supported in a version range")
    return t('no version is in the range "{text}"', text=text) if found.is_unsatisfiable() else ""


def intersect(ranges: Iterable[str]) -> str | None:
    """Give the range that all `ranges` share, None when they share no version."""
    from packaging.specifiers import SpecifierSet

    together = ",".join(dict.fromkeys(part.strip() for text in ranges for part in text.split(",") if part.strip()))
    return None if SpecifierSet(together).is_unsatisfiable() else together


def allows(text: str, version: str) -> bool:
    """Whether firmware `version` (PEP 440) is in the range `text`.

    A development or beta build counts as the release that it becomes: 4.7.0.dev0 is in ">=4.7" and not in "<4.7",
    because its setting names are those of 4.7. Raises ValueError when `version` is not a version.
    """
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    return SpecifierSet(text).contains(Version(version).base_version)
