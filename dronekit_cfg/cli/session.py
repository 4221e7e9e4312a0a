"""What the verbs that talk to a vehicle have in common: the connection, the profile, the goal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dronekit_cfg.errors import Interrupted, UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.options import Device, Profiled
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import Prepared
    from dronekit_cfg.families.base import Driver
    from dronekit_cfg.formats.library import Library
    from dronekit_cfg.links.base import Clock
    from dronekit_cfg.model import Identity, Resolved, Snapshot, Vault
    from dronekit_cfg.planner.cost import Forecast
    from dronekit_cfg.planner.plan import Goal

__all__ = [
    "ProfileRequest",
    "check_include",
    "checked_region",
    "library_for",
    "offline_policy",
    "parse_pairs",
    "plan_against",
    "prepare_request",
    "sealed_data",
    "vehicle",
]

PROTECTED = ("calibration", "identity")
"""What --include may name."""

clock_in_use: ContextVar[Clock | None] = ContextVar("clock_in_use", default=None)
"""The clock of connections made here, None for the real one; the demo lets time pass faster."""


@contextmanager
def vehicle(out: Output, device: Device, *, stopped: str = "") -> Iterator[tuple[Connection, StateDir]]:
    """Connect to the vehicle of `device` and give it with the state folder.

    A stop request that the engine has not already explained ends as Interrupted with `stopped` (default: nothing was
    written).
    """
    from dronekit_cfg.engine.connection import connect
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.engine.state import StateDir

    stop = Stop()
    options = device.link_options()
    out.hide(options.vault)
    try:
        with (
            stop.on_signals(),
            connect(options, clock=clock_in_use.get(), report=out.report, stop=stop) as connection,
        ):
            yield connection, StateDir(device.state_dir)
    except Interrupted as error:
        if ";" in error.message:  # the engine said in which state the vehicle is
            raise
        raise Interrupted(
            t("stopped; {state}", state=stopped or t("nothing was written to the vehicle")), hint=error.hint
        ) from error


def parse_pairs(texts: Sequence[str] | None, what: str) -> dict[str, str]:
    """Read NAME=VALUE texts of the option `what`; raises UsageError for another form and for a name given twice."""
    pairs: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(
                t("{what} {text!r} is not NAME=VALUE", what=what, text=text),
                hint=t("for example {what} {example}", what=what, example="cells=6"),
            )
        if pairs.setdefault(name, value) != value:
            raise UsageError(
                t("{what}: {name} is given twice, as {a} and {b}", what=what, name=name, a=pairs[name], b=value),
                hint=t("keep one of the two"),
            )
    return pairs


def checked_region(first: str, second: str) -> str:
    """Give the region of what a profile and the command line say; raises UsageError for two places or a wrong word."""
    from dronekit_cfg.model.region import joined

    try:
        return joined(first, second)
    except ValueError as error:
        raise UsageError(
            t("--region: {why}", why=error), hint=t("the limits of the place in the profile hold: change it there")
        ) from error


def check_include(classes: Collection[str] | None) -> frozenset[str]:
    """Check the values of --include; raises UsageError."""
    wanted = frozenset(part for text in classes or () for part in text.split(",") if part)
    unknown = sorted(wanted - set(PROTECTED))
    if unknown:
        raise UsageError(
            t("--include {name} is not known", name=unknown[0]),
            hint=t("choose {names}", names=t(" or ").join(PROTECTED)),
        )
    return wanted


def library_for(profiles: Sequence[Path] | None, state_dir: Path | None) -> Library:
    """Give the profiles of the named folders, of the user's own folder, and those that are shipped.

    Raises UsageError for a folder that is not there.
    """
    from dronekit_cfg.engine.state import default_root
    from dronekit_cfg.formats.library import Library

    own = profiles or ()
    for folder in own:
        if not folder.is_dir():
            raise UsageError(
                t("--profiles {folder} is not a folder", folder=folder), hint=t("name the folder with your profiles")
            )
    folders = (*own, (state_dir or default_root()) / "profiles")
    return Library([folder for folder in folders if folder.is_dir()])


@dataclass(frozen=True)
class ProfileRequest:
    """A profile stack with everything that was said about it on the command line."""

    stack: str
    inputs: Mapping[str, str]
    sets: Sequence[str]
    unit: Path | None
    include: frozenset[str]
    library: Library
    accept: frozenset[str] = frozenset()
    strict: bool = False
    rules: tuple[Path, ...] = ()
    waivers: tuple[Path, ...] = ()
    family: str = ""
    region: str = ""

    @classmethod
    def of(cls, stack: str, options: Profiled) -> ProfileRequest:
        """Read the options; raises UsageError."""
        from dronekit_cfg.cli.foreign import refuse_parameter_file

        refuse_parameter_file(stack)
        return cls(
            stack,
            parse_pairs(options.inputs, "--input"),
            tuple(options.sets or ()),
            options.unit,
            check_include(options.include),
            library_for(options.profiles, options.state_dir),
            frozenset(options.accept or ()),
            options.strict,
            tuple(options.rules or ()),
            tuple(options.waivers or ()),
            region=checked_region("", options.region),
        )

    def check_early(self) -> None:
        """Find mistakes before a vehicle is asked.

        Not where its unit file may supply what is missing, and not where several families have a profile of that name:
        then the vehicle decides which one is meant.
        """
        from dronekit_cfg.formats.stack import split

        if any(len(self.library.families(part)) > 1 for part in split(self.stack)):
            return
        if self.unit is None and any((folder / "units").is_dir() for folder in self.library.search):
            return
        self.resolve(None)

    def resolve(self, identity: Identity | None) -> Resolved:
        """Resolve the stack, for one vehicle when it is known; raises UsageError, FileProblems, Unsupported."""
        from dronekit_cfg.engine.goals import require_fit
        from dronekit_cfg.formats.compose import resolve

        unit = self.unit or (self.library.unit(identity.uid) if identity else None)
        family = identity.family if identity else self.family or None
        resolved = resolve(self.stack, self.library, family=family, inputs=self.inputs, sets=self.sets, unit=unit)
        if identity is not None:
            require_fit(resolved, identity)
        return resolved

    def goal(self, identity: Identity) -> tuple[Goal, Terms]:
        """Give the goal for one vehicle, and by what its plan is judged."""
        from dronekit_cfg.engine.goals import goal_from_profile

        resolved = self.resolve(identity)
        return goal_from_profile(resolved, include=self.include), self._terms(resolved)

    def _terms(self, resolved: Resolved) -> Terms:
        """Give by what a plan is judged: what the profile says, and the user's own rules and waivers."""
        from dronekit_cfg.engine.goals import terms_from_profile

        region = checked_region(resolved.region, self.region)
        terms = terms_from_profile(replace(resolved, region=region), accept=self.accept, strict=self.strict)
        if not self.rules and not self.waivers:
            return terms
        from dronekit_cfg.rules.pack import load_folder, load_pack
        from dronekit_cfg.rules.waivers import load_waivers

        packs = [p for path in self.rules for p in (load_folder(path) if path.is_dir() else (load_pack(path),))]
        return replace(
            terms,
            rules=tuple(rule for pack in packs for rule in pack.rules),
            waivers=(*terms.waivers, *(w for path in self.waivers for w in load_waivers(path))),
        )


