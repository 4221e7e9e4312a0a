"""Tell modules apart that have no serial number: by what we are connected to."""

from __future__ import annotations

import re

from dronekit_cfg.events import Note
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.text import t

__all__ = ["known_by"]


def known_by(session: Session, what: str, *, again: bool) -> str:
    """Give a uid from the place of the link, "" when that has no name either; says what a person must know of it, once.

    `again` says that it was asked for before.
    """
    if again:
        pass
    elif not session.place:
        text = t("{what} cannot be told from others: neither they nor the port has a serial number", what=what)
        session.report(Note(text, level="warning"))
    elif "-socket-" in session.place:
        text = t("{what} are known by the USB socket alone: always use the same one for them", what=what)
        session.report(Note(text, level="warning"))
    return re.sub(r"[^A-Za-z0-9.-]+", "-", session.place)
