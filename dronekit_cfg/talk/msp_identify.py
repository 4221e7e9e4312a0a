"""Find out who is behind a port that may speak MSP or may sit in its text CLI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.formats.cli_dump import Header, parse_header
from dronekit_cfg.talk.cli_session import CliSession, Entry
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.msp_calls import MspCalls
from dronekit_cfg.text import t
from dronekit_cfg.wire import msp_messages as layout
from dronekit_cfg.wire.msp import Direction, MspFrame
from dronekit_cfg.wire.msp_messages import ApiVersion, BoardInfo, BuildInfo, Code, FirmwareVersion

__all__ = ["Answers", "ask_in_cli", "ask_who", "guess_noise", "hears_msp", "is_cli_echo", "make_sense"]

T = TypeVar("T")

FIRST_PATIENCE = 0.3
_VARIANTS = {"BTFL": "betaflight", "INAV": "inav"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a vehicle says about itself over MSP. `family` is "" for a firmware that is not ours."""

    family: str
    variant: str
    api: ApiVersion
    version: FirmwareVersion
    board: BoardInfo
    build: BuildInfo
    uid: str


def hears_msp(calls: MspCalls, *, seconds: float) -> Flow[ApiVersion | None]:
    """Ask for the API version, a request that does no harm in a CLI, for `seconds`; None when there is no answer.

    Ends early when bytes arrive that are no MSP: `is_cli_echo` tells whether a CLI sent them. A vehicle that boots is
    silent, so nothing else is tried on a silent one: a `#` that it finds when it is up would put it into its CLI.
    """
    calls.noise = b""
    for _ in range(max(1, round(seconds / FIRST_PATIENCE))):
        try:
            frame = yield from calls.ask(Code.API_VERSION, tries=1, patience=FIRST_PATIENCE)
        except NoAnswer:
            if is_cli_echo(calls.noise):
                return None
            continue
        return make_sense(layout.parse_api_version, frame)
    return None


def is_cli_echo(noise: bytes) -> bool:
    """Whether the bytes are what a CLI echoes of an MSP request: its printable characters."""
    return b"$M<" in noise or b"\r\n# " in noise


def ask_who(calls: MspCalls, api: ApiVersion) -> Flow[Answers]:
    """Ask everything that tells who the vehicle is. Raises NoAnswer, LinkGarbage."""
    codes = (Code.FC_VARIANT, Code.FC_VERSION, Code.BOARD_INFO, Code.BUILD_INFO, Code.UID)
    frames = yield from calls.ask_many([(code, b"") for code in codes])
    try:
        variant = layout.parse_variant(_payload(frames[0]))
        return Answers(
            _VARIANTS.get(variant, ""),
            variant,
            api,
            layout.parse_firmware_version(_payload(frames[1])),
            layout.parse_board_info(_payload(frames[2])),
            layout.parse_build_info(_payload(frames[3])),
            layout.parse_uid(_payload(frames[4])) if frames[4].direction is Direction.REPLY else "",
        )
    except ValueError as error:
        raise _nonsense(error) from error


def ask_in_cli(cli: CliSession) -> Flow[Header]:
    """Ask a vehicle that sits in its CLI who it is, and leave it there with whatever is staged.

    Raises NoAnswer, and LinkGarbage where its version line says nothing.
    """
    if (yield from cli.enter(expect_open=True)) is Entry.NONE:
        raise NoAnswer(t("a CLI echoes but does not answer"), hint=t("power the vehicle off and on"))
    header = parse_header((yield from cli.line("version")))
    cli.forget()
    if header is None:
        raise LinkGarbage(
            t("an unknown firmware sits in its CLI"), hint=t("this tool knows Betaflight from 4.3 and INAV from 7 on")
        )
    return header


def make_sense(parser: Callable[[bytes], T], frame: MspFrame) -> T:
    """Read a reply. Raises LinkGarbage where it is a refusal or does not fit its layout."""
    try:
        return parser(_payload(frame))
    except ValueError as error:
        raise _nonsense(error) from error


def _nonsense(error: ValueError) -> LinkGarbage:
    return LinkGarbage(
        t("the vehicle's answers make no sense: {error}", error=error),
        hint=t("check the cable and the baud rate; if they are right, this firmware is not supported"),
    )


def guess_noise(noise: bytes) -> LinkGarbage | None:
    """Say what the bytes that are no MSP probably are; None when there were none."""
    if not noise:
        return None
    if _looks_like_mavlink(noise):
        return LinkGarbage(
            t("this port speaks MAVLink, not MSP"),
            hint=t("a vehicle that speaks MAVLink runs ArduPilot or PX4: use --family ardupilot or px4"),
        )
    return LinkGarbage(
        t("bytes arrive that are neither MSP nor a CLI"),
        hint=t("check the baud rate (Betaflight and INAV: 115200) and that this port has MSP enabled"),
    )


def _looks_like_mavlink(noise: bytes) -> bool:
    """Whether a MAVLink 1 or 2 frame header is followed by another one where it says."""
    for place, byte in enumerate(noise):
        head = {0xFD: 12, 0xFE: 8}.get(byte)
        if head is None or place + 1 >= len(noise):
            continue
        after = place + head + noise[place + 1]
        if after == len(noise) or (after < len(noise) and noise[after] == byte):
            return True
    return False


def _payload(frame: MspFrame) -> bytes:
    if frame.direction is Direction.REFUSAL:
        raise ValueError(t("message {code} is refused", code=frame.code))
    return frame.payload
