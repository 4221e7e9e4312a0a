"""What changed between the metadata of two firmware versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from dronekit_cfg.catalog.renames import Rename, Renames
from dronekit_cfg.model import SettingSpec, Spec

__all__ = ["Changed", "SpecDiff", "compare"]

_RENAME_SCALED = frozenset({"name", "unit", "minimum", "maximum", "increment", "default"})
_PARTS = {
    "kind": "kind",
    "unit": "unit",
    "minimum": "range",
    "maximum": "range",
    "increment": "increment",
    "values": "values",
    "bits": "bits",
    "options": "options",
    "default": "default",
    "read_only": "flags",
    "volatile": "flags",
    "calibration": "flags",
    "identity": "flags",
    "reboot": "flags",
    "enabled_by": "enabled_by",
}
"""Fields of a SettingSpec and under which heading a difference in them is reported."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One setting that both versions have: `parts` are the headings under which they differ."""

    name: str
    parts: tuple[str, ...]
    before: SettingSpec
    after: SettingSpec


@dataclass(frozen=True, slots=True)
class SpecDiff:
    """The difference of two specs. What is in `renamed` is in neither `new` nor `gone`."""

    before: str
    after: str
    new: tuple[str, ...]
    gone: tuple[str, ...]
    renamed: tuple[Rename, ...]
    changed: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.new or self.gone or self.renamed or self.changed)


def compare(a: Spec, b: Spec, renames: Renames | None = None) -> SpecDiff:
    """Compare `a` (before) with `b` (after); the rename table tells which gone setting is which new one."""
    gone, new = set(a.settings) - set(b.settings), set(b.settings) - set(a.settings)
    pairs = {e.old: e for e in renames or () if e.old in gone and e.new in new}
    back = {e.new: e for e in renames or () if e.new in gone and e.old in new}
    renamed = (*pairs.values(), *back.values())
    changed = [_changed(n, a.settings, b.settings, n) for n in a.settings if n in b.settings]
    changed += [_changed(old, a.settings, b.settings, e.new, scaled=e.scale != 1.0) for old, e in pairs.items()]
    changed += [_changed(new, a.settings, b.settings, e.old, scaled=e.scale != 1.0) for new, e in back.items()]
    moved = {n for e in renamed for n in (e.old, e.new)}
    return SpecDiff(
        before=" ".join(part for part in (a.family, a.vehicle, a.version) if part),
        after=" ".join(part for part in (b.family, b.vehicle, b.version) if part),
        new=tuple(sorted(new - moved)),
        gone=tuple(sorted(gone - moved)),
        renamed=tuple(sorted(renamed, key=lambda e: e.old)),
        changed=tuple(sorted((c for c in changed if c.parts), key=lambda c: c.name)),
    )


def _changed(
    name: str, a: Mapping[str, SettingSpec], b: Mapping[str, SettingSpec], other: str, *, scaled: bool = False
) -> Changed:
    """Compare one setting; after a change of unit its numbers are not compared, they all differ by the scale."""
    before, after = a[name], b[other]
    leave = _RENAME_SCALED if scaled else {"name"}
    parts = dict.fromkeys(
        _PARTS[f.name]
        for f in fields(SettingSpec)
        if f.name in _PARTS and f.name not in leave and _differ(f.name, before, after)
    )
    return Changed(name, tuple(parts), before, after)


def _differ(what: str, before: SettingSpec, after: SettingSpec) -> bool:
    one, two = getattr(before, what), getattr(after, what)
    if what in {"kind", "default"} and (one is None or two is None):
        return False  # not known of one version: no change to report
    return bool(one != two)
