"""Undo single devices of an aircraft, and finish or undo a whole one whose work was cut off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from dronekit_cfg import __version__
from dronekit_cfg.engine.aircraft_journal import NEW, AircraftStory, StoredPart, decide_old
from dronekit_cfg.engine.aircraft_plan import Host, name_role
from dronekit_cfg.engine.connection import LinkOptions, utc_now
from dronekit_cfg.engine.journal import Journal
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.transaction import current_user
from dronekit_cfg.errors import DronekitError, LinkError, StateError
from dronekit_cfg.events import Note, Stage
from dronekit_cfg.formats.aircraft_json import save_aircraft
from dronekit_cfg.model import Identity, LeftOut, Receipt, Result
from dronekit_cfg.model.aircraft import AircraftReceipt, Part, worst
from dronekit_cfg.text import t

__all__ = ["finish_part", "keep_aircraft_receipt", "recover_aircraft", "undo_part"]

UNDO_TRIES = 4
UNDO_PAUSE = 3.0
"""How often, and with which pause in seconds, a device that does not answer is tried again when it is to be undone."""


def recover_aircraft(
    story: AircraftStory, host: Host, options_of: Callable[[StoredPart], LinkOptions], *, who: str = ""
) -> AircraftReceipt:
    """Bring every device of an aircraft to the new state when that was decided, else to the old one, last first.

    A device that cannot be reached leaves the aircraft in doubt, with its journal open: run it again when it is there.
    `options_of` says how a device is reached now. The receipt is stored too.
    """
    started, start = utc_now(), host.clock.now()
    main = next((p for p in story.parts if p.role == "vehicle"), story.parts[0]).identity
    with host.state.lease(f"aircraft-{main.key}"):
        decide_old(story, "recover")
        with host.stop.shield():
            found = {p.role: _recover_part(p, story, host, options_of(p), who) for p in reversed(story.parts)}
        parts = tuple(found[p.role] for p in story.parts)
        result = worst(tuple(part.result for part in parts))
        if result is Result.UNCHANGED:
            result = Result.DONE if story.decision == NEW else Result.ROLLED_BACK
        with contextlib.suppress(StateError), contextlib.closing(Journal(story.path)) as journal:
            journal.end(result, "recover")
            story.path = journal.path
    notes = (t("all devices had been verified before the work was cut off"),) if story.decision == NEW else ()
    receipt = AircraftReceipt(
        action="recover",
        result=result,
        who=who or current_user(),
        started=started,
        finished=utc_now(),
        seconds=round(host.clock.now() - start, 3),
        tool=f"dronekit-cfg {__version__}",
        profile=str(story.begin.get("profile", "")),
        snapshot_file=str(story.begin.get("snapshot", "")),
        journal_file=str(story.path),
        parts=parts,
        problems=tuple(name_role(p.role, text) for p in parts for text in p.problems),
        notes=notes,
    )
    keep_aircraft_receipt(receipt, host)
    return receipt


def _recover_part(part: StoredPart, story: AircraftStory, host: Host, options: LinkOptions, who: str) -> Part:
    """Recover one device; one whose journal is not open was not begun, or is done with already."""
    receipt: Receipt | None = None
    problems: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    result = Result.UNCHANGED
    own = host.state.open_journal(part.identity)
    if own is not None and own.aircraft == story.id:
        if story.decision == NEW:
            finish_part(host, part.identity)
            result, left_out = Result.DONE, own.left_out
        else:
            host.report(Stage(t("roll back {role}", role=part.role)))
            found = undo_part(host, options, part.identity, who=who)
            if isinstance(found, Receipt):
                receipt, result, problems = found, found.result, found.problems
            else:
                result, problems = Result.IN_DOUBT, (found,)
    return Part(part.role, options.url, part.identity, "", "", result, receipt, problems, left_out)


def finish_part(host: Host, identity: Identity) -> None:
    """End the journal of a device that was verified. If the disk is full by now, `recover` does it later."""
    story = host.state.open_journal(identity)
    if story is not None and story.aircraft:
        with contextlib.closing(Journal(story.path)) as journal, contextlib.suppress(StateError):
            journal.end(Result.DONE)


def keep_aircraft_receipt(receipt: AircraftReceipt, host: Host) -> None:
    """Store the receipt. A disk that is full by now changes nothing about the aircraft, so it is a warning."""
    try:
        save_aircraft(host.state.aircraft_file(receipt.main, "receipts", receipt.started), receipt)
    except StateError as error:
        host.report(Note(t("the receipt was not stored: {error}", error=error), level="warning"))


def undo_part(host: Host, options: LinkOptions, identity: Identity, *, who: str = "") -> Receipt | str:
    """Undo one held device; gives its receipt, or why it could not be done. Link trouble is tried again."""
    last = ""
    for attempt in range(UNDO_TRIES):
        if attempt:
            host.clock.sleep(UNDO_PAUSE)
        try:
            with host.open(options) as connection:
                if connection.identity.key != identity.key:
                    last = t("another device answers at {url}", url=options.url)
                    continue
                receipt = recover(connection, host.state, who=who, action="rollback")
        except LinkError as error:
            last = error.message
            continue
        except DronekitError as error:
            return error.message
        if receipt is None:
            return t("its journal is gone")
        if receipt.result is not Result.IN_DOUBT:
            return receipt
        last = "; ".join(receipt.problems)
    return last
