"""Which writes may go to an ArduPilot vehicle as one packed file instead of one by one, and in which order in the file.

The facts are those of docs/packed-upload.md, each tried on the real ArduCopter 4.7-dev simulator: a file that is closed
is applied without an echo, values near their default are taken but not stored, and a setting outside of every group
inherits the flags of the setting before it in the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dronekit_cfg.model import Change, Kind, Phase, Setting, Value, float32

__all__ = ["GROUPS", "SIZES", "file_order", "packable", "packed_size"]

SIZES = {Kind.INT8: 1, Kind.INT16: 2, Kind.INT32: 4, Kind.REAL32: 4}
"""Bytes of a value, for the kinds that ArduPilot has."""
HEADER = 6
GROUPS = ("ATC_", "BATT_", "INS_", "MOT_", "PSC_", "RC1_", "RC2_", "RC3_", "RC4_", "SERVO1_", "SERVO2_", "SERVO3_")
"""Beginnings of names that belong to a group of the firmware for sure, in every vehicle type."""
NEAR = 0.001
"""Ten times the share (0.01 %) within which ArduPilot takes a value for its default and does not store it."""
TINY = 1e-6
"""Ten times the difference below which two float32 count as equal there."""


def packable(change: Change, known: Setting | None) -> bool:
    """Whether a change may go packed: usual, listed with type and default, and stored for sure once it is set.

    ArduPilot does not store an uploaded value that it takes for the default, and the same value sent again by PARAM_SET
    does not mend that: it is no change any more. So such a value must not be uploaded in the first place.
    """
    if change.phase is not Phase.SET or change.old is None or known is None or known.default is None:
        return False
    wanted = change.wanted
    if wanted.kind not in SIZES or wanted.kind is not known.value.kind:
        return False
    return math.isfinite(wanted.number) and not _near(wanted, known.default)


def _near(wanted: Value, default: Value) -> bool:
    number, usual = float32(wanted.number), float32(default.number)
    share = 0.0 if wanted.kind is Kind.INT32 else NEAR * abs(number)
    return abs(number - usual) <= max(TINY, share)


def file_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Give the order in the file; empty when these cannot go packed.

    Known members of groups come first: the firmware judges a setting outside of all groups by the flags that the
    setting before it left behind, and by chance where there is none. Sorted names share most of their letters.
    """
    safe = sorted((c for c in changes if c.name.startswith(GROUPS)), key=lambda c: c.name)
    if not safe:
        return ()
    others = sorted((c for c in changes if not c.name.startswith(GROUPS)), key=lambda c: c.name)
    return (safe[0], *others, *safe[1:])


def packed_size(records: Sequence[tuple[str, Kind]]) -> int:
    """Bytes of a packed file with these records, without defaults: a name shares its beginning with the one before."""
    total, before = HEADER, ""
    for name, kind in records:
        limit = min(len(before), len(name) - 1, 15)
        shared = next((i for i in range(limit) if before[i] != name[i]), limit)
        total += 2 + len(name) - shared + SIZES.get(kind, 4)
        before = name
    return total
