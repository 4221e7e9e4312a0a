"""Read and write the settings of receivers with configuration keys (M9, F9, M10 and later), layer by layer.

A value here is what the next start gives: the battery-backed one, else the one in flash, else the default. What another
device has set in RAM alone is not shown, because it is gone after the next restart. A write goes to all three layers
and counts when RAM and what is stored are as wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from dronekit_cfg.events import Note
from dronekit_cfg.families.ublox.keys import BAUD, BY_KEY, KEYS
from dronekit_cfg.families.ublox.speed import answers, follow
from dronekit_cfg.model import Change, Outcome, Setting, Value, Verdict
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.text import t
from dronekit_cfg.wire.ubx import encode
from dronekit_cfg.wire.ubx_messages import VALSET, Layers, ReadLayer, valset_payload, wildcard

__all__ = ["RESTART_SECONDS", "KeyStore", "fixed_link", "judged"]

RESTART_SECONDS = 1.0
"""How long a receiver that changes its signals may not hear us; 0.5 s by the manual, doubled."""
_MOST = 64
_EVERYWHERE = (Layers.RAM | Layers.BBR | Layers.FLASH, Layers.RAM | Layers.BBR, Layers.RAM)


_SPEED = KEYS[BAUD].key
_LARGE = frozenset({wildcard(KEYS["CFG-MSGOUT-UBX_NAV_PVT_UART1"].key)})
"""Groups of hundreds of keys: those that we want are asked for one by one."""


class KeyStore:
    """The settings of one receiver. `forget` is for a restart: defaults are facts of the firmware and stay."""

    def __init__(self, session: Session, calls: UbxCalls) -> None:
        self._session = session
        self._calls = calls
        self._defaults: dict[int, int] = {}
        self._wildcards = False
        self._layers = _EVERYWHERE[0]
        self.speeds: tuple[int, ...] = ()
        """Speeds that the port may have after a restart, once it was changed."""

    def known(self) -> Flow[Mapping[int, int]]:
        """Give the default of every key that this firmware knows; found out by asking, not by its version."""
        if not self._defaults:
            probe = KEYS["CFG-RATE-MEAS"].key  # every firmware has it
            found = yield from self._calls.values(ReadLayer.DEFAULT, [wildcard(probe)])
            self._wildcards = probe in found
            self._defaults = yield from self._layer(ReadLayer.DEFAULT, tuple(BY_KEY))
        return self._defaults

    def _layer(self, layer: ReadLayer, keys: Sequence[int]) -> Flow[dict[int, int]]:
        """Read what a layer holds of some keys, by whole groups where the receiver gives them and that is shorter."""
        groups: dict[int, list[int]] = {}
        for key in keys:
            groups.setdefault(wildcard(key), []).append(key)
        wanted: list[int] = []
        for group, members in groups.items():
            whole = self._wildcards and len(members) > 1 and group not in _LARGE
            wanted += [group] if whole else members
        found = yield from self._calls.values(layer, wanted)
        return {key: found[key] for key in keys if key in found}

    def read(self, names: Collection[str] | None = None) -> Flow[tuple[Setting, ...]]:
        """Read all settings, or some; those that the firmware does not know are left out. Raises NoAnswer."""
        defaults = yield from self.known()
        wanted = [k.key for n, k in KEYS.items() if k.key in defaults and (names is None or n in names)]
        stored = yield from self._stored(wanted)
        return tuple(_setting(key, stored.get(key, defaults[key]), defaults[key]) for key in wanted)

    def _stored(self, keys: Sequence[int]) -> Flow[dict[int, int]]:
        battery = yield from self._layer(ReadLayer.BBR, keys)
        flash = yield from self._layer(ReadLayer.FLASH, [k for k in keys if k not in battery])
        return flash | battery

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write to every layer, and judge by what is read back.

        What restarts the receiver comes last and at once, and behind it the speed of its port, which the link follows.
        """
        defaults = yield from self.known()
        raw = {
            KEYS[c.name].key: KEYS[c.name].encode(c.wanted)
            for c in changes
            if c.name in KEYS and KEYS[c.name].key in defaults
        }
        speed = raw.get(_SPEED)
        plain = [key for key in raw if not BY_KEY[key].restart and key != _SPEED]
        signals = [key for key in raw if BY_KEY[key].restart]
        for start in range(0, len(plain), _MOST):
            yield from self._set({key: raw[key] for key in plain[start : start + _MOST]}, split=True)
        if signals:
            # Bands and constellations depend on each other, so they are stored together or not at all.
            yield from self._set({key: raw[key] for key in signals}, split=False)
            yield from self._restarted()
        stuck = speed is not None and not (yield from self._change_speed(speed))
        running = yield from self._calls.values(ReadLayer.RAM, tuple(raw))
        stored = yield from self._stored(tuple(raw))
        outcomes = (self._outcome(c, raw, running, stored) for c in changes)
        return tuple(replace(o, detail=fixed_link()) if stuck and o.name == BAUD else o for o in outcomes)

    def _restarted(self) -> Flow[None]:
        """Wait until a receiver that changes its signals is back."""
        yield from self._calls.pause(RESTART_SECONDS / 2)
        yield from answers(self._calls, tries=5)

    def _change_speed(self, new: int) -> Flow[bool]:
        """Change the speed of the port, with the link; False when the link cannot follow, and nothing was sent."""
        old = (yield from self._calls.values(ReadLayer.RAM, [_SPEED])).get(_SPEED, 0)
        # The same speed again: this finds out which layers it has, before the answer gets lost in the change.
        yield from self._set({_SPEED: old}, split=False)
        order = encode(*VALSET, valset_payload(self._layers, {_SPEED: new}))
        self.speeds = (new, old)
        return (yield from follow(self._calls, order, old, new)) is not None

    def _set(self, values: Mapping[int, int], *, split: bool) -> Flow[bool]:
        """Write to as many layers as the receiver has; with `split`, one by one when it refuses them together."""
        for layers in _EVERYWHERE:
            taken = yield from self._calls.acknowledged(VALSET, valset_payload(layers, values))
            if taken is not False:
                self._layers = layers
                self._say(layers)
                return True
            if split and len(values) > 1:
                for key, value in values.items():
                    yield from self._set({key: value}, split=False)
                return True
        return False

    def _say(self, layers: Layers) -> None:
        if Layers.FLASH not in layers and Layers.BBR in layers:
            text = t("no flash: the settings last as long as the receiver's backup battery")
            self._session.report(Note(text, level="warning"))

    def _outcome(
        self, change: Change, raw: Mapping[int, int], running: Mapping[int, int], stored: Mapping[int, int]
    ) -> Outcome:
        entry = KEYS.get(change.name)
        if entry is None or entry.key not in raw:
            return Outcome(change.name, change.wanted, None, Verdict.UNKNOWN)
        now = running.get(entry.key)
        echoed = None if now is None else entry.decode(now)
        if change.wanted.same(echoed):
            kept = stored.get(entry.key, self._defaults[entry.key])
            echoed = entry.decode(kept)
            if not change.wanted.same(echoed):
                return Outcome(change.name, change.wanted, echoed, Verdict.DENIED, t("it is kept in RAM only"))
            if Layers.FLASH not in self._layers:
                text = t("the receiver has no flash: its settings last as long as its backup battery")
                return Outcome(change.name, change.wanted, echoed, Verdict.WRITTEN, text)
        return judged(change, echoed)


def fixed_link() -> str:
    """Say why the speed of the port was not changed."""
    return t("this link cannot change its speed: connect the receiver to a serial port")


def judged(change: Change, echoed: Value | None) -> Outcome:
    """Compare what was read back with what was wanted and what was before."""
    if echoed is None:
        return Outcome(change.name, change.wanted, None, Verdict.LOST)
    if change.wanted.same(echoed):
        return Outcome(change.name, change.wanted, echoed, Verdict.WRITTEN)
    kept = change.old is not None and change.old.same(echoed)
    return Outcome(change.name, change.wanted, echoed, Verdict.DENIED if kept else Verdict.CLAMPED)


def _setting(key: int, raw: int, default: int) -> Setting:
    entry = BY_KEY[key]
    return Setting(entry.name, entry.decode(raw), entry.decode(default))
