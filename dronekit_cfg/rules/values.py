"""Checks of single values against the metadata of a firmware version."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dronekit_cfg.model import INT_RANGES, Finding, Kind, Origin, Scalar, SettingSpec, Spec, Value, float32, shortest
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.lookup import Renames, plain_name
from dronekit_cfg.text import t

__all__ = ["check_values"]

_HARD_RANGES = ("betaflight", "inav", "px4")
"""Families of which a value outside the range is an error: their firmware refuses it, or takes just anything (PX4)."""

_SIMULATOR = {"ardupilot": "SIM_"}
"""Settings of the simulator by family: nothing flies by them, and the simulator's own defaults break their ranges."""

_EXACT_WHOLE = 2**24
"""Whole numbers up to this magnitude fit a float32."""


@dataclass(frozen=True)
class _Case:
    """One value under examination. `raw` is what was written, `kind` how the vehicle stores it (None: not known)."""

    name: str
    raw: Scalar
    kind: Kind | None
    facts: SettingSpec
    spec: Spec
    renames: Renames | None
    is_default: bool
    strict: bool
    writing: bool
    origin: Origin | None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def number(self) -> float | None:
        """The value as a number; None for a text that is none."""
        if not isinstance(self.raw, str):
            return self.raw
        try:
            return float(self.raw)
        except ValueError:
            return None

    @property
    def whole(self) -> int | None:
        """The value as a whole number; None when it is none."""
        number = self.number
        return int(number) if number is not None and math.isfinite(number) and number == int(number) else None

    def finding(self, check: str, message: str, *, severity: str = "", remedy: str = "") -> Finding:
        facts = BUILTIN[check]
        return Finding(check, severity or facts.severity, self.name, message, remedy or t(facts.remedy), self.origin)

    @property
    def soft(self) -> str:
        """Severity of what the firmware stores without complaint."""
        return "error" if self.strict or self.spec.family in _HARD_RANGES else "warning"


def check_values(
    settings: Mapping[str, Value | Scalar],
    spec: Spec,
    *,
    defaults: Mapping[str, Value | Scalar] | None = None,
    renames: Renames | None = None,
    strict: bool = False,
    writing: bool = False,
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Finding, ...]:
    """Judge every value by itself.

    `defaults` are those of the vehicle itself, where known: a value that equals its default gets no finding. `strict`
    makes range, enum and bit findings errors. `writing` says that the settings are meant to be written (a profile), so
    that read-only ones are findings; a dump of a vehicle may list them.
    """
    found: list[Finding] = []
    own = defaults or {}
    for name, value in settings.items():
        facts = spec.settings.get(name) or spec.get(plain_name(name))
        raw = value.raw if isinstance(value, Value) else value
        is_default = _is_default(raw, own.get(name), facts.default)
        if is_default and not (writing and facts.read_only):
            continue
        kind = facts.kind or (value.kind if isinstance(value, Value) else None)
        case = _Case(
            name=name,
            raw=raw,
            kind=kind,
            facts=facts,
            spec=spec,
            renames=renames,
            is_default=is_default,
            strict=strict,
            writing=writing,
            origin=(origins or {}).get(name),
        )
        found += _judge(case)
    return tuple(found)


def _is_default(raw: Scalar, own: Value | Scalar | None, documented: Scalar | None) -> bool:
    """Whether the value is what the vehicle starts with; the vehicle's own word counts before the metadata's."""
    default = own.raw if isinstance(own, Value) else own
    if default is None:
        default = documented
    if default is None:
        return False
    if raw == default:
        return True
    if isinstance(raw, str) or isinstance(default, str):
        return str(raw).casefold() == str(default).casefold()
    try:
        return float32(raw) == float32(default)
    except OverflowError:
        return raw == default


def _judge(case: _Case) -> Iterator[Finding]:
    """Give the findings of one value; a value that cannot be stored is not judged further."""
    for check in (_nan, _type, _storage):
        finding = check(case)
        if finding:
            yield finding
            return
    if case.writing and case.facts.read_only:
        yield case.finding("VALUE-READONLY", t("{name} is read-only", name=case.name))
    finding = _precision(case)
    if finding:
        yield finding
    if case.is_default or case.name.startswith(_SIMULATOR.get(case.spec.family, " ")):
        return
    finding = _unit(case)
    if finding:
        yield finding
        return
    yield from (f for f in (check(case) for check in _SOFT) if f)


def _nan(case: _Case) -> Finding | None:
    number = case.number
    if case.kind is Kind.TEXT or number is None or math.isfinite(number):
        return None
    return case.finding("VALUE-NAN", t("{name} is {value}", name=case.name, value=number))


def _type(case: _Case) -> Finding | None:
    if case.kind in (None, Kind.TEXT) or case.number is not None:
        return None
    text = t("{name} stores a number ({kind}), not {value!r}", name=case.name, kind=case.kind, value=case.raw)
    return case.finding("VALUE-TYPE", text)


def _storage(case: _Case) -> Finding | None:
    number = case.number
    if number is None or case.kind not in INT_RANGES:
        return _too_big(case, number)
    low, high = INT_RANGES[case.kind]
    stored = max(low, min(high, math.trunc(number)))
    if stored == number:
        return None
    if low <= number <= high:
        text = t("{name} = {value}: {kind} holds whole numbers only", name=case.name, value=case.raw, kind=case.kind)
        return case.finding("VALUE-STORAGE", text, remedy=t("Write a whole number."))
    text = t(
        "{name} = {value} does not fit {kind} ({low} to {high}); the vehicle would hold {stored}",
        name=case.name, value=case.raw, kind=case.kind, low=low, high=high, stored=stored,
    )  # fmt: skip
    full = case.facts.bits and number == high * 2 + 1
    return case.finding("VALUE-STORAGE", text, remedy=t("For all bits write -1.") if full else "")


