"""Find the vehicle on a MAVLink link and ask who it is.

Nothing is sent before a MAVLink frame was seen, unless asked: bytes that a vehicle of another kind does not understand
could change it. A second vehicle is looked for at once with a broadcast question, because its next heartbeat may be a
second away; later flows keep watching (see `Conversation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dronekit_cfg.errors import LinkError, LinkGarbage, NoAnswer, SeveralVehicles, Unsupported
from dronekit_cfg.model import Identity
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import REQUEST_MESSAGE, command_bytes, is_ack
from dronekit_cfg.talk.mavlink_conversation import Conversation, several
from dronekit_cfg.talk.mavlink_texts import (
    ARDUPILOT,
    PX4,
    VehicleSeen,
    capability_names,
    vehicle_name,
    version_of,
)
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = ["FAMILIES", "Target", "identify"]

FAMILIES: Mapping[int, str] = {ARDUPILOT: "ardupilot", PX4: "px4"}
"""Families by their MAV_AUTOPILOT."""

Target = tuple[int, int | None]
"""System and component that the user named; None or 0 as component stands for any autopilot of the system."""

LISTEN_SECONDS = 4.0
"""How long to listen on a silent link; vehicles send a heartbeat each second."""
LISTEN_LONGER_SECONDS = 8.0
"""How long to listen where frames arrive, but no vehicle's heartbeat yet."""
AUTOPILOT_VERSION_ID = 148
REQUEST_CAPABILITIES = 520
"""The command that firmware older than MAV_CMD_REQUEST_MESSAGE knows."""
VERSION_TRIES = 10
LATE_SECONDS = 0.05
"""How long to go on listening for a second answer to the broadcast, at least."""
AUTOPILOT_COMPONENT = 1


@dataclass(slots=True)
class _Search:
    """What was heard so far. `versions` are the AUTOPILOT_VERSIONs by sender."""

    conversation: Conversation
    target: Target | None
    seen: dict[tuple[int, int], VehicleSeen] = field(default_factory=dict)
    versions: dict[tuple[int, int], Message] = field(default_factory=dict)
    newest_version: int = 1

    def note(self, message: Message) -> None:
        """Take one message of anybody. Raises SeveralVehicles."""
        sender = (message.system, message.component)
        self.newest_version = max(self.newest_version, message.version)
        if message.name == "HEARTBEAT":
            self.seen[sender] = VehicleSeen.of(message)
        elif message.name == "AUTOPILOT_VERSION":
            first = self.versions.setdefault(sender, message)
            if _uid(first) != _uid(message):
                raise SeveralVehicles(
                    t("two vehicles use the address {system}:{component}", system=sender[0], component=sender[1]),
                    hint=t("disconnect one of them; each vehicle on a link needs its own system number"),
                )
        if self.target is None and len(self.vehicles) > 1:
            raise several(self.vehicles)

    @property
    def vehicles(self) -> list[VehicleSeen]:
        """The vehicles that were heard and are meant, by address."""
        return [v for v in (self.seen[k] for k in sorted(self.seen)) if v.is_vehicle and self.is_meant(v)]

    def is_meant(self, vehicle: VehicleSeen) -> bool:
        """Whether the user's choice, if there is one, names this vehicle."""
        if self.target is None:
            return True
        system, component = self.target
        return vehicle.system == system and component in (None, 0, vehicle.component)

    @property
    def strangers(self) -> set[tuple[int, int]]:
        """Autopilots that answered the broadcast and whose heartbeat was not heard yet."""
        if self.target is not None:
            return set()
        return {k for k in self.versions if k not in self.seen and k[1] == AUTOPILOT_COMPONENT}


def identify(
    conversation: Conversation,
    *,
    target: Target | None = None,
    speak_first: bool = False,
    families: frozenset[str] = frozenset({"ardupilot"}),
) -> Flow[Identity]:
    """Find the vehicle, choose it in `conversation` and give its identity.

    `speak_first` sends our heartbeat from the start, for links where the vehicle waits for a first packet. `families`
    are those that are handled; the heartbeat tells which one it is. Raises
    NoAnswer (silence, no vehicle, no answer), LinkGarbage (other bytes, a ground station, unsigned frames),
    SeveralVehicles, Unsupported.
    """
    conversation.forget()
    conversation.named = target is not None
    conversation.speaking = speak_first
    search = _Search(conversation, target)
    vehicle = yield from _first_vehicle(search)
    _require(vehicle, families)
    conversation.speaking = True
    version = yield from _version(search, vehicle)
    yield from _late_answers(search)
    conversation.choose(search.seen[vehicle.system, vehicle.component])
    conversation.bytewise = conversation.watch.announces = _bytewise(vehicle, version["capabilities"])
    conversation.answers_first = vehicle.autopilot == PX4
    return _identity(vehicle, version)


