"""The checks that this package carries, and those that others add through the entry point `dronekit_cfg.checks`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.hil.check import Check
from dronekit_cfg.hil.checks import (
    active,
    compass,
    denial,
    inertial,
    motors,
    motors_msp,
    motors_px4,
    msp,
    msp_outside,
    navigation,
    operated,
    operated_px4,
    power,
    px4,
    px4_settings,
    static,
    system,
)
from dronekit_cfg.text import t

__all__ = ["GROUP", "all_checks", "find_check"]

GROUP = "dronekit_cfg.checks"
"""Entry point group: each entry is a Check, or a sequence of them."""

_MODULES = (
    *(static, system, inertial, compass, navigation, power, operated, denial, motors, active),
    *(msp, msp_outside, motors_msp, px4, px4_settings, operated_px4, motors_px4),
)


@cache
def all_checks() -> Mapping[str, Check]:
    """Give every check by name, the shipped ones in the order of their numbers. Raises UsageError for a bad add-on."""
    shipped = sorted((c for module in _MODULES for c in module.CHECKS), key=lambda c: (c.number, c.name))
    found = {check.name: check for check in shipped}
    for point in entry_points(group=GROUP):
        try:
            loaded = point.load()
        except Exception as error:
            raise UsageError(
                t(
                    "the checks of {name} ({value}) cannot be loaded: {error}",
                    name=point.name,
                    value=point.value,
                    error=error,
                ),
                hint=t("uninstall the package that brings them, or mend it"),
            ) from error
        for check in loaded if isinstance(loaded, (list, tuple)) else (loaded,):
            if not isinstance(check, Check):
                raise UsageError(
                    t("entry point {name} of {group} gives no Check", name=point.name, group=GROUP),
                    hint=t("uninstall the package that brings it, or mend it"),
                )
            if check.name in found:
                raise UsageError(t("two checks are called {name}", name=check.name), hint=t("rename one of them"))
            found[check.name] = check
    return found


def find_check(name: str, family: str = "") -> Check:
    """Give a check by name, one that is for `family`. Raises UsageError that lists what there is."""
    checks = {n: c for n, c in all_checks().items() if not family or family in c.families}
    if name in checks:
        return checks[name]
    other = all_checks().get(name)
    if other is None:
        listed = t("there are: {names}", names=", ".join(checks))
        raise UsageError(t("there is no check {name!r}", name=name), hint=did_you_mean(name, checks, otherwise=listed))
    words = set(name.split("-"))
    alike = ", ".join(n for n in checks if words & set(n.split("-")))
    alike = alike or ", ".join(n for n, c in checks.items() if c.number == other.number)
    raise UsageError(
        t(
            "check {name} is for {families}, and this is {family}",
            name=name,
            families=", ".join(sorted(other.families)),
            family=family,
        ),
        hint=t("for {family} there is {names}", family=family, names=alike or t("none like it")),
    )
