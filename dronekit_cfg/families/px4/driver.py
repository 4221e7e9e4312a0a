"""The PX4 driver: what is special about PX4 among the families that speak MAVLink.

Facts (src/modules/mavlink/mavlink_parameters.cpp and a recording of 2024-10): integers travel bytewise; a write of the
wrong type and an unknown name are answered with silence; values are never checked against their range; each change is
sent out again 20 ms to some 100 ms later, together with others that are not stored yet; reads by name and index are
answered at once, while a list leaves at 20 settings per pass.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dronekit_cfg.catalog.importers.px4_json import import_json
from dronekit_cfg.catalog.vehicle_cache import keep, keep_file, kept, kept_file
from dronekit_cfg.errors import LinkGarbage, MetadataError, NoAnswer
from dronekit_cfg.events import Note, Stage
from dronekit_cfg.families.base import Traits
from dronekit_cfg.families.px4 import quirks
from dronekit_cfg.families.px4.checksum import NAME, checksum
from dronekit_cfg.model import Identity, Phase, Setting, Spec, Value
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_events import EventBook, read_book
from dronekit_cfg.talk.mavlink_ftp import FtpRefused
from dronekit_cfg.talk.mavlink_metadata import EVENTS, PARAMETERS, crc32, fetch, metadata_files, unpacked
from dronekit_cfg.talk.mavlink_params import download_list, read_values
from dronekit_cfg.text import t

__all__ = ["Px4"]

LIST_TRIES = 3
FAST_SECONDS = 0.05
"""Up to this round trip a list is helped along with reads; on a slow radio these would only add load."""
HELPERS = 40
"""Reads in flight beside a list."""


class Px4:
    """PX4; implements `families.mavlink.Autopilot`.

    A list that the vehicle's checksum confirmed is kept until the next reboot or reconnect: while the checksum stays
    the same, only what it leaves out is read again.
    """

    family = "px4"
    # Settings are stored 0.3 to 2 s after a write; a reboot before loses them all (PX4 issues 2946, 10790, 16147).
    traits = Traits(staged=False, boot_seconds=40.0, settle_seconds=3.0)
    system_number: frozenset[str] = frozenset()

    def __init__(self, *, cache: Path | None = None) -> None:
        """`cache` is the folder that keeps the metadata of vehicles."""
        self._kept: tuple[Setting, ...] = ()
        self._cache = cache
        self._spec: Spec | None = None

    def settings(
        self, conversation: Conversation, identity: Identity, *, slow: bool
    ) -> Flow[tuple[str, tuple[Setting, ...]]]:
        """Read every listed setting, confirmed by the vehicle's checksum. Raises NoAnswer."""
        del identity
        conversation.session.report(Stage(t("read all settings")))
        before = yield from _vehicle_checksum(conversation)
        if before is not None and self._kept and checksum(self._kept) == before:
            return "list", (yield from _refreshed(conversation, self._kept))
        helpers = HELPERS if conversation.reads.wait() <= FAST_SECONDS and not slow else 0
        for _ in range(LIST_TRIES):
            found = yield from download_list(conversation, helpers=helpers)
            after = yield from _vehicle_checksum(conversation)
            if after is None or before is None:
                return "list", found
            if checksum(found) == after:
                self._kept = found
                return "list", found
            if before == after:
                break
            before = after  # something changed during the download: it may be old and new mixed
        conversation.session.report(
            Note(t("the vehicle's checksum over its settings could not be confirmed"), level="warning")
        )
        return "list", found

    def spec(self, conversation: Conversation, identity: Identity) -> Flow[Spec | None]:
        """Read the metadata that the vehicle carries, once; None, with a note, when there is none that is sound."""
        if self._spec is not None or "mavftp" not in identity.capabilities:
            return self._spec
        report = conversation.session.report
        try:
            offered = yield from metadata_files(conversation)
            file = offered.files.get(PARAMETERS)
            if file is None:
                return None
            spec = kept(self._cache, self.family, file.crc) if self._cache else None
            if spec is None:
                report(Stage(t("read the metadata that the vehicle carries")))
                content = unpacked((yield from fetch(conversation, file)), file.path)
                spec = import_json(json.dumps(content).encode(), version=identity.version, file=file.path)
                if self._cache:
                    keep(self._cache, self.family, file.crc, spec)
        except (NoAnswer, FtpRefused, LinkGarbage, MetadataError) as error:
            report(Note(t("the vehicle's own metadata is not used: {why}", why=error.message), level="warning"))
            return None
        source = t("the vehicle itself, {path} {crc:08x}", path=file.path, crc=file.crc)
        self._spec = replace(
            spec, vehicle=identity.vehicle, version=identity.version, source=source, exact=offered.matches
        )
        return self._spec

    def events(self, conversation: Conversation, identity: Identity) -> Flow[EventBook | None]:
        """Read what the numbers of the vehicle's events mean; None, with a note, where it does not say so soundly."""
        if "mavftp" not in identity.capabilities:
            return None
        try:
            file = (yield from metadata_files(conversation)).files.get(EVENTS)
            if file is None:
                return None
            data = kept_file(self._cache, "px4-events", file.crc) if self._cache else b""
            if crc32(data) != file.crc or not data:
                conversation.session.report(Stage(t("read what the vehicle's events mean")))
                data = yield from fetch(conversation, file)
                if self._cache:
                    keep_file(self._cache, "px4-events", file.crc, data)
            return read_book(unpacked(data, file.path))
        except (NoAnswer, FtpRefused, LinkGarbage) as error:
            note = t("events of the vehicle are not put into words: {why}", why=error.message)
            conversation.session.report(Note(note, level="warning"))
            return None

    def forget(self) -> None:
        """Drop the settings that were kept; the metadata belongs to the firmware, which a reboot does not change."""
        self._kept = ()

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""
        return quirks.phase_of(name)

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or ""."""
        return quirks.protected(name)

    def resets_with(self, name: str) -> str:
        """Give the setting whose change a reset goes with, "" when `name` orders no reset."""
        return quirks.AIRFRAME if name == quirks.RESET else ""

    def kept_by_reset(self, name: str) -> bool:
        """Whether a reset leaves the setting alone."""
        return quirks.kept_by_reset(name)

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the Value the vehicle stores; ValueError says why it does not fit."""
        return quirks.coerce(name, value, known)


def _vehicle_checksum(conversation: Conversation) -> Flow[int | None]:
    """Ask for the checksum; None where it is switched off (MAV_HASH_CHK_EN) or not known."""
    found = (yield from read_values(conversation, [NAME]))[NAME]
    return None if found is None else int(found.number)


def _refreshed(conversation: Conversation, kept: tuple[Setting, ...]) -> Flow[tuple[Setting, ...]]:
    """Read again what the checksum leaves out."""
    values = yield from read_values(conversation, [s.name for s in kept if quirks.is_left_out_of_checksum(s.name)])
    return tuple(Setting(s.name, values.get(s.name) or s.value) for s in kept)