def _too_big(case: _Case, number: float | None) -> Finding | None:
    if number is None or case.kind is not Kind.REAL32:
        return None
    try:
        float32(number)
    except OverflowError:
        text = t("{name} = {value} is beyond what a float32 can hold", name=case.name, value=case.raw)
        return case.finding("VALUE-STORAGE", text, remedy=t("Write a smaller number."))
    return None


def _precision(case: _Case) -> Finding | None:
    number = case.number
    if (
        number is None
        or case.kind in (None, Kind.TEXT)
        or (case.kind is not Kind.REAL32 and case.spec.family != "ardupilot")
    ):
        return None
    held = float32(number)
    if held == number:
        return None
    text = t("{name} = {value} would be held as {held}", name=case.name, value=case.raw, held=shortest(held))
    if abs(number) >= _EXACT_WHOLE:
        if case.kind is Kind.REAL32:
            return case.finding("VALUE-PRECISION", text, severity="error")
        text = t(
            "{name} = {value} cannot travel in a PARAM_SET: it would arrive as {held}",
            name=case.name,
            value=case.raw,
            held=int(held),
        )
        return case.finding("VALUE-PRECISION", text)
    if float(shortest(held)) == number or abs(held - number) <= 1e-12 * abs(number):
        return None
    return case.finding("VALUE-PRECISION", text, severity="info")


def _inside(facts: SettingSpec, number: float) -> bool:
    """Whether a number lies in the documented range, with the slack that float32 needs."""
    slack = 1e-6 * max(abs(facts.minimum or 0), abs(facts.maximum or 0))
    above = facts.minimum is None or number >= facts.minimum - slack
    return above and (facts.maximum is None or number <= facts.maximum + slack)


def _special(case: _Case) -> bool:
    """Whether the metadata names the value as a special one (0 "disabled", -1 "all") although it is out of range."""
    return case.whole is not None and case.whole in case.facts.values


def _unit(case: _Case) -> Finding | None:
    number = case.number
    if case.renames is None or number is None or _inside(case.facts, number) or _special(case):
        return None
    for other, factor in case.renames.others(case.name):
        if factor != 1.0 and _inside(case.facts, number * factor):
            meant = shortest(float32(number * factor))
            text = t(
                "{name} = {value} looks like a value of {other}: in the unit of {name} ({unit}) it is {meant}",
                name=case.name, value=case.raw, other=other, unit=case.facts.unit or t("another one"), meant=meant,
            )  # fmt: skip
            remedy = t("If that was meant, write {name} = {meant}.", name=case.name, meant=meant)
            return case.finding("VALUE-UNIT", text, remedy=remedy)
    return None


def _range(case: _Case) -> Finding | None:
    number = case.number
    facts = case.facts
    of_bits = facts.bits and (number is None or number >= 0 or case.spec.family not in _HARD_RANGES)
    if number is None or of_bits or _inside(facts, number) or _special(case):
        return None
    low = "" if facts.minimum is None else f"{facts.minimum:g}"
    high = "" if facts.maximum is None else f"{facts.maximum:g}"
    unit = f" {facts.unit}" if facts.unit else ""
    text = t(
        "{name} = {value} is outside {low} to {high}{unit}",
        name=case.name, value=case.raw, low=low or t("any"), high=high or t("any"), unit=unit,
    )  # fmt: skip
    return case.finding("VALUE-RANGE", text, severity=case.soft)


def _enum(case: _Case) -> Finding | None:
    facts = case.facts
    if facts.options and isinstance(case.raw, str):
        if case.raw.casefold() in (o.casefold() for o in facts.options):
            return None
        choices = ", ".join(facts.options[:12])
        text = t("{name} = {value} is none of: {choices}", name=case.name, value=case.raw, choices=choices)
        return case.finding("VALUE-ENUM", text, severity="error")
    # ArduPilot documents a few values beside many ranges; PX4's values are all there are.
    ranged = case.spec.family != "px4" and (facts.minimum is not None or facts.maximum is not None)
    if not facts.values or facts.bits or case.number is None or ranged or _special(case):
        return None
    choices = ", ".join(f"{k} {v}" for k, v in list(facts.values.items())[:8])
    text = t("{name} = {value} is none of: {choices}", name=case.name, value=case.raw, choices=choices)
    return case.finding("VALUE-ENUM", text, severity=case.soft)


def _bits(case: _Case) -> Finding | None:
    facts, whole = case.facts, case.whole
    if not facts.bits or whole is None or whole < 0 or _special(case):
        return None
    unknown = [bit for bit in range(whole.bit_length()) if whole >> bit & 1 and bit not in facts.bits]
    if not unknown:
        return None
    bits = ", ".join(map(str, unknown))
    rest = whole & ~sum(1 << bit for bit in unknown)
    text = t(
        "{name} = {value} has bits that this firmware does not know: {bits}", name=case.name, value=case.raw, bits=bits
    )
    remedy = t("Without them it is {rest}.", rest=rest)
    # A documented range that is left, too, is a slip of the key where the firmware takes anything.
    severity = "warning" if _inside(facts, whole) and not case.strict else case.soft
    return case.finding("VALUE-BITS", text, severity=severity, remedy=remedy)


_SOFT: tuple[Callable[[_Case], Finding | None], ...] = (_range, _enum, _bits)
