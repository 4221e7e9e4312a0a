"""What the families that speak MAVLink share: one driver, which does as the autopilot that answers wants.

The driver knows the conversations, an `Autopilot` what is special about a firmware. Which autopilot it is the heartbeat
tells, so an unknown link is listened to once, whatever families may be behind it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.model import Change, Identity, Outcome, Phase, Setting, Snapshot, Spec, Value
from dronekit_cfg.planner.policy import Resets
from dronekit_cfg.talk import mavlink_commands
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.mavlink_connect import Target, identify
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_events import EventBook
from dronekit_cfg.talk.mavlink_params import read_values
from dronekit_cfg.talk.mavlink_streams import pause_streams, resume_streams
from dronekit_cfg.talk.mavlink_texts import STATES
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["Autopilot", "MavlinkDriver", "TakesFiles"]


class Autopilot(Protocol):
    """What is special about one firmware: its ways on the wire, and what is known about its settings by their names.

    `system_number` are the names of the setting that is the vehicle's own address and acts at once.
    """

    family: str
    traits: Traits
    system_number: frozenset[str]

    def settings(
        self, conversation: Conversation, identity: Identity, *, slow: bool
    ) -> Flow[tuple[str, tuple[Setting, ...]]]:
        """Read every listed setting: how it was read ("mavftp", "list"), and the settings. Raises NoAnswer."""

    def spec(self, conversation: Conversation, identity: Identity) -> Flow[Spec | None]:
        """Read the metadata that the vehicle carries; None when it has none."""

    def forget(self) -> None:
        """Drop what a reboot makes stale."""

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or ""."""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the Value that is stored; ValueError says why it does not fit."""


@runtime_checkable
class TakesFiles(Protocol):
    """An autopilot that can also be given many settings as one file."""

    def bulk(
        self,
        conversation: Conversation,
        identity: Identity | None,
        changes: Sequence[Change],
        known: Mapping[str, Setting],
    ) -> tuple[Change, ...]:
        """Give the changes that are better written as one file than one by one; empty for none."""

    def write_bulk(self, conversation: Conversation, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write what `bulk` gave; outcomes are LOST until everything was read back. Raises Armed, NoAnswer."""


