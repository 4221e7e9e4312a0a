"""The ArduPilot driver: what is special about ArduPilot among the families that speak MAVLink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.events import Note, Stage
from dronekit_cfg.families.ardupilot import packed, quirks
from dronekit_cfg.families.base import Traits
from dronekit_cfg.model import Change, Identity, Outcome, Phase, Setting, Spec, Value
from dronekit_cfg.talk import mavlink_commands
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_ftp import FtpRefused, block_size, download
from dronekit_cfg.talk.mavlink_others import wait_for_list
from dronekit_cfg.talk.mavlink_params import download_list
from dronekit_cfg.talk.mavlink_pck import decode_packed
from dronekit_cfg.text import t

__all__ = ["Ardupilot"]

PACKED = "@PARAM/param.pck?withdefaults=1"
PACKED_TRIES = 3
EXACT = 1 << 24
"""Beyond this a PARAM_VALUE, which is a float32, may be a rounded integer."""


class Ardupilot:
    """ArduPilot; implements `families.mavlink.Autopilot`."""

    family = "ardupilot"
    traits = Traits(staged=False, boot_seconds=30.0)
    system_number = quirks.SYSTEM_NUMBER

    def settings(
        self, conversation: Conversation, identity: Identity, *, slow: bool
    ) -> Flow[tuple[str, tuple[Setting, ...]]]:
        """Read every listed setting: packed, with defaults, by file transfer; else as a list. Raises NoAnswer."""
        report = conversation.session.report
        report(Stage(t("read all settings")))
        yield from mavlink_commands.started(conversation)
        yield from wait_for_list(conversation)
        if "mavftp" in identity.capabilities:
            found = yield from _packed(conversation, block_size(conversation, slow=slow))
            if found is not None:
                return "mavftp", found
        else:
            report(Note(t("the vehicle has no file transfer; its settings are read one by one")))
        listed = yield from download_list(conversation)
        _warn_rounded(conversation, listed)
        return "list", listed

    def spec(self, conversation: Conversation, identity: Identity) -> Flow[Spec | None]:
        """Give None: ArduPilot carries no metadata."""
        del conversation, identity
        yield from ()
        return None

    def forget(self) -> None:
        """Nothing is kept."""

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""
        return quirks.phase_of(name)

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or ""."""
        return quirks.protected(name)

    def bulk(
        self,
        conversation: Conversation,
        identity: Identity | None,
        changes: Sequence[Change],
        known: Mapping[str, Setting],
    ) -> tuple[Change, ...]:
        """Give the changes that are better written as one packed file than one by one; empty for none."""
        return packed.bulk(conversation, identity, changes, known)

    def write_bulk(self, conversation: Conversation, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write them as one packed file. Raises Armed, NoAnswer."""
        return (yield from packed.write_bulk(conversation, changes))

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the Value the vehicle stores; ValueError says why it does not fit."""
        return quirks.coerce(name, value, known)


def _packed(conversation: Conversation, block: int) -> Flow[tuple[Setting, ...] | None]:
    """Download and decode the packed file; None, with a note, when the list has to be used."""
    problem: Exception | None = None
    for _ in range(PACKED_TRIES):
        try:
            data = yield from download(conversation, PACKED, block=block)
            return decode_packed(data)
        except LinkGarbage as error:
            # The file is made while it is read: a setting that leaves its default meanwhile makes its record longer
            # and moves all behind it, so a block that is read again later does not fit the others (seen on the SITL).
            problem = error
        except (FtpRefused, NoAnswer) as error:
            problem = error
            break
    conversation.session.report(
        Note(t("no packed settings ({why}); they are read one by one", why=problem), level="warning")
    )
    return None


def _warn_rounded(conversation: Conversation, settings: Sequence[Setting]) -> None:
    names = [s.name for s in settings if s.value.kind.is_integer and abs(s.value.number) > EXACT]
    if names:
        conversation.session.report(
            Note(t("these were read rounded to float32: {names}", names=", ".join(names)), level="warning")
        )
