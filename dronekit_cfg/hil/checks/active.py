"""Checks that do something to the vehicle at rest: parameter integrity across a reboot (B22), signing (B23)."""

from __future__ import annotations

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Params
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

SHOWN = 5


def _integrity(bench: Bench, _params: Params) -> Outcome:
    """Read everything, reboot, read everything: nothing may differ but what the firmware itself keeps changing."""
    connection = bench.connection
    connection.require_disarmed()
    bench.say(t("read all settings before the reboot"))
    before = connection.snapshot().by_name
    connection.reboot()
    bench.say(t("read all settings after the reboot"))
    after = connection.snapshot().by_name
    changed = [
        f"{name}: {old.value} -> {after[name].value if name in after else t('gone')}"
        for name, old in before.items()
        if not connection.driver.protected(name) and (name not in after or not old.value.same(after[name].value))
    ]
    changed += [t("{name} is new", name=n) for n in after if n not in before and not connection.driver.protected(n)]
    more = t(" and {n} more", n=len(changed) - SHOWN) if len(changed) > SHOWN else ""
    faults = (t("settings changed over a reboot: {list}{more}", list="; ".join(changed[:SHOWN]), more=more),)
    return Outcome(
        (
            Measure(t("settings that changed"), len(changed), "", 0, 0),
            Measure(t("settings read"), len(after), "", low=1),
        ),
        faults if changed else (),
    )


def _signing(bench: Bench, _params: Params) -> Outcome:
    """Say whether the vehicle signs; an unsigned write attempt would be a write, so none is made."""
    if bench.conversation.codec.signing:
        return Outcome(notes=(t("all frames of the vehicle were signed with the key; others were rejected"),))
    return Outcome(skip=t("no --signing-key was given; the link is not signed"))


CHECKS = (
    Check(
        "parameter-integrity",
        "B22",
        t("Settings survive a reboot"),
        t("read the settings again; a board that forgets has a bad or full storage: change it"),
        families=frozenset({"ardupilot", "px4", "betaflight", "inav"}),
        needs=frozenset({Needs.REBOOT}),
        act=_integrity,
    ),
    Check("signing", "B23", t("Telemetry is signed"), t("give --signing-key"), act=_signing),
)