class MavlinkDriver:
    """One connection to one vehicle; implements `families.base.Driver` for the first of `autopilots` that answers.

    `target` is the system (and component) the user named. `slow` uses small file transfer blocks, for telemetry radios.
    `speak_first` sends our heartbeat before anything was heard, for links on which the vehicle waits for it.
    """

    restarting = False

    def __init__(
        self,
        session: Session,
        autopilots: Sequence[Autopilot],
        *,
        target: Target | None = None,
        signing_key: bytes | None = None,
        slow: bool = False,
        speak_first: bool = False,
    ) -> None:
        self.session = session
        self.codec = MavlinkCodec(signing_key=signing_key, now_unix=time.time)
        self.slow = slow
        self.speak_first = speak_first
        self._autopilots = {a.family: a for a in autopilots}
        self._target = target
        self._conversation = Conversation(session, self.codec)
        self._identity: Identity | None = None
        self._listed: Mapping[str, Setting] = {}
        self._become(autopilots[0])

    @property
    def conversation(self) -> Conversation:
        """The conversation with the vehicle, for what is no matter of settings: checks and scenarios."""
        return self._conversation

    def _become(self, autopilot: Autopilot) -> None:
        self._autopilot = autopilot
        self.family = autopilot.family
        self.traits = autopilot.traits

    def identify(self) -> Flow[Identity]:
        """Find the vehicle and ask who it is. Raises NoAnswer, LinkGarbage, SeveralVehicles, Unsupported."""
        families = frozenset(self._autopilots)
        self._identity = yield from identify(
            self._conversation, target=self._target, speak_first=self.speak_first, families=families
        )
        self._become(self._autopilots[self._identity.family])
        return self._identity

    def arm_state(self) -> Flow[ArmState]:
        """Ask for a heartbeat and take the arm state from it. Raises NoAnswer."""
        yield from self._ready()
        heartbeat = yield from mavlink_commands.fresh_heartbeat(self._conversation)
        state = STATES.get(heartbeat["system_status"], "")
        return ArmState(armed=mavlink_commands.is_armed(heartbeat), detail=state)

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read every listed setting. Raises NoAnswer."""
        identity = yield from self._ready()
        yield from pause_streams(self._conversation)
        source, settings = yield from self._autopilot.settings(self._conversation, identity, slow=self.slow)
        self._listed = {setting.name: setting for setting in settings}
        return Snapshot(identity, taken, source, settings)

    def spec(self) -> Flow[Spec | None]:
        """Read the metadata that the vehicle itself carries; None when it has none."""
        identity = yield from self._ready()
        return (yield from self._autopilot.spec(self._conversation, identity))

    def events(self) -> Flow[EventBook | None]:
        """Read what the numbers of the vehicle's events mean; None for a firmware that has none."""
        identity = yield from self._ready()
        reader = getattr(self._autopilot, "events", None)
        return (yield from reader(self._conversation, identity)) if reader else None

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read settings by name, listed or not; None for those the vehicle does not know. Raises NoAnswer."""
        yield from self._ready()
        values = yield from read_values(self._conversation, names)
        return {name: self._setting(name, value) for name, value in values.items()}

    def _setting(self, name: str, value: Value | None) -> Setting | None:
        listed = self._listed.get(name)
        return None if value is None else Setting(name, value, listed.default if listed else None)

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write in the given order, about ten in flight. A change of the vehicle's own system number goes last."""
        yield from self._ready()
        yield from pause_streams(self._conversation)
        numbers = self._autopilot.system_number
        places = sorted(range(len(changes)), key=lambda i: changes[i].name in numbers)
        usual = [i for i in places if changes[i].name not in numbers]
        outcomes = dict(
            zip(usual, (yield from write_values(self._conversation, [changes[i] for i in usual])), strict=True)
        )
        for i in places[len(usual) :]:
            self._conversation.moving_to = int(changes[i].wanted.number)
            (outcomes[i],) = yield from write_values(self._conversation, [changes[i]])
            self._conversation.moving_to = 0
            if self._target is not None:
                self._target = (self._conversation.system, self._target[1])
        return tuple(outcomes[i] for i in range(len(changes)))

    def bulk(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Give those changes that are better written as one file, unseen, than one by one; empty for none."""
        if not isinstance(self._autopilot, TakesFiles):
            return ()
        return self._autopilot.bulk(self._conversation, self._identity, changes, self._listed)

    def write_bulk(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write what `bulk` gave; only reading everything back tells what became of it. Raises Armed, NoAnswer."""
        yield from self._ready()
        yield from pause_streams(self._conversation)
        if not isinstance(self._autopilot, TakesFiles):
            return (yield from write_values(self._conversation, changes))
        return (yield from self._autopilot.write_bulk(self._conversation, changes))

    def commit(self) -> Flow[None]:
        """Do nothing: each write is kept at once."""
        yield from ()

    def discard(self) -> Flow[None]:
        """Put back the telemetry that was paused; there are no staged writes."""
        if self._conversation.paused:
            yield from self._ready()  # the link may have been opened again
            yield from resume_streams(self._conversation)

    def reboot(self) -> Flow[None]:
        """Ask for a reboot and see it accepted. Raises Armed, VehicleError, NoAnswer."""
        yield from self._ready()
        yield from mavlink_commands.reboot(self._conversation)
        self._conversation.paused.clear()  # they come back by themselves, as they are configured by then

    def uptime(self) -> Flow[float | None]:
        """Ask how many seconds the vehicle has been up; None when it cannot tell."""
        yield from self._ready()
        return (yield from mavlink_commands.uptime(self._conversation))

    def forget(self) -> None:
        """Drop what a reboot or a reopened link makes stale; a target that the user named stays."""
        self._conversation.forget()
        self._autopilot.forget()
        self._identity = None
        self._listed = {}

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""
        return self._autopilot.phase(name)

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or ""."""
        return self._autopilot.protected(name)

    def resets_with(self, name: str) -> str:
        """Give the setting whose change a reset goes with, "" when `name` orders no reset."""
        return self._autopilot.resets_with(name) if isinstance(self._autopilot, Resets) else ""

    def kept_by_reset(self, name: str) -> bool:
        """Whether a reset leaves the setting alone."""
        return isinstance(self._autopilot, Resets) and self._autopilot.kept_by_reset(name)

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the Value the vehicle stores; ValueError says why it does not fit."""
        return self._autopilot.coerce(name, value, known)

    def _ready(self) -> Flow[Identity]:
        """Identify first where that has not been done since the link was opened."""
        if self._identity is None:
            return (yield from self.identify())
        return self._identity
