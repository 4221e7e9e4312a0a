"""Write many settings as one packed file. What became of each only a full read-back tells (docs/packed-upload.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dronekit_cfg.errors import Armed
from dronekit_cfg.events import Note, Progress
from dronekit_cfg.model import Change, Identity, Outcome, Setting, Verdict
from dronekit_cfg.planner.cost import choose_way
from dronekit_cfg.talk import mavlink_commands
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_ftp import FtpRefused, block_size, upload
from dronekit_cfg.talk.mavlink_pck import encode_packed
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.text import t

__all__ = ["bulk", "write_bulk"]

UPLOAD = "@PARAM/param.pck"
SINCE = (4, 6)
"""Older firmware was not tried. 4.6 and 4.7-dev have the same code but for who may be written (param_upload_parse)."""


def bulk(
    conversation: Conversation, identity: Identity | None, changes: Sequence[Change], known: Mapping[str, Setting]
) -> tuple[Change, ...]:
    """Give those of the changes that are better written as one file, in the order of the file; empty for none."""
    if identity is None or "mavftp" not in identity.capabilities or _version(identity.version) < SINCE:
        return ()
    return choose_way(identity.family, changes, known, conversation.session.line).packed


def _version(text: str) -> tuple[int, int]:
    parts = text.split(".")
    numbers = [int(part) for part in parts[:2] if part.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def write_bulk(conversation: Conversation, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
    """Write the changes as one file. Raises Armed and NoAnswer, with nothing applied unless the detail says otherwise.

    The vehicle confirms the file and not its settings, so each ends as LOST until it was read back. Where the vehicle
    takes no file they are written one by one.
    """
    report = conversation.session.report
    data = encode_packed([(c.name, c.wanted) for c in changes])
    report(Note(t("{count} settings go as one packed file of {size} bytes", count=len(changes), size=len(data))))
    try:
        yield from upload(
            conversation, UPLOAD, data, block=block_size(conversation), before_last=lambda: _disarmed(conversation)
        )
    except FtpRefused as error:
        report(Note(t("no packed upload ({why}); the settings are written one by one", why=error), level="warning"))
        return (yield from write_values(conversation, changes))
    report(Progress(t("writes"), len(changes), len(changes)))
    detail = t("went with a packed file; reading everything back tells")
    return tuple(Outcome(c.name, c.wanted, None, Verdict.LOST, detail) for c in changes)


def _disarmed(conversation: Conversation) -> Flow[None]:
    """Make sure that the vehicle is not armed: it applies a file in flight as well (tried on the 4.7-dev simulator)."""
    heartbeat = yield from mavlink_commands.fresh_heartbeat(conversation)
    if mavlink_commands.is_armed(heartbeat):
        raise Armed(
            t("the vehicle was armed during the upload; nothing of it was applied"),
            hint=t("disarm it, then run the command again"),
        )
