"""Put back what was changed, and prove it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from dronekit_cfg.engine.work import Failed, Work
from dronekit_cfg.errors import DronekitError, LinkError, StateError, WrongVehicle
from dronekit_cfg.events import Note, Stage
from dronekit_cfg.model import Change, Phase, Snapshot, Value
from dronekit_cfg.planner.policy import Resets
from dronekit_cfg.planner.verify import side_effects
from dronekit_cfg.text import t

__all__ = ["roll_back"]

ATTEMPTS = 6
PATIENCE_BOOTS = 2.0
"""For how many boot times a vehicle that went silent is waited for before the work is left to `recover`."""
_UNDO_ORDER = {Phase.SET: 0, Phase.ENABLE: 1, Phase.ROOT: 2, Phase.LINK: 3}
"""Children before the settings that hide them; what can cut our link comes last, as always."""


def roll_back(work: Work, why: str) -> tuple[str, ...]:
    """Restore every touched setting to its old value. Gives () when the old state is verified, else what is wrong.

    Runs to its end even when a stop was requested; only a second request breaks it. Verified means: read back before
    and after a reboot (or, for staged families, after leaving the session without saving).
    """
    work.connection.session.report(Stage(t("roll back")))
    work.connection.session.report(Note(why, level="warning"))
    with contextlib.suppress(StateError):  # a full disk must not keep us from restoring the vehicle
        work.journal.write("undo", why=why)
    if not work.traces:
        return ()
    problems: tuple[str, ...] = ()
    with work.connection.stop.shield():
        needs_link = False
        clock = work.connection.runner.clock
        patience = clock.now() + PATIENCE_BOOTS * work.connection.driver.traits.boot_seconds
        for _ in range(ATTEMPTS):
            if needs_link and clock.now() > patience:
                break
            try:
                if needs_link:
                    work.connection.reconnect()
                    needs_link = False
                problems = _once(work)
                if not problems:
                    return ()
            except LinkError as error:
                problems = (str(error),)
                needs_link = True
            except WrongVehicle as error:
                problems = (str(error),)
                needs_link = True  # the right one may be plugged in again; nothing is said to the other one until then
            except DronekitError as error:
                problems = (str(error),)
            work.connection.session.report(Note("; ".join(problems), level="warning"))
    return problems


def _once(work: Work) -> tuple[str, ...]:
    """One attempt: discard or write back, restart, look, compare."""
    connection = work.connection
    if connection.driver.traits.staged:
        connection.run(connection.driver.discard())
        connection.reconnect()
        work.reboots += 1
    changes = _undo(work, _rejoined(work, work.look(())))
    if changes:
        _write_back(work, changes)
        left = _undo(work, work.look(()))
        if left:
            return tuple(t("{name} is {now} and not {old}", name=c.name, now=c.old, old=c.wanted) for c in left)
    if not connection.driver.traits.staged:
        with contextlib.suppress(StateError):
            work.journal.write("reboot", because="rollback")
        connection.reboot()
        work.reboots += 1
    snapshot = work.look(())
    return tuple(_differences(work, snapshot))


def _rejoined(work: Work, snapshot: Snapshot) -> Snapshot:
    """Give a snapshot with everything that was touched in it, as far as the family can find what is gone.

    A pair of radios of which only one end took the new values does not hear itself any more; its driver meets the far
    end at the values that it may hold by now.
    """
    lost = [name for name, trace in work.traces.items() if name not in snapshot.by_name and not trace.hidden]
    rejoin = getattr(work.connection.driver, "rejoin", None)
    if not lost or rejoin is None:
        return snapshot
    wanted = {name: work.traces[name].wanted for name in lost}
    old = {name: value for name in lost if (value := work.traces[name].old) is not None}
    if not work.connection.run(rejoin((wanted, old))):
        return snapshot
    work.reboots += 1
    return work.look(())


def _write_back(work: Work, changes: list[Change]) -> None:
    connection = work.connection
    connection.require_disarmed()
    with contextlib.suppress(StateError):
        # What a later recover shall go back to is what we go back to now, not what we found.
        work.journal.intent(tuple(replace(c, old=c.wanted) for c in changes))
    outcomes = connection.run(connection.driver.write(changes))
    if connection.driver.traits.staged:
        failed = [o for o in outcomes if not o.ok]
        if failed:
            raise Failed([t("{name} could not be put back", name=o.name) for o in failed])
        connection.run(connection.driver.commit())
        connection.reconnect()


def _undo(work: Work, snapshot: Snapshot) -> list[Change]:
    """Give the writes that lead back, last written first within each phase."""
    changes = []
    for name, old in (*_old_values(work), *_side_effects(work, snapshot)):
        now = snapshot.value(name)
        if now is not None and not old.same(now):
            changes.append(Change(name, old=now, wanted=old, phase=work.connection.driver.phase(name)))
    changes.reverse()
    changes.sort(key=lambda c: _UNDO_ORDER[c.phase])
    return changes


def _old_values(work: Work) -> Iterable[tuple[str, Value]]:
    for name, trace in work.traces.items():
        if trace.old is not None:
            yield name, trace.old


def _side_effects(work: Work, snapshot: Snapshot) -> Iterable[tuple[str, Value]]:
    """Give the old values of settings that the vehicle itself changed to fit ours (Betaflight: d_max follows d).

    Only where the session is ours alone, a text CLI: over MAVLink another ground station may have changed them. And
    where we ordered a reset: what it dropped has to come back, whoever else is there.
    """
    driver = work.connection.driver
    reset = isinstance(driver, Resets) and any(driver.resets_with(name) for name in work.traces)
    if work.before is None or not (driver.traits.staged or reset):
        return
    found = side_effects(work.before, snapshot, work.traces.keys(), work.connection.driver.protected)
    yield from ((name, old) for name, old, _ in found if old is not None)


def _differences(work: Work, snapshot: Snapshot) -> Iterable[str]:
    """Say what is not as it was. A setting that was hidden at the start may be hidden again."""
    for name, old in _old_values(work):
        now = snapshot.value(name)
        if now is None and not work.traces[name].hidden:
            yield t("{name} is not shown any more", name=name)
        elif now is not None and not old.same(now):
            yield t("{name} is {now} and not {old}", name=name, now=now, old=old)
    for name, old in _side_effects(work, snapshot):
        yield t("{name} is {now} and not {old}", name=name, now=snapshot.value(name), old=old)
