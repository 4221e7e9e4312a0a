"""Sets up MAVLink signing and checks it: over a new connection, with the key and without it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import LinkGarbage, NoAnswer, Unsupported, UsageError, VehicleError
from dronekit_cfg.events import Reporter, Stage, silent
from dronekit_cfg.links.base import Clock
from dronekit_cfg.model import Identity
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_sign import is_signed
from dronekit_cfg.talk.mavlink_sign import set_up_signing as send_key
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink_signing import NO_KEY, read_signing_key, signing_ticks

__all__ = ["Bench", "Signing", "check_signing", "set_up_signing", "take_key_away"]

Confirm = Callable[[Connection], bool]


@dataclass(frozen=True, slots=True)
class Signing:
    """How a vehicle signs on a link: `strict` says that it refuses what is not signed with its key there."""

    identity: Identity
    strict: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """The connection that the work goes over; a new one is made for each step."""

    options: LinkOptions
    clock: Clock | None = None
    report: Reporter = silent
    stop: Stop | None = None


def set_up_signing(bench: Bench, key_file: Path, confirm: Confirm) -> Signing:
    """Give the vehicle the key of `key_file`, and prove that it signs with it.

    The connection of `bench` uses the key that the vehicle has now, if it has one. Raises Armed, Unsupported (no
    MAVLink), UsageError (bad key file, a recording would hold the key, not confirmed), VehicleError (it does not sign).
    """
    key = read_signing_key(key_file)
    if key == NO_KEY:
        raise UsageError(t("a key of zeros means no signing"), hint=t("make another one with --make"))
    _send(bench, key, signing_ticks(time.time()), confirm)
    try:
        return check_signing(replace(bench, options=replace(bench.options, signing_key=key_file)))
    except LinkGarbage as error:
        raise VehicleError(
            t("the vehicle does not sign with this key: {error}", error=error.message),
            hint=t("if it signs with an older key, name that one with --signing-key; else its firmware cannot sign"),
        ) from error


def take_key_away(bench: Bench, confirm: Confirm) -> Identity:
    """Switch signing off, and prove that it is off. Raises as `set_up_signing` does."""
    _send(bench, NO_KEY, 0, confirm)
    with _connected(replace(bench, options=replace(bench.options, signing_key=None))) as connection:
        if connection.run(is_signed(_conversation(connection))):
            raise VehicleError(
                t("the vehicle goes on signing"), hint=t("name the key that it has with --signing-key, and try again")
            )
        return connection.identity


def check_signing(bench: Bench) -> Signing:
    """Check that the vehicle signs with the key of the connection, and whether it refuses what is not signed.

    Raises LinkGarbage when it does not sign, or with another key.
    """
    with _connected(bench) as connection:
        _conversation(connection)
        identity = connection.identity
    bench.report(Stage(t("ask without the key")))
    keyless = replace(bench.options, signing_key=None, family=identity.family)
    try:
        with _connected(replace(bench, options=keyless)):
            strict = False
    except NoAnswer:
        strict = True
    return Signing(identity, strict)


def _connected(bench: Bench) -> AbstractContextManager[Connection]:
    return connect(bench.options, clock=bench.clock, report=bench.report, stop=bench.stop)


def _send(bench: Bench, key: bytes, ticks: int, confirm: Confirm) -> None:
    if bench.options.record is not None:
        raise UsageError(t("a recording would hold the key"), hint=t("leave --record out"))
    with _connected(bench) as connection:
        conversation = _conversation(connection)
        connection.require_disarmed()
        if not confirm(connection):
            raise UsageError(t("not confirmed; nothing was sent"), hint=t("answer y, or give --yes"))
        connection.run(send_key(conversation, key, ticks))


def _conversation(connection: Connection) -> Conversation:
    found = getattr(connection.driver, "conversation", None)
    if not isinstance(found, Conversation):
        raise Unsupported(
            t("{family} does not speak MAVLink, so there is nothing to sign", family=connection.identity.family),
            hint=t("signing is for ArduPilot and PX4"),
        )
    return found
