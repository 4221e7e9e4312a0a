"""Turn a profile or a snapshot into the goal of a transaction."""

from __future__ import annotations

from collections.abc import Collection

from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.errors import Unsupported, WrongVehicle
from dronekit_cfg.model import Identity, Origin, Resolved, Snapshot, Wanted
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
    return Terms(resolved.inputs, resolved.flags, resolved.waivers, frozenset(accept), strict=strict)


def goal_from_profile(resolved: Resolved, *, include: Collection[str] = ()) -> Goal:
    """Give the goal of a resolved profile."""
    stack = "+".join(resolved.layers) or resolved.name
    return Goal(stack, resolved.digest, resolved.settings, frozenset(include), notes=resolved.notes)


def goal_from_snapshot(
    snapshot: Snapshot, identity: Identity, *, file: str = "", include: Collection[str] = (), clone: bool = False
) -> Goal:
    """Give the goal of a restore.

    On the vehicle that the snapshot was taken from, calibration and identity are restored as well. On another one
    (`clone`), they are left out unless `include` names them. Raises WrongVehicle without `clone`.
    """
    if snapshot.identity.family != identity.family or snapshot.identity.vehicle != identity.vehicle:
        raise WrongVehicle(
            t(
                "the snapshot is of {family} {vehicle}, which this vehicle is not",
                family=snapshot.identity.family,
                vehicle=snapshot.identity.vehicle,
            )
        )
    same = snapshot.identity.uid == identity.uid and snapshot.identity.board == identity.board
    if not same and not clone:
        raise WrongVehicle(
            t("the snapshot is of another vehicle (uid {uid})", uid=snapshot.identity.uid or t("none")),
            hint=t("add --clone to write it here, without calibration and identity"),
        )
    classes = frozenset({"calibration", "identity"}) if same else frozenset(include)
    origin = Origin("snapshot", file)
    wanted = tuple(Wanted(s.name, s.value.raw, origin) for s in snapshot.settings)
    return Goal(t("snapshot of {taken}", taken=snapshot.taken), snapshot.digest, wanted, classes, known_state=True)