def _first_vehicle(search: _Search) -> Flow[VehicleSeen]:
    conversation = search.conversation
    start = conversation.now
    while True:
        counts = conversation.codec.counts
        patience = LISTEN_LONGER_SECONDS if counts.frames or counts.unsigned else LISTEN_SECONDS
        if conversation.now >= start + patience:
            raise _nobody(search)
        # Step by step: what arrived decides how long to go on.
        message = yield from conversation.next(until=min(conversation.now + 0.5, start + patience))
        if message is not None:
            search.note(message)
            if search.vehicles:
                return search.vehicles[0]
        elif counts.unsigned and not counts.frames:
            # A vehicle without a clock takes the time from our signed frames, and only then are its own new enough.
            conversation.speaking = True


def _nobody(search: _Search) -> LinkError:
    """Say what is on the link instead of the vehicle."""
    counts = search.conversation.codec.counts
    others = ", ".join(str(v) for v in search.seen.values() if v.is_vehicle)
    if search.target is not None and others:
        system, component = search.target
        return NoAnswer(
            t("vehicle {system}:{component} is not on this link", system=system, component=component or "*"),
            hint=t("on it: {others}", others=others),
        )
    if any(v.is_ground_station for v in search.seen.values()):
        return LinkGarbage(
            t("that is a ground station, not a vehicle"),
            hint=t("the two ends of the link are swapped, or another program forwards to this port"),
        )
    if counts.frames:
        return NoAnswer(
            t("MAVLink messages arrive, but no heartbeat of a vehicle"),
            hint=t("is the vehicle powered and, behind a telemetry radio, in range?"),
        )
    if counts.unsigned:
        return LinkGarbage(
            t("MAVLink messages arrive, but they are not signed with this key"),
            hint=t("give the key that the vehicle was set up with, or none if it does not sign"),
        )
    if not counts.silent:
        return LinkGarbage(
            t("bytes arrive, but no MAVLink"),
            hint=t("check the baud rate and that this port of the vehicle speaks MAVLink"),
        )
    return NoAnswer(t("nothing arrives on this link"), hint=t("check power, cable and port; is the right port named?"))


def _require(vehicle: VehicleSeen, families: frozenset[str]) -> None:
    found = FAMILIES.get(vehicle.autopilot)
    if found in families:
        return
    handled = " or ".join(sorted(families))
    if found is not None:
        raise Unsupported(
            t(
                "vehicle {vehicle} is {found}, and {handled} was asked for",
                vehicle=vehicle,
                found=found,
                handled=handled,
            ),
            hint=t("leave --family out, or name the family {found}", found=found),
        )
    raise Unsupported(
        t(
            "vehicle {vehicle} runs autopilot number {number}; {handled} is handled over MAVLink",
            vehicle=vehicle,
            number=vehicle.autopilot,
            handled=handled,
        ),
        hint=t("use that autopilot's own tools"),
    )


def _bytewise(vehicle: VehicleSeen, capabilities: int) -> bool:
    """Say how integers travel. Raises Unsupported where the vehicle contradicts itself: a guess would write nonsense.

    MAV_PROTOCOL_CAPABILITY bit 4 is bytewise, bit 17 the C cast; firmware that sets neither is known by its heartbeat.
    Bit 1, the older name of the cast, is set by PX4 as well and tells nothing.
    """
    bytewise, cast = bool(capabilities >> 4 & 1), bool(capabilities >> 17 & 1)
    if bytewise != cast:
        by_bits = bytewise
    elif not bytewise:
        by_bits = vehicle.autopilot == PX4
    else:
        by_bits = vehicle.autopilot != PX4  # both bits are set: refused below, whichever it is
    if by_bits != (vehicle.autopilot == PX4):
        raise Unsupported(
            t("vehicle {vehicle} does not say clearly how its settings are encoded", vehicle=vehicle),
            hint=t("a settings bridge may stand between; connect to the autopilot itself"),
        )
    return by_bits


