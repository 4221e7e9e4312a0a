"""Storage types and defaults: what a vehicle itself tells, joined with what its vendor documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dronekit_cfg.catalog.importers._source import parse_json
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import INT_RANGES, Kind, SettingSpec, Snapshot, Spec, float32, shortest
from dronekit_cfg.text import t

__all__ = ["TypeFact", "types_from_json", "types_from_snapshot", "with_types"]


@dataclass(frozen=True, slots=True)
class TypeFact:
    """Storage type of one setting, and its default where it is known."""

    kind: Kind
    default: float | str | None = None


def types_from_json(data: bytes, file: str = "params.json") -> dict[str, TypeFact]:
    """Read a list of objects with name, type and, where known, default. Raises MetadataError."""
    rows = parse_json(data, file)
    facts: dict[str, TypeFact] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else (), 1):
        try:
            default = row.get("default")
            facts[str(row["name"])] = TypeFact(Kind(row["type"]), default if isinstance(default, int | float) else None)
        except (AttributeError, KeyError, ValueError) as e:
            raise MetadataError(
                t("{file}: entry {number} has no name or no known type ({why})", file=file, number=number, why=e),
                hint=t("every entry needs name and type (INT8, INT16, INT32, REAL32 ...)"),
            ) from e
    if not facts:
        raise MetadataError(t("{file}: no list of settings", file=file), hint=t("give a list of name, type, default"))
    return facts


def types_from_snapshot(snapshot: Snapshot) -> dict[str, TypeFact]:
    """Take types and defaults from a snapshot that knows them."""
    if not snapshot.typed:
        return {}
    return {s.name: TypeFact(s.value.kind, s.default.raw if s.default else None) for s in snapshot.settings}


def with_types(spec: Spec, types: Mapping[str, TypeFact], *, add: bool = True) -> Spec:
    """Give `spec` with kinds and defaults filled in where it has none.

    A setting that the vehicle lists and the vendor does not document is added as a bare name and type, unless `add` is
    False. A documented range that the storage type cannot hold is cut to it.
    """
    settings = {n: _typed(s, types.get(n)) for n, s in spec.settings.items()}
    if add:
        settings |= {n: _typed(SettingSpec(n), f) for n, f in types.items() if n not in settings}
    return replace(spec, settings=settings)


def _typed(setting: SettingSpec, fact: TypeFact | None) -> SettingSpec:
    if fact is None:
        return setting
    kind = setting.kind or fact.kind
    default = setting.default if setting.default is not None else fact.default
    if isinstance(default, int | float):
        default = float(shortest(float32(default))) if kind is Kind.REAL32 else int(default)
    low, high = INT_RANGES.get(kind, (None, None))
    minimum, maximum = setting.minimum, setting.maximum
    if low is not None and minimum is not None:
        minimum = max(minimum, low)
    if high is not None and maximum is not None:
        maximum = min(maximum, high)
    return replace(setting, kind=kind, default=default, minimum=minimum, maximum=maximum)
