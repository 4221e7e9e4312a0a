"""What the simulated receivers hear: ten satellites under open sky, unless a fault jams or spoofs them."""

from __future__ import annotations

import struct

from dronekit_cfg.sim.module_options import ModuleFaults
from dronekit_cfg.wire.ubx_signals import MON_HW, MON_RF, NAV_SAT, SEC_SIG

__all__ = ["answer", "spoof_state"]

SATELLITES = 10


def spoof_state(faults: ModuleFaults) -> int:
    """Give the state of NAV-STATUS."""
    return 2 if faults.spoofed else 1


def answer(kind: tuple[int, int], faults: ModuleFaults, *, old: bool, bands: int, security: bool) -> bytes | None:
    """Give the payload of a monitoring message; None for one that the receiver does not know (M8: no MON-RF)."""
    state, indicator, gain = (3, 190, 2100) if faults.jammed else (1, 12, 5200)
    if kind == MON_RF and not old:
        block = struct.pack("<BBBBI4xHHB7x", 0, state, 2, 1, 0, 90, gain, indicator)
        return bytes((0, bands, 0, 0)) + block * bands
    if kind == MON_HW and old:
        head = bytes(16) + struct.pack("<HHBBB", 90, gain, 2, 1, state << 2)
        return head.ljust(45, b"\0") + bytes((indicator,)) + bytes(14)
    if kind == NAV_SAT:
        strength = 27 if faults.jammed else 43
        used = SATELLITES // 2 if faults.jammed else SATELLITES
        rows = (struct.pack("<BBBbhhI", 0, n + 1, strength, 40, 0, 0, (n < used) << 3) for n in range(SATELLITES))
        return struct.pack("<IBB2x", 0, 1, SATELLITES) + b"".join(rows)
    if kind == SEC_SIG and security:
        return bytes((1, 0, 0, 0, 1 | state << 1, 0, 0, 0, 1 | spoof_state(faults) << 1, 0, 0, 0))
    return None
