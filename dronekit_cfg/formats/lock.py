"""Locks: a resolved profile stack written down, so that every aircraft gets exactly the same values.

A lock carries values, not expressions, and the digest that plans, receipts and the ledger carry. It holds no path of
the machine it was made on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dronekit_cfg.formats.files import lines_of
from dronekit_cfg.formats.machine_json import parse_sealed, refuse, sealed_text
from dronekit_cfg.formats.records import DataError, from_data, to_data
from dronekit_cfg.model import Origin, Resolved, Wanted
from dronekit_cfg.text import t

__all__ = ["LockDifference", "check_lock", "load_lock", "lock_text"]

_FORMAT = "lock/v1"


@dataclass(frozen=True, slots=True)
class LockDifference:
    """One thing in which a lock and the profiles of today differ; "" for what one of them lacks."""

    what: str
    locked: str
    now: str


def lock_text(resolved: Resolved) -> str:
    """Give the text of a lock file. The same layers and inputs give the same bytes on every machine."""
    data = to_data(resolved)
    data["settings"] = {w.name: _wanted_data(w) for w in sorted(resolved.settings, key=lambda w: w.name)}
    data["waivers"] = [to_data(replace(w, origin=Origin(w.origin.layer))) for w in resolved.waivers]
    return sealed_text({"format": f"dronekit-cfg/{_FORMAT}", "digest": resolved.digest, **data})


def _wanted_data(wanted: Wanted) -> dict[str, Any]:
    said = {"because": wanted.because, "source": wanted.source, "optional": wanted.optional}
    return {"value": wanted.value, "layer": wanted.origin.layer, **{k: v for k, v in said.items() if v}}


def load_lock(text: str, file: str) -> Resolved:
    """Read a lock as the resolved profile that it is. Raises FileProblems when it is damaged, changed or no lock."""
    body = parse_sealed(text, file, wanted=_FORMAT)
    digest = body.pop("digest", None)
    del body["format"]
    places = _places(text)
    try:
        settings = tuple(_wanted(n, d, file, places.get(n, 0)) for n, d in body.pop("settings", {}).items())
        resolved = from_data(Resolved, {**body, "settings": []})
    except (DataError, AttributeError, TypeError) as error:
        refuse(file, t("the lock is damaged: {why}", why=error), t("make the lock again: profile lock"))
    resolved = replace(resolved, settings=settings)
    if resolved.digest != digest:
        refuse(file, t("the digest of the lock does not match its settings"), t("make the lock again: profile lock"))
    return resolved


def _places(text: str) -> dict[str, int]:
    """Give the line of every setting: `lock_text` writes one per line, between `"settings": {` and its brace."""
    places: dict[str, int] = {}
    inside = False
    for number, line in enumerate(lines_of(text), 1):
        if inside and line.startswith('"'):
            places[line.split('"')[1]] = number
        inside = line == '"settings": {' or (inside and not line.startswith("}"))
    return places


def _wanted(name: str, data: Mapping[str, Any], file: str, line: int) -> Wanted:
    known = {"value", "layer", "because", "source", "optional"}
    if not set(data) <= known or not isinstance(data.get("value"), int | float | str):
        raise DataError(t("{name} is no setting of a lock", name=name))
    origin = Origin(str(data.get("layer", "")), file, line, 1 if line else 0)
    because, source = str(data.get("because", "")), str(data.get("source", ""))
    return Wanted(name, data["value"], origin, because, source, optional=data.get("optional") is True)


def check_lock(text: str, resolved: Resolved, *, file: str = "lock") -> tuple[LockDifference, ...]:
    """Compare a lock with what its profiles resolve to today; empty when they are the same.

    Wording (because, source) does not count. Raises FileProblems when the lock itself is damaged.
    """
    locked = load_lock(text, file)
    return tuple(_differences(locked, resolved))


def _differences(locked: Resolved, now: Resolved) -> Iterator[LockDifference]:
    for what in ("name", "version", "family", "vehicle", "firmware", "names"):
        yield from _compared(what, getattr(locked, what), getattr(now, what))
    yield from _compared("flags", ", ".join(sorted(locked.flags)), ", ".join(sorted(now.flags)))
    yield from _compared("layers", ", ".join(locked.layers), ", ".join(now.layers))
    yield from _mappings("input ", locked.inputs, now.inputs)
    yield from _mappings("", {w.name: w.value for w in locked.settings}, {w.name: w.value for w in now.settings})
    waived = ({w.rule: w.until or t("for ever") for w in side.waivers} for side in (locked, now))
    yield from _mappings("waive ", *waived)


def _mappings(prefix: str, locked: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[LockDifference]:
    for name in sorted({*locked, *now}):
        yield from _compared(prefix + name, str(locked.get(name, "")), str(now.get(name, "")))


def _compared(what: str, locked: str, now: str) -> Iterator[LockDifference]:
    if locked != now:
        yield LockDifference(what, locked, now)
