"""What is fitted to a connected vehicle: what its settings tell, joined with what it says when it is asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dronekit_cfg.errors import DronekitError
from dronekit_cfg.model import Identity
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.model import Snapshot

__all__ = ["ask_parts", "built_parts", "fitted_parts", "join_parts"]

_ORDER = ("board", "imu", "compass", "baro", "gps", "battery", "esc", "radio")


def fitted_parts(connection: Connection, snapshot: Snapshot) -> tuple[Part, ...]:
    """Give everything that is fitted, as far as the vehicle tells. Takes a second or two; never raises for silence."""
    from dronekit_cfg.catalog.inventory import inventory

    return join_parts(snapshot.identity, inventory(snapshot), ask_parts(connection))


def built_parts(last: Snapshot) -> tuple[Part, ...]:
    """Give the parts for the record of an apply: what the last snapshot tells, without another word to the vehicle.

    The end of a transaction is no place for further talk: what is cut off there looks like an unfinished apply.
    """
    from dronekit_cfg.catalog.inventory import inventory

    return join_parts(last.identity, inventory(last), ())


def ask_parts(connection: Connection) -> tuple[Part, ...]:
    """Ask the vehicle itself; nothing where its family cannot be asked, or it does not answer."""
    driver: Any = connection.driver
    with contextlib.suppress(DronekitError):
        if hasattr(driver, "conversation"):
            from dronekit_cfg.talk.mavlink_parts import tell_parts

            return connection.run(tell_parts(driver.conversation))
        if hasattr(driver, "status"):
            from dronekit_cfg.catalog.inventory_cli import status_parts

            return status_parts(connection.run(driver.status()))
    return ()


def join_parts(identity: Identity, settings: Iterable[Part], told: Iterable[Part]) -> tuple[Part, ...]:
    """Join what settings and the vehicle tell of the same part, and put the board first."""
    board = Part("board", 1, identity.board, t("uid {uid}", uid=identity.uid) if identity.uid else "")
    found = {(p.kind, p.number): p for p in (*([board] if identity.board or identity.uid else []), *settings)}
    for part in told:
        before = found.get((part.kind, part.number))
        if before is not None:
            found[part.kind, part.number] = _joined(before, part)
        elif part.type:
            found[part.kind, part.number] = part
    return tuple(sorted(found.values(), key=lambda p: (_rank(p.kind), p.kind, p.number)))


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _joined(one: Part, other: Part) -> Part:
    """Join two tellings: a name from the vehicle itself says more than a number or "auto" from a setting."""
    type_ = other.type if other.type and (one.type in {"", "auto"} or one.type.isdecimal()) else one.type
    if one.kind == "board" and other.type:
        type_ = other.type if not one.type else f"{other.type} ({one.type})"
    place = "; ".join(dict.fromkeys(p for p in (one.place, other.place) if p))
    setting = ", ".join(dict.fromkeys(s for s in (one.setting, other.setting) if s))
    return replace(one, type=type_, place=place, setting=setting, firmware=other.firmware or one.firmware)
