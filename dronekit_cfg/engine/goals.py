"""Turn a profile or a snapshot into the goal of a transaction (snapshots: see `engine.restore`)."""

from __future__ import annotations

from collections.abc import Collection

from dronekit_cfg.engine.generations import require_one_generation
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.restore import goal_from_snapshot
from dronekit_cfg.errors import Unsupported
from dronekit_cfg.model import Identity, Resolved
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.text import t

__all__ = ["goal_from_profile", "goal_from_snapshot", "require_fit", "terms_from_profile"]


def require_fit(resolved: Resolved, identity: Identity) -> None:
    """Raise Unsupported when the profile is not meant for this vehicle or firmware version."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    if resolved.family != identity.family or (resolved.vehicle and resolved.vehicle != identity.vehicle):
        raise Unsupported(
            t(
                "profile {profile} is for {wanted}, and this is {found}",
                profile=resolved.name,
                wanted=f"{resolved.family} {resolved.vehicle}".strip(),
                found=f"{identity.family} {identity.vehicle}".strip(),
            ),
            hint=t("`dronekit-cfg profile list` shows the profiles of each family"),
        )
    # A development build counts as the release it leads to: 4.7.0.dev0 has the settings of 4.7.
    release = Version(identity.version).base_version
    if resolved.firmware and release not in SpecifierSet(resolved.firmware):
        raise Unsupported(
            t(
                "profile {profile} is for firmware {range}, and the vehicle runs {version}",
                profile=resolved.name,
                range=resolved.firmware,
                version=identity.version_text,
            ),
            hint=t("use a profile for this firmware, or change the firmware"),
        )


def terms_from_profile(resolved: Resolved, *, accept: Collection[str] = (), strict: bool = False) -> Terms:
    """Give what a resolved profile is judged by: its inputs, its flags, its waivers."""
    region = {"region": resolved.region} if resolved.region else {}
    return Terms({**resolved.inputs, **region}, resolved.flags, resolved.waivers, frozenset(accept), strict=strict)


def goal_from_profile(resolved: Resolved, *, include: Collection[str] = ()) -> Goal:
    """Give the goal of a resolved profile. Raises FileProblems when it mixes names or units of two generations."""
    require_one_generation(resolved)
    stack = "+".join(resolved.layers) or resolved.name
    return Goal(stack, resolved.digest, resolved.settings, frozenset(include), notes=resolved.notes)