def _version(search: _Search, vehicle: VehicleSeen) -> Flow[Message]:
    """Ask for AUTOPILOT_VERSION: everybody first (if no target was named), then the vehicle, then in older ways."""
    conversation = search.conversation
    me = (vehicle.system, vehicle.component)
    asks = _questions(search, me)
    for attempt in range(VERSION_TRIES):
        asked = conversation.now
        until = asked + conversation.round_trip.wait(attempt)
        send = asks[min(attempt, len(asks) - 1)]()
        while (message := (yield from conversation.next(send, until))) is not None:
            send = b""
            search.note(message)
            if me in search.versions:
                if not attempt:
                    conversation.round_trip.measured(conversation.now - asked)
                return search.versions[me]
            refused = is_ack(conversation, message, REQUEST_MESSAGE) and message["result"] in (2, 3, 4)
            if refused and (message.system, message.component) == me:
                break
    raise NoAnswer(
        t("vehicle {vehicle} does not answer", vehicle=vehicle),
        hint=t("is the link two-way? If the vehicle signs its messages, give --signing-key"),
    )


def _questions(search: _Search, me: tuple[int, int]) -> list[Callable[[], bytes]]:
    conversation = search.conversation
    codec = conversation.codec

    def ask(command: int, *params: float, target: tuple[int, int] = me, version: int = 2) -> bytes:
        codec.outgoing_version = version
        return command_bytes(conversation, command, *params, target=target)

    everybody = me if search.target is not None else (0, 0)
    # A peer that was only heard in MAVLink 1 is asked in it, should it not answer in MAVLink 2.
    old = 1 if search.newest_version == 1 and not codec.signing else 2
    return [
        lambda: ask(REQUEST_MESSAGE, AUTOPILOT_VERSION_ID, target=everybody),
        lambda: ask(REQUEST_MESSAGE, AUTOPILOT_VERSION_ID),
        lambda: ask(REQUEST_CAPABILITIES, 1),
        lambda: ask(REQUEST_MESSAGE, AUTOPILOT_VERSION_ID, version=old),
        lambda: ask(REQUEST_CAPABILITIES, 1, version=old),
    ]


def _late_answers(search: _Search) -> Flow[None]:
    """Listen a little for other vehicles that answer the broadcast, and for a second one with the same address."""
    conversation = search.conversation
    end = conversation.now + max(LATE_SECONDS, min(conversation.round_trip.wait(), 0.25))
    grace = end + 1.2
    asked = False
    while conversation.now < end or (search.strangers and conversation.now < grace):
        send = b""
        if search.strangers and not asked:
            asked = True
            send = b"".join(
                command_bytes(conversation, REQUEST_MESSAGE, 0, target=stranger) for stranger in search.strangers
            )
        message = yield from conversation.next(send, end if not search.strangers else grace)
        if message is not None:
            search.note(message)
    if search.strangers:
        raise several([*search.vehicles, *(VehicleSeen(*k, type=0, autopilot=0) for k in sorted(search.strangers))])


def _uid(version: Message) -> str:
    """Give the board's unique number as hex: 12 bytes (STM32) or up to 18 of `uid2`, else the older `uid`, else ""."""
    raw: bytes = version["uid2"]
    if any(raw):
        return (raw if any(raw[12:]) else raw[:12]).hex()
    return f"{version['uid']:016x}" if version["uid"] else ""


def _identity(vehicle: VehicleSeen, message: Message) -> Identity:
    version, text = version_of(message["flight_sw_version"])
    commit, board = _BUILDS[vehicle.autopilot](message)
    return Identity(
        family=FAMILIES[vehicle.autopilot],
        vehicle=vehicle_name(vehicle.type),
        version=version,
        version_text=f"{text} ({commit})" if commit else text,
        board=board,
        uid=_uid(message),
        address=f"{vehicle.system}:{vehicle.component}",
        capabilities=capability_names(message["capabilities"]),
    )


def _ardupilot_build(message: Message) -> tuple[str, str]:
    """Give commit and board. ArduPilot writes eight ASCII characters of the hash; other bytes are no text."""
    raw: bytes = message["flight_custom_version"]
    commit = raw.split(b"\0", 1)[0].decode("ascii", "replace")
    board = message["board_version"] >> 16
    return commit if commit.isalnum() else "", str(board) if board else ""


def _px4_build(message: Message) -> tuple[str, str]:
    """Give commit and board. PX4 sends the first eight bytes of the hash as a number, so the text is backwards."""
    raw: bytes = message["flight_custom_version"]
    commit = raw[::-1].hex()[:8] if any(raw) else ""
    usb = f"{message['vendor_id']:04x}:{message['product_id']:04x}" if message["vendor_id"] else ""
    return commit, "/".join(part for part in (usb, str(message["board_version"] or "")) if part)


_BUILDS: Mapping[int, Callable[[Message], tuple[str, str]]] = {ARDUPILOT: _ardupilot_build, PX4: _px4_build}
