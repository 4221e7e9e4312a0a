"""What is known about the settings of one vehicle with a text CLI: kinds, ranges, labels, defaults, active profiles."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from dronekit_cfg.formats.cli_dump import Dump
from dronekit_cfg.formats.cli_dump_dialect import Dialect
from dronekit_cfg.formats.cli_dump_get import Got, typed
from dronekit_cfg.formats.cli_dump_settings import address, commands
from dronekit_cfg.model import INT_RANGES, Kind, Setting, SettingSpec, Value
from dronekit_cfg.text import t
from dronekit_cfg.wire.textcli import bad_line

__all__ = ["Knowledge"]

_DECIMALS = 3
"""INAV prints floats with three decimals; Betaflight has no floats in its settings."""


class Knowledge:
    """Facts about the settings of one vehicle, as learnt from its own answers.

    `facts` are by plain setting name (one entry serves all profiles), `active` are the selected profiles, `unavailable`
    the flags of features that this build lacks (None until they were read): they can be told, but not switched on.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.facts: dict[str, Got] = {}
        self.active: dict[str, int] = {}
        self.unavailable: frozenset[str] | None = None
        self._names: tuple[str, ...] = ()
        self._at_default: frozenset[str] = frozenset()
        self._told: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        """Whether the vehicle was read once."""
        return bool(self.facts and self._names)

    def learn_facts(self, facts: Mapping[str, Got]) -> None:
        """Take over what `get` or MSP told."""
        self.facts = dict(facts)

    def learn_dump(self, dump: Dump, diff: Dump, told: Mapping[str, str]) -> None:
        """Take over names, active profiles, `told` defaults, and what is at its default: what `diff all` leaves out."""
        self._names = tuple(dump.settings)
        self._told = dict(told)
        self._at_default = frozenset(self._names) - frozenset(diff.settings)
        self.active = {
            scope: int(dump.settings[scope])
            for scope in self.dialect.scope_names
            if dump.settings.get(scope, "").isdecimal()
        }

    def learn_features(self, text: str) -> None:
        """Take over what `feature` told: a last line "Unavailable: RX_PPM GPS" names what this build lacks."""
        words = text.partition("Unavailable:")[2].partition("\n")[0].split()
        self.unavailable = frozenset(f"feature.{word}" for word in words)

    def selected(self) -> dict[str, str]:
        """Give the full names of master settings and of those of the active profiles, by plain name."""
        found = {}
        for name in self._names:
            where = None if name.startswith("line.") else address(name, self.dialect)
            if where and where.kind == "set" and self.active.get(where.scope, where.number) == where.number:
                found[where.base] = name
        return found

    def disagreements(self, dump: Mapping[str, str], second: Mapping[str, str]) -> tuple[str, ...]:
        """Give the names for which two readings differ, a name that one lacks included."""
        return tuple(
            name for name, text in second.items() if name not in dump or not self._same_text(name, dump[name], text)
        )

    def _same_text(self, name: str, one: str, other: str) -> bool:
        return one == other or self.value(name, one).same(self.value(name, other))

    def fact(self, name: str) -> Got | None:
        """Give the facts of a setting, None for lines that are no `set`."""
        where = address(name, self.dialect) if not name.startswith("line.") else None
        return self.facts.get(where.base) if where and where.kind == "set" else None

    def value(self, name: str, text: str) -> Value:
        """Give the text of a dump or echo as a typed value."""
        if name in self.dialect.scope_names and text.isdecimal():
            return Value(Kind.UINT8, int(text))
        return typed(text, self.fact(name))

    def setting(self, name: str, text: str) -> Setting:
        """Give value and default of a line of a dump."""
        value = self.value(name, text)
        if name in self._at_default:
            return Setting(name, value, value)
        fact = self.fact(name)
        default = self._told.get(name, fact.default if fact else None)
        if default is None and self.dialect.protected_kind(name) in {"identity", "read-only"}:
            return Setting(name, value, value)  # what a unit is called has no factory value of its own
        return Setting(name, value, None if default is None else self.value(name, default))

    def echo(self, name: str, text: str, wanted: Value) -> Value:
        """Give the echoed text as a value; a float that prints as `wanted` does counts as `wanted`."""
        echoed = self.value(name, text)
        if wanted.kind is Kind.REAL32 and echoed.kind is Kind.REAL32:
            # The rest of the digits is compared over MSP, after the reboot.
            close = abs(wanted.number - echoed.number) <= 0.5 * 10**-_DECIMALS + 1e-6 * abs(wanted.number)
            return wanted if close else echoed
        return echoed

    def text(self, value: Value) -> str:
        """Give a value as the CLI takes it: floats without exponent."""
        if value.kind is not Kind.REAL32:
            return str(value)
        text = f"{value.number:.9f}".rstrip("0")
        return text + "0" if text.endswith(".") else text

    def specs(self) -> dict[str, SettingSpec]:
        """Give the facts by full setting name, profile by profile."""
        return {name: self._spec(name) for name in self._names}

    def _spec(self, name: str) -> SettingSpec:
        fact = self.fact(name)
        where = name if name.startswith("line.") else address(name, self.dialect).base
        kind = self.dialect.protected_kind(where)
        if fact is None:
            flag = not name.startswith("line.") and address(name, self.dialect).kind == "flag"
            options = ("OFF", "ON") if flag else ()
            fixed = kind == "read-only" or name in (self.unavailable or ())
            return SettingSpec(name, Kind.TEXT, options=options, read_only=fixed, identity=kind == "identity")
        default: float | str | None = None
        if fact.default is not None:
            value = self.value(name, fact.default)
            default = value.raw
        return SettingSpec(
            name,
            fact.kind,
            minimum=fact.minimum,
            maximum=fact.maximum,
            options=fact.options,
            default=default,
            read_only=kind == "read-only",
            volatile=kind == "volatile",
            calibration=kind == "calibration",
            identity=kind == "identity",
        )

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into a typed one. Raises ValueError that says why it does not fit."""
        where = address(name, self.dialect)
        fact = self.fact(name)
        if isinstance(value, bool):
            value = "ON" if value else "OFF"
        kind = known.value.kind if known else fact.kind if fact else None
        if where.kind == "scope":
            kind = Kind.UINT8
        if kind is not None and kind is not Kind.TEXT:
            return self._number(value, kind, fact)
        if kind is None and isinstance(value, int | float) and where.kind == "set":
            return _smallest(value)
        text = self._label(_plain(value), fact) if fact else _plain(value)
        self._refuse_bad_text(name, text, where.kind, fact)
        return Value(Kind.TEXT, text.upper() if where.kind == "flag" else text)

    def _number(self, value: Any, kind: Kind, fact: Got | None) -> Value:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(t("{value!r} is not a number", value=value)) from None
        if kind.is_integer and not number.is_integer():
            raise ValueError(t("{value!r} is not a whole number, and the vehicle would cut it off", value=value))
        if (
            fact
            and fact.minimum is not None
            and fact.maximum is not None
            and not fact.minimum <= number <= fact.maximum
        ):
            raise ValueError(
                t("{value} is outside of {low:g} to {high:g}", value=value, low=fact.minimum, high=fact.maximum)
            )
        if kind.is_integer:
            low, high = INT_RANGES[kind]
            if not low <= number <= high:
                raise ValueError(t("{value} does not fit {kind}", value=value, kind=kind.value))
            return Value(kind, int(number))
        return Value(kind, number)

    def _label(self, text: str, fact: Got) -> str:
        if fact.array_length:
            parts = [part.strip() for part in text.split(",")]
            if len(parts) != fact.array_length:
                raise ValueError(
                    t(
                        "{text!r} has {count} values and needs {length}",
                        text=text,
                        count=len(parts),
                        length=fact.array_length,
                    )
                )
            return ",".join(parts)
        if not fact.options:
            return text
        label = next((option for option in fact.options if option.casefold() == text.casefold()), None)
        if label is None:
            near = get_close_matches(text.upper(), fact.options, n=3, cutoff=0.4) or fact.options[:12]
            raise ValueError(t("{text!r} is none of: {options}", text=text, options=", ".join(near)))
        return label

    def _refuse_bad_text(self, name: str, text: str, kind: str, fact: Got | None) -> None:
        if kind == "flag" and text.upper() not in {"ON", "OFF"}:
            raise ValueError(t("{text!r} is neither ON nor OFF", text=text))
        if fact and fact.longest and len(text) > fact.longest:
            raise ValueError(t("{text!r} is longer than {longest} characters", text=text, longest=fact.longest))
        for line in commands(name, text, self.dialect) if kind != "line" else ():
            if why := bad_line(line, self.dialect.max_line):
                raise ValueError(f"{text!r} {why}")


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _smallest(number: float) -> Value:
    if float(number).is_integer():
        for kind in (Kind.UINT8, Kind.INT8, Kind.UINT16, Kind.INT16, Kind.UINT32, Kind.INT32):
            low, high = INT_RANGES[kind]
            if low <= number <= high:
                return Value(kind, int(number))
    return Value(Kind.REAL32, float(number))
