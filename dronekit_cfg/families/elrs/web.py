"""Talk to an ExpressLRS module in Wi-Fi mode over its web page: binding phrase and domain, which CRSF does not carry.

`GET /config` tells who it is, `GET` and `POST /options.json` read and write its options [ExpressLRS devWIFI.cpp]. The
module keeps no phrase but the UID that is made from it, and that is as good as the phrase: neither is shown or stored.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dronekit_cfg.errors import LinkError, LinkGarbage, NoAnswer
from dronekit_cfg.events import Note
from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.families.places import known_by
from dronekit_cfg.model import (
    Change,
    Identity,
    Kind,
    Outcome,
    Phase,
    Setting,
    SettingSpec,
    Snapshot,
    Spec,
    Value,
    Verdict,
)
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.http import HttpCodec, Response, request

__all__ = ["ElrsWebDriver", "phrase_uid"]

PATIENCE = 4.0
TRIES = 3
GONE_SECONDS = 10.0
PHRASE = "Binding_Phrase"
_VERSION = re.compile(r"v?(\d[^\s-]*)")
_RAW = "uid:"
_NUMBERS: Mapping[str, tuple[str, Kind, int]] = {
    "Wifi_On_Interval": ("wifi-on-interval", Kind.INT32, 86400),
    "Telemetry_Interval": ("tlm-interval", Kind.UINT32, 60000),
    "Fan_Runtime": ("fan-runtime", Kind.UINT32, 86400),
    "Uart_Baud": ("rcvr-uart-baud", Kind.UINT32, 12_000_000),
}
"""Options by the name of the setting: their key, type, and the highest value that makes sense."""
DOMAIN = "Domain"
_DOMAINS = ("AU915", "FCC915", "EU868", "IN866", "AU433", "EU433", "US433", "US433W")
"""What the option `domain` of modules below 1 GHz means [ExpressLRS FHSS.cpp]; others have theirs in their firmware."""


def phrase_uid(phrase: str) -> bytes:
    """Give the UID that a binding phrase means: 6 bytes of an MD5 [ExpressLRS build_flags.py]; blank is unbound."""
    if not phrase:
        return bytes(6)
    return hashlib.md5(f'-DMY_BINDING_PHRASE="{phrase}"'.encode(), usedforsecurity=False).digest()[:6]


def _version(told: object) -> str:
    """Give the number of `v3.5.1-rc1 (abc)`; 0 for what has none."""
    found = _VERSION.match(told) if isinstance(told, str) else None
    return found[1] if found else "0"


class ElrsWebDriver:
    """One connection to one module's web page; implements `families.base.Driver`."""

    family = "elrs"
    traits = Traits(staged=False, boot_seconds=180.0, settle_seconds=1.0)
    restarting = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.codec = HttpCodec()
        self._identity: Identity | None = None
        self._phrases: dict[bytes, Value] = {}

    def _ask(self, method: str, path: str, body: bytes = b"") -> Flow[Response]:
        """Make one request. Raises NoAnswer; the link errors of a module that is away pass through."""
        self.codec.reset()
        send, until = request(method, path, "module", body), self.session.now() + PATIENCE
        answer: Response | None = yield Wait(send, until)
        if answer is None or answer.status == 0:
            raise NoAnswer(
                t("the module's web page does not answer {path}", path=path),
                hint=t("join the module's Wi-Fi network, and give its address: http:10.0.0.1"),
            )
        if answer.status != 200:
            raise LinkGarbage(
                t("the web page answers {path} with status {status}", path=path, status=answer.status),
                hint=t("is this the address of an ExpressLRS module?"),
            )
        return answer

    def _json(self, path: str) -> Flow[dict[str, Any]]:
        last: LinkError | None = None
        for _ in range(TRIES):
            try:
                answer = yield from self._ask("GET", path)
            except NoAnswer as error:
                last = error
                continue
            try:
                found = json.loads(answer.body)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                return found
            last = LinkGarbage(
                t("{path} of this web page is no ExpressLRS answer", path=path), hint=t("check the address")
            )
        assert last is not None
        raise last

    def identify(self) -> Flow[Identity]:
        """Ask who the module is. Raises NoAnswer, LinkGarbage."""
        with self.session.vault.hush():
            found = yield from self._json("/config")
        config = found.get("config")
        if not isinstance(config, dict) or "product_name" not in config:
            raise LinkGarbage(t("this web page is no ExpressLRS module's"), hint=t("check the address"))
        version = _version(config.get("version"))
        self._identity = Identity(
            family="elrs",
            vehicle="rx" if config.get("module-type") == "RX" else "tx",
            version=version,
            version_text=f"ExpressLRS {version}",
            board=str(config["product_name"]),
            uid=known_by(self.session, t("this module"), again=self._identity is not None),
            capabilities=("web",),
        )
        return self._identity

    def arm_state(self) -> Flow[ArmState]:
        """A module in Wi-Fi mode has no link: it flies nothing."""
        yield from ()
        return ArmState(armed=False)

    def _options(self) -> Flow[dict[str, Any]]:
        with self.session.vault.hush():
            return (yield from self._json("/options.json"))

    def _settings(self, options: Mapping[str, Any]) -> tuple[Setting, ...]:
        """Give what the options say. Raises LinkGarbage for a number that no setting can have."""
        told = options.get("uid")
        uid = bytes(n & 0xFF for n in told if isinstance(n, int)) if isinstance(told, list) else b""
        phrase = self._phrases.get(uid)
        if phrase is None:
            phrase = self.session.vault.seal(_RAW + uid.hex() if any(uid) else "")
        found = [Setting(PHRASE, phrase)]
        for name, (key, kind, _) in _NUMBERS.items():
            if isinstance(options.get(key), int):
                try:
                    found.append(Setting(name, Value(kind, options[key])))
                except ValueError as error:
                    raise LinkGarbage(
                        t("the module tells a {name} that cannot be: {error}", name=name, error=error),
                        hint=t("set it on the module's own web page, or update its firmware"),
                    ) from error
        place = options.get("domain")
        if isinstance(place, int):
            label = _DOMAINS[place] if 0 <= place < len(_DOMAINS) else f"#{place}"
            found.append(Setting(DOMAIN, Value(Kind.TEXT, label)))
        return tuple(found)

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read the options. Raises NoAnswer, LinkGarbage."""
        identity = self._identity or (yield from self.identify())
        options = yield from self._options()
        return Snapshot(identity, taken, "web", self._settings(options))

    def spec(self) -> Flow[Spec | None]:
        """Give the facts of the options that this module has."""
        identity = self._identity or (yield from self.identify())
        options = yield from self._options()
        facts = {
            name: SettingSpec(name, kind, minimum=0.0, maximum=float(high))
            for name, (key, kind, high) in _NUMBERS.items()
            if key in options
        }
        if "domain" in options:
            facts[DOMAIN] = SettingSpec(DOMAIN, Kind.TEXT, options=_DOMAINS)
        facts[PHRASE] = SettingSpec(PHRASE, Kind.SECRET)
        return Spec(self.family, identity.vehicle, identity.version, facts, t("the module itself"))

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some options. Raises NoAnswer, LinkGarbage."""
        found = {s.name: s for s in self._settings((yield from self._options()))}
        return {name: found.get(name) for name in names}

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write all options at once, and judge by what is read back."""
        options = yield from self._options()
        known = {s.name for s in self._settings(options)}
        for change in changes:
            if change.name == PHRASE:
                options["uid"] = list(self._uid(change.wanted))
            elif change.name == DOMAIN and DOMAIN in known:
                label = str(change.wanted)
                options["domain"] = int(label[1:]) if label.startswith("#") else _DOMAINS.index(label)
            elif change.name in known:
                options[_NUMBERS[change.name][0]] = int(change.wanted.number)
        options["customised"] = True
        with self.session.vault.hush():
            yield from self._ask("POST", "/options.json", json.dumps(options).encode())
        after = {s.name: s.value for s in self._settings((yield from self._options()))}
        return tuple(self._outcome(change, after.get(change.name)) for change in changes)

    def _uid(self, wanted: Value) -> bytes:
        text = self.session.vault.open(wanted)
        if text.startswith(_RAW):
            return bytes.fromhex(text.removeprefix(_RAW))
        uid = phrase_uid(text)
        self._phrases[uid] = wanted
        return uid

    @staticmethod
    def _outcome(change: Change, echoed: Value | None) -> Outcome:
        if echoed is None:
            return Outcome(change.name, change.wanted, None, Verdict.UNKNOWN)
        if change.wanted.same(echoed):
            return Outcome(change.name, change.wanted, echoed, Verdict.WRITTEN)
        kept = change.old is not None and change.old.same(echoed)
        return Outcome(change.name, change.wanted, echoed, Verdict.DENIED if kept else Verdict.CLAMPED)

    def commit(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def discard(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def reboot(self) -> Flow[None]:
        """Restart the module and see it gone. It is waited for until its Wi-Fi is on again. Raises NoAnswer."""
        self.session.report(
            Note(
                t("the module restarts: join its Wi-Fi network again when it is back, or switch its Wi-Fi on"),
                "warning",
            )
        )
        try:
            yield from self._ask("POST", "/reboot")
            end = self.session.now() + GONE_SECONDS
            while self.session.now() < end:
                yield from self._ask("GET", "/config")
                yield Wait(b"", self.session.now() + 0.1)
        except LinkError:
            return
        raise NoAnswer(
            t("the module does not restart"), hint=t("switch it off and on, then run `dronekit-cfg recover`")
        )

    def uptime(self) -> Flow[float | None]:
        """Give None: the web page does not tell it."""
        yield from ()
        return None

    def forget(self) -> None:
        """Drop half-received bytes."""
        self.codec.reset()

    def phase(self, name: str) -> Phase:
        """What parts the module from its other end comes last."""
        return Phase.LINK if name in {PHRASE, DOMAIN} else Phase.SET

    def protected(self, name: str) -> str:
        """Everything that is shown may be written."""
        del name
        return ""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the stored one. Raises ValueError, UsageError."""
        del known
        if name == PHRASE:
            wanted = self.session.vault.wanted(value)
            self._phrases[phrase_uid(self.session.vault.open(wanted))] = wanted
            return wanted
        if name == DOMAIN:
            if value not in _DOMAINS:
                raise ValueError(
                    t("{name} is one of {known}, not {value!r}", name=name, known=", ".join(_DOMAINS), value=value)
                )
            return Value(Kind.TEXT, str(value))
        if name not in _NUMBERS:
            return Value(Kind.TEXT, str(value))  # no module has it: the engine finds out and says so
        _, kind, high = _NUMBERS[name]
        if not isinstance(value, int) or not 0 <= value <= high:
            raise ValueError(t("{name} is 0 to {high}, not {value!r}", name=name, high=high, value=value))
        return Value(kind, value)