def prepare_request(
    out: Output,
    device: Device,
    request: ProfileRequest,
    against: Path | None,
    look: Callable[[Connection, Prepared], None] | None = None,
) -> Prepared:
    """Plan towards a profile: from the vehicle, or with no vehicle at hand from what a snapshot file says.

    `look` is called while the vehicle is still connected.
    """
    from dronekit_cfg.engine.transaction import prepare

    if against is not None:
        from dronekit_cfg.formats.read_any import snapshot_of

        snapshot = snapshot_of(against).snapshot
        assert snapshot is not None
        vault = device.link_options().vault
        out.hide(vault)
        prepared = plan_against(snapshot, *request.goal(snapshot.identity), device.state_dir, vault)
        return replace(prepared, forecast=_forecast(prepared, device.link_speed))
    request.check_early()
    with vehicle(out, device) as (connection, state):
        goal, terms = request.goal(connection.identity)
        prepared = prepare(connection, goal, state, terms)
        if look is not None:
            look(connection, prepared)
        return prepared


def _forecast(prepared: Prepared, speed: int) -> Forecast | None:
    """Predict the cost for the line that the user named; without a vehicle there is nothing to measure."""
    from dronekit_cfg.planner.cost import Line, forecast

    return forecast(prepared.plan, prepared.snapshot, Line.of_baud(speed)) if speed else None


def plan_against(
    snapshot: Snapshot, goal: Goal, terms: Terms, state_dir: Path | None, vault: Vault | None = None
) -> Prepared:
    """Plan towards a goal from what a snapshot says; secrets compare where it was taken with this state folder."""
    from dronekit_cfg.engine.judge import judge_plan
    from dronekit_cfg.engine.knowledge import renames_for, spec_for_vehicle
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import Prepared
    from dronekit_cfg.planner.plan import make_plan

    policy = offline_policy(snapshot.identity.family, vault)
    spec = spec_for_vehicle(snapshot.identity, StateDir(state_dir).root)
    renames = renames_for(snapshot.identity)
    plan = judge_plan(make_plan(goal, snapshot, spec, policy, renames), snapshot, spec, renames, terms)
    return Prepared(plan, snapshot, spec, renames)


def offline_policy(family: str, vault: Vault | None = None) -> Driver:
    """Give what a family knows about single settings, with no vehicle at hand; raises Unsupported."""
    from dronekit_cfg.errors import Unsupported
    from dronekit_cfg.families.registry import FAMILIES
    from dronekit_cfg.talk.flow import Session

    if family not in FAMILIES:
        raise Unsupported(
            t("settings of {family} cannot be judged here", family=family),
            hint=t("use a version of dronekit-cfg that knows this family"),
        )
    session = Session(lambda: 0.0, vault=vault) if vault is not None else Session(lambda: 0.0)
    return FAMILIES[family](session, None, None)


def sealed_data(text: str) -> Any:
    """Give the data of one of our own JSON files."""
    import json

    return json.loads(text)
