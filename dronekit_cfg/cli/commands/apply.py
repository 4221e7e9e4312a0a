"""`apply`: the vehicle ends exactly as wanted, verified twice, or exactly as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import (
    NoRebootOption,
    Profiled,
    ReceiptOption,
    argument,
    new_app,
    option,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.model import Identity, Plan
    from dronekit_cfg.model.aircraft import AircraftPlan
    from dronekit_cfg.planner.plan import Goal

__all__ = ["app", "apply"]

app = new_app()


@verb(app)
def apply(
    out: Output,
    device: Profiled,
    profile: Annotated[
        str,
        argument(
            metavar="PROFILE|PLAN", help=t("A profile with its overlays (heavy-lift+gnss-resilient), or a plan file.")
        ),
    ],
    no_reboot: NoRebootOption = False,
    receipt: ReceiptOption = None,
    require_signature: Annotated[
        Path | None,
        option("--require-signature", metavar="KEYRING", help=t("Only a lock that somebody of these keys signed.")),
    ] = None,
) -> int:
    """Bring the vehicle to a profile: snapshot, plan, write, read back, reboot, read back again, receipt.

    Whatever goes wrong, the vehicle is put back as it was, and that is verified too. A stack may name profiles of
    modules (heavy-lift+sik-resilient): then all devices end as wanted, or all as they were.
    Exit code 0: done, or already so; 4: refused; 5: failed and rolled back; 6: in doubt, run `recover`.
    """
    from dronekit_cfg.cli.aircraft import AircraftRequest
    from dronekit_cfg.cli.aircraft_run import apply_plan, apply_several
    from dronekit_cfg.cli.fitted import require_digest
    from dronekit_cfg.cli.fitted import require_signature as checked
    from dronekit_cfg.cli.session import ProfileRequest, vehicle
    from dronekit_cfg.cli.transact import transact

    signed = checked(profile, require_signature)
    wish: _Pinned | _PinnedAircraft | ProfileRequest | AircraftRequest | None = _pinned(profile, device.accept or ())
    if wish is None:
        request = ProfileRequest.of(profile, device)
        wish = AircraftRequest.of(request, device) or request
        if isinstance(wish, AircraftRequest) and wish.certain:
            return apply_several(out, device, wish, prove=not no_reboot, receipt_file=receipt)
        if isinstance(wish, ProfileRequest):
            wish.check_early()
    elif device.inputs or device.sets or device.unit or device.include:
        raise UsageError(
            t("a plan file holds its values already: {file}", file=profile),
            hint=t("leave out --input, --set, --unit and --include, or name the profile instead"),
        )
    if isinstance(wish, _PinnedAircraft):
        return apply_plan(out, device, wish.plan, prove=not no_reboot, receipt_file=receipt)
    with vehicle(out, device) as (connection, state):
        several = isinstance(wish, AircraftRequest) and wish.settle_for(connection.identity)
        if not several:
            goal, terms = wish.goal(connection.identity)
            require_digest(signed, goal.digest)
            return transact(
                out,
                connection,
                state,
                goal,
                terms=terms,
                link=device.link,
                action="apply",
                prove=not no_reboot,
                pinned=wish.plan if isinstance(wish, _Pinned) else None,
                receipt_file=receipt,
            )
    assert isinstance(wish, AircraftRequest)
    return apply_several(out, device, wish, prove=not no_reboot, receipt_file=receipt)


@dataclass(frozen=True)
class _Pinned:
    """A plan that was made and judged earlier."""

    plan: Plan
    accept: frozenset[str]

    def goal(self, identity: Identity) -> tuple[Goal, Terms]:
        """Give the goal that the plan was made for; the engine checks that vehicle and values still are the same."""
        from dronekit_cfg.engine.judge import Terms
        from dronekit_cfg.planner.plan import Goal

        del identity
        # What the plan left alone is not among its wanted settings, so both classes are safe to name here.
        classes = frozenset({"calibration", "identity"})
        goal = Goal(self.plan.profile, self.plan.profile_digest, self.plan.wanted, classes)
        return goal, Terms(accept=self.accept)


@dataclass(frozen=True)
class _PinnedAircraft:
    """A plan of a whole aircraft that was made and judged earlier."""

    plan: AircraftPlan


def _pinned(text: str, accept: Sequence[str]) -> _Pinned | _PinnedAircraft | None:
    """Read the plan when a plan file is named, else give None."""
    from dronekit_cfg.formats.aircraft_json import load_aircraft
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.machine_json import format_of
    from dronekit_cfg.formats.plan_json import load_plan
    from dronekit_cfg.model.aircraft import AircraftPlan

    path = Path(text)
    if path.suffix != ".json" or not path.is_file():
        return None
    content = read_text(path)
    if format_of(content).startswith("aircraft-plan/"):
        return _PinnedAircraft(load_aircraft(AircraftPlan, content, text))
    return _Pinned(load_plan(content, text), frozenset(accept)) if format_of(content).startswith("plan/") else None
