"""What is fitted to a connected vehicle: what its settings tell, joined with what it says when it is asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dronekit_cfg.errors import LinkError, VehicleError
from dronekit_cfg.model import Identity
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.model import Snapshot

__all__ = ["ask_parts", "built_parts", "fitted_parts", "join_parts"]

_ORDER = ("board", "imu", "compass", "baro", "gps", "battery", "esc", "output", "radio")
_MODULES = {"ublox": "gps", "sik": "radio", "elrs": "radio"}
"""What a device is when it is no flight controller."""


def fitted_parts(connection: Connection, snapshot: Snapshot) -> tuple[Part, ...]:
    """Give everything that is fitted, as far as the vehicle tells. Takes a second or two; never raises for silence."""
    ask_parts(connection)
    return built_parts(connection, snapshot)


def built_parts(connection: Connection, last: Snapshot) -> tuple[Part, ...]:
    """Give the parts for the record of an apply: what settings tell and what was heard, without another word.

    The end of a transaction is no place for further talk: what is cut off there looks like an unfinished apply. So
    whoever wants a full record calls `ask_parts` before the work begins.
    """
    from dronekit_cfg.catalog.inventory import inventory

    return join_parts(last.identity, inventory(last), _heard(connection, last))


def ask_parts(connection: Connection, *, brief: bool = False) -> None:
    """Ask the vehicle itself; what it says is kept with the connection. Silence is no error.

    `brief` ends with the last answer and does not listen for what a radio says once a second.
    """
    driver: Any = connection.driver
    with contextlib.suppress(LinkError, VehicleError):
        if hasattr(driver, "conversation"):
            from dronekit_cfg.talk.mavlink_parts import ANSWER_SECONDS, LISTEN_SECONDS, tell_parts

            seconds = ANSWER_SECONDS if brief else LISTEN_SECONDS
            connection.run(tell_parts(driver.conversation, seconds=seconds))
        elif hasattr(driver, "told_status") and driver.told_status is None:
            connection.run(driver.status())


def _heard(connection: Connection, last: Snapshot) -> tuple[Part, ...]:
    driver: Any = connection.driver
    if hasattr(driver, "conversation"):
        from dronekit_cfg.talk.mavlink_parts import heard_parts

        return heard_parts(driver.conversation)
    if hasattr(driver, "told_status"):
        from dronekit_cfg.catalog.inventory_cli import motor_parts, status_parts

        return (*status_parts(driver.told_status or ""), *motor_parts(driver.told_motors or (), last))
    return ()


def join_parts(identity: Identity, settings: Iterable[Part], told: Iterable[Part]) -> tuple[Part, ...]:
    """Join what settings and the vehicle tell of the same part, and put the board first."""
    uid = t("uid {uid}", uid=identity.uid) if identity.uid else ""
    kind = _MODULES.get(identity.family, "board")
    device = Part(kind, 1, identity.board, uid, firmware=f"{identity.family} {identity.version_text}".strip())
    found = {(p.kind, p.number): p for p in (*([device] if identity.board or identity.uid else []), *settings)}
    for part in told:
        if not part.number:
            own = {key: one for key, one in found.items() if key[0] == part.kind and one.answers is None}
            found |= {key: _joined(one, part) for key, one in own.items()}
            continue
        before = found.get((part.kind, part.number))
        if before is not None:
            found[part.kind, part.number] = _joined(before, part)
        elif part.type or part.answers:
            found[part.kind, part.number] = replace(part, type=part.type or t("unknown type"))
    return tuple(sorted(found.values(), key=lambda p: (_rank(p.kind), p.kind, p.number)))


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _joined(one: Part, other: Part) -> Part:
    """Join two tellings: a name from the vehicle itself says more than a number or "auto" from a setting."""
    known = one.type.lower()
    vague = known in {"", "auto"} or one.type.isdecimal() or other.type.lower().startswith(known)
    type_ = other.type if other.type and vague else one.type
    if one.kind == "board" and other.type:
        type_ = other.type if not one.type else f"{other.type} ({one.type})"
    place = "; ".join(p for p in (one.place, other.place) if p)
    place = one.place if other.place and other.place in one.place else place
    setting = ", ".join(dict.fromkeys(s for s in (one.setting, other.setting) if s))
    answers = one.answers if other.answers is None else other.answers
    firmware = other.firmware or one.firmware
    return replace(one, type=type_, place=place, setting=setting, firmware=firmware, answers=answers)
