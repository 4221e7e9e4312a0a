"""Wanted settings that are not written, because the firmware cannot change them or they belong to one unit.

Where the vehicle holds such a value already there is nothing to say. Where it does not, it will not be as the profile
says, however well everything else is written: that has a finding of its own, which somebody has to accept.
"""

from __future__ import annotations

from dronekit_cfg.model import Finding, LeftOut, Wanted
from dronekit_cfg.text import t

__all__ = ["NEVER", "left_out_finding", "left_out_id", "left_out_note"]

NEVER = frozenset({"volatile", "read-only"})
"""What nothing writes, `--include` neither."""

_IDS = {
    "read-only": "LEFT-READONLY",
    "volatile": "LEFT-VOLATILE",
    "calibration": "LEFT-CALIBRATION",
    "identity": "LEFT-IDENTITY",
}
_WHY = {
    "read-only": t("this firmware cannot change it"),
    "volatile": t("it changes by itself"),
    "calibration": t("it is the calibration of one unit"),
    "identity": t("it is the identity of one unit"),
}


def left_out_id(left: LeftOut) -> str:
    """Give the id of the finding, which is what `--accept` names."""
    return _IDS[left.reason]


def left_out_finding(left: LeftOut, wanted: Wanted) -> Finding:
    """Give the finding that blocks an apply until it is accepted; its id stands in `rules.builtin`."""
    where = {"name": left.name, "wanted": left.wanted, "why": _WHY[left.reason]}
    message = (
        t("{name} stays {found} and does not become {wanted}: {why}", found=left.found, **where)
        if left.found is not None
        else t("{name} does not become {wanted}: {why}, and the vehicle does not show it", **where)
    )
    remedy = {
        "read-only": t("use firmware that was built with it, or take it out of the profile"),
        "volatile": t("take it out of the profile"),
    }.get(left.reason, t("add --include {reason} to write it, or take it out of the profile", reason=left.reason))
    return Finding(left_out_id(left), "warning", left.name, message, remedy, wanted.origin)


def left_out_note(left: LeftOut) -> str:
    """Say it in the words of a plan's and a receipt's notes."""
    return t("not set, because {why}: {name}", why=_WHY[left.reason], name=left.name)
