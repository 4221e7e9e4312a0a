"""Secrets: values that a vehicle holds and that nothing we write down may show.

A profile names one as `<secret:NAME>`. Inside, it is a `Value` of kind SECRET whose `raw` is that name and a
fingerprint, an HMAC-SHA256 with a key that never leaves this computer's state folder. So values can be compared,
planned, journaled and verified as all others are, while the text itself is only in a `Vault`, in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from dronekit_cfg.errors import UsageError
from dronekit_cfg.model.value import Kind, Value
from dronekit_cfg.text import t

__all__ = ["Vault", "is_secret", "secret_name"]

_REFERENCE = re.compile(r"<secret:([A-Za-z][A-Za-z0-9_-]{0,39})>")
_SEALED = re.compile(r"<[^<>]*>#[0-9a-f]{8}:[0-9a-f]{32}")
_NAMELESS = "<secret>"
_EMPTY = "<no secret>"
_SHORTEST_REDACTED = 4
"""Shorter texts are not searched for in what is shown: they would hit everything."""


def secret_name(value: object) -> str | None:
    """Give the NAME of a text that is exactly `<secret:NAME>`, in lower case with `_` for `-`; else None."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return _folded(found[1]) if found else None


def is_secret(value: object) -> bool:
    """Whether a profile's value contains, or a vehicle's value is, a secret."""
    if isinstance(value, Value):
        return value.kind is Kind.SECRET
    return isinstance(value, str) and "<secret:" in value


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


class Vault:
    """The texts of secrets, by name and by fingerprint; they are in memory only, and no `repr` shows them.

    `key` gives the key of the fingerprints when the first one is needed; without it the vault makes one of its own, and
    its fingerprints are comparable within this run only.
    """

    def __init__(self, given: Mapping[str, str] | None = None, key: Callable[[], bytes] | None = None) -> None:
        self._given = {_folded(name): text for name, text in (given or {}).items()}
        self._make_key = key or (lambda: secrets.token_bytes(32))
        self._key = b""
        self._texts: dict[str, str] = {}
        self._hushed = 0

    def __repr__(self) -> str:
        return f"Vault({sorted(self._given)})"

    def wanted(self, value: object, form: Callable[[str], str] = str) -> Value:
        """Turn a profile's `<secret:NAME>` into a Value to compare and write; `form` gives it the vehicle's own form.

        What a snapshot holds in its place (name and fingerprint) is taken too, where this run knows the text. Raises
        ValueError for anything else, which would be a secret written down, and UsageError for one not given.
        """
        if isinstance(value, str) and _SEALED.fullmatch(value):
            sealed = Value(Kind.SECRET, value)
            self.open(sealed)
            return sealed
        name = secret_name(value)
        if name is None:
            raise ValueError(t("this is a secret: write <secret:NAME> and give it apart from the profile"))
        if name not in self._given:
            variable = "DRONEKIT_CFG_SECRET_" + name.upper()
            raise UsageError(
                t("the secret {name} is not given", name=name),
                hint=t("set {variable}, or write {name}=... into a file for --secrets", variable=variable, name=name),
            )
        return self._value(f"<secret:{name}>", form(self._given[name]))

    def seal(self, text: str) -> Value:
        """Turn what a vehicle holds into a Value, and remember the text for as long as this run lasts."""
        name = next((n for n, known in self._given.items() if known.casefold() == text.casefold()), "")
        shown = f"<secret:{name}>" if name else _NAMELESS
        return self._value(shown if text else _EMPTY, text)

    def open(self, value: Value) -> str:
        """Give the text of a secret, to be sent to the vehicle and nowhere else.

        Raises UsageError when this run never saw it: an old secret of an interrupted apply may be so.
        """
        mark = str(value.raw).partition("#")[2]
        for text in ("", *self._given.values()):
            for form in (text, text.upper(), text.lower()):  # some radios keep the digits of a key in capitals
                self._value(_NAMELESS, form)
        if mark not in self._texts:
            raise UsageError(
                t("the text of {value} is not known here: it is never stored", value=value),
                hint=t(
                    "give the secret that the vehicle held then as DRONEKIT_CFG_SECRET_OLD, and run the command again"
                ),
            )
        return self._texts[mark]

    @contextmanager
    def hush(self) -> Iterator[None]:
        """Keep what is sent and received meanwhile out of recordings; wrap every exchange that carries a secret."""
        self._hushed += 1
        try:
            yield
        finally:
            self._hushed -= 1

    @property
    def hushed(self) -> bool:
        """Whether a secret is being exchanged right now."""
        return self._hushed > 0

    def redact(self, text: str) -> str:
        """Give `text` with every secret that this run knows replaced by its name: the last net before a screen."""
        for name, secret in self._given.items():
            for form in (secret, secret.upper(), secret.lower()):
                if len(form) >= _SHORTEST_REDACTED:
                    text = text.replace(form, f"<secret:{name}>")
        for secret in self._texts.values():
            if len(secret) >= _SHORTEST_REDACTED:
                text = text.replace(secret, _NAMELESS)
        return text

    def _value(self, shown: str, text: str) -> Value:
        self._key = self._key or self._make_key()
        key_id = hashlib.sha256(b"id" + self._key).hexdigest()[:8]
        mark = f"{key_id}:{hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]}"
        self._texts[mark] = text
        return Value(Kind.SECRET, f"{shown}#{mark}")
