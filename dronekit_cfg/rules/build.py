"""Makes rules from schema-valid plain data. No YAML here: the compiled packs take this way at every start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dronekit_cfg.rules.rule import Example, Rule

__all__ = ["build"]


def build(raw: Mapping[str, Any], *, pack: str, file: str, line: int, column: int) -> Rule:
    """Make a rule from schema-valid plain data."""
    applies = raw["applies"]
    family = applies["family"]
    return Rule(
        id=raw["id"],
        title=raw["title"],
        severity=raw["severity"],
        families=(family,) if isinstance(family, str) else tuple(family),
        vehicles=tuple(applies.get("vehicle", ())),
        firmware=applies.get("firmware", ""),
        flags=tuple(applies.get("flags", ())),
        inputs=raw.get("inputs", {}),
        when=raw.get("when", "").strip(),
        violation=raw["violation"].strip(),
        message=raw["message"].strip(),
        why=raw["why"].strip(),
        remedy=raw["remedy"].strip(),
        source=raw["source"].strip(),
        measured=raw.get("measured", "").strip(),
        setting=raw.get("setting", ""),
        waivable=raw.get("waivable", raw["severity"] != "error") and not raw.get("law", False),
        law=raw.get("law", False),
        bad=_example(raw["examples"]["bad"]),
        good=_example(raw["examples"]["good"]),
        pack=pack,
        file=file,
        line=line,
        column=column,
    )


def _example(raw: Mapping[str, Any]) -> Example:
    return Example(raw["settings"], raw.get("inputs", {}), tuple(raw.get("flags", ())), raw.get("firmware", ""))
