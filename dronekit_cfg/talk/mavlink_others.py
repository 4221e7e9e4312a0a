"""Other ground stations on the same link: who they are, and waiting until they are done."""

from __future__ import annotations

from dronekit_cfg.events import Note
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.text import t

__all__ = ["others", "wait_for_list"]

LIST_SECONDS = 60.0
"""A list of 1,400 settings takes 10 s at 57600 baud; after this long the work goes on beside it."""
LOOK_SECONDS = 0.25


def others(conversation: Conversation) -> str:
    """Name who else is on the link."""
    named = conversation.watch.others(conversation.now)
    return t("ground station {address}", address=named) if named else t("another station")


def wait_for_list(conversation: Conversation) -> Flow[None]:
    """While another station reads all settings over this link, wait, and say so once: its values fill a slow line."""
    watch = conversation.watch
    if not watch.listed_to_another(conversation.now):
        return
    text = t("{who} reads all settings over this link; waiting until that is done", who=others(conversation))
    conversation.session.report(Note(text, level="warning"))
    end = conversation.now + LIST_SECONDS
    while watch.listed_to_another(conversation.now) and conversation.now < end:
        yield from conversation.next(until=conversation.now + LOOK_SECONDS)
    watch.list_is_ours()
