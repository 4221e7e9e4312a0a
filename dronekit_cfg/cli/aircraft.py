"""What verbs need for a whole aircraft: which devices a stack is for, and how each is reached and what it is to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import FileProblems, Interrupted, UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.options import Device as DeviceOptions
    from dronekit_cfg.cli.options import Profiled
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.aircraft_plan import Device, Host
    from dronekit_cfg.engine.connection import LinkOptions
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.formats.modules import AircraftStack, Module
    from dronekit_cfg.model import Identity, Plan
    from dronekit_cfg.model.aircraft import AircraftPlan
    from dronekit_cfg.planner.plan import Goal

__all__ = ["VEHICLE", "AircraftRequest", "host_of", "module_links", "options_for", "pinned_devices", "through"]

VEHICLE = "vehicle"


def module_links(texts: Sequence[str] | None) -> dict[str, str]:
    """Read ROLE=URL texts. Raises UsageError for another form and for a role given twice."""
    from dronekit_cfg.cli.session import parse_pairs

    return parse_pairs(texts, "--module-link")


def through(link: str, main: str) -> str:
    """Complete a link that goes through the flight controller with the link to it."""
    if not link.startswith("via:") or "+" in link:
        return link
    head, _, options = link.partition("?")
    whole = f"{head}+{main}"
    return whole + (("&" if "?" in main else "?") + options if options else "")


def options_for(device: DeviceOptions, main: LinkOptions, url: str, family: str) -> LinkOptions:
    """Give how a module is reached: by its own link, with what is said about the way through the flight controller."""
    via = url.startswith("via:")
    return replace(
        main,
        url=through(url, device.link),
        family=family,
        target=main.target if via else None,
        signing_key=main.signing_key if via else None,
        record=main.record.with_name(f"{main.record.stem}-{family}{main.record.suffix}") if main.record else None,
    )


@contextmanager
def host_of(out: Output, device: DeviceOptions, *, stopped: str = "") -> Iterator[tuple[Host, LinkOptions]]:
    """Give what the engine needs to work on several devices, and how the flight controller is reached.

    A stop request that the engine has not already explained ends as Interrupted with `stopped` (default: nothing was
    written).
    """
    from functools import partial

    from dronekit_cfg.cli.session import clock_in_use
    from dronekit_cfg.engine.aircraft_plan import Host
    from dronekit_cfg.engine.connection import connect
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.links.clock import RealClock

    options = device.link_options()
    out.hide(options.vault)
    clock, stop = clock_in_use.get() or RealClock(), Stop()
    opened = partial(connect, clock=clock, report=out.report, stop=stop)
    try:
        with stop.on_signals():
            yield Host(opened, StateDir(device.state_dir), clock, stop, out.report), options
    except Interrupted as error:
        if ";" in error.message:  # the engine said in which state the aircraft is
            raise
        raise Interrupted(t("stopped; {state}", state=stopped or t("nothing was written to the aircraft"))) from error


@dataclass
class AircraftRequest:
    """A stack of a whole aircraft with everything that was said about it on the command line."""

    request: ProfileRequest
    device: Profiled
    links: Mapping[str, str]
    pinned: Mapping[str, Plan] = field(default_factory=dict)
    stack: AircraftStack | None = None
    certain: bool = False
    """Whether there is a module for sure, whoever the flight controller is."""
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: ProfileRequest, device: Profiled) -> AircraftRequest | None:
        """Read the options; None where the stack is that of one device, whatever its unit file may say."""
        made = cls(request, device, module_links(device.module_links))
        return made if made._several() else None

    def _several(self) -> bool:
        """Whether modules are spoken of, or could be in a unit file; finds mistakes that need no vehicle."""
        units = any((folder / "units").is_dir() for folder in self.request.library.search)
        families = self._families()
        found, errors = [], []
        for family in families or ("",):
            try:
                found.append(self._taken_apart(family, self.request.unit))
            except UsageError as error:
                errors.append(error)
        if not found:
            if units and self.request.unit is None and all(isinstance(e, FileProblems) for e in errors):
                return True  # the unit file may supply what is missing
            raise errors[0]
        self.certain = all(stack.modules for stack in found)
        if len(families) == 1 and not units and found[0].modules:
            self._settle(found[0], families[0])
        return bool(self.links or units or any(stack.declared for stack in found))

    def _families(self) -> tuple[str, ...]:
        """Give the families that the flight controller may be of, by the words of the stack; () for files."""
        from dronekit_cfg.formats.layer import MODULE_FAMILIES
        from dronekit_cfg.formats.stack import split

        if self.device.family:
            return (self.device.family,)
        found = [self.request.library.families(word) for word in split(self.request.stack)]
        main = [families for families in found if families and not families <= set(MODULE_FAMILIES)]
        return tuple(sorted(frozenset.intersection(*main))) if main else ()

    def _taken_apart(self, family: str, unit: Path | None) -> AircraftStack:
        from dronekit_cfg.formats.modules import aircraft_stack

        return aircraft_stack(
            self.request.stack, self.request.library, family=family or None, unit=unit, links=self.links
        )

    def _settle(self, stack: AircraftStack, family: str) -> None:
        """Share the inputs out, and find mistakes of the modules' profiles before any of them is asked."""
        from dronekit_cfg.formats.modules import own_inputs

        self.stack = stack
        stacks: dict[str, tuple[str, str | None]] = {VEHICLE: (stack.main, family)}
        stacks |= {m.role: (m.stack, m.family) for m in stack.modules}
        self.inputs = own_inputs(stacks, self.request.library, self.request.inputs)
        for module in stack.modules:
            self._of_module(module).resolve(None)
        if self.request.unit is None and len(self.request.library.families(stack.main.partition("+")[0])) <= 1:
            self._of_main().resolve(None)

    def _of_main(self) -> ProfileRequest:
        assert self.stack is not None
        return replace(
            self.request, stack=self.stack.main, inputs=self.inputs.get(VEHICLE, {}), sets=self._sets(VEHICLE)
        )

    def _of_module(self, module: Module, vehicle: str = "") -> ProfileRequest:
        from dronekit_cfg.cli.session import checked_region
        from dronekit_cfg.formats.modules import for_generation

        assert self.stack is not None
        stack = for_generation(module.stack, self.request.library, family=module.family, vehicle=vehicle)
        return replace(
            self.request,
            stack=stack,
            inputs=self.inputs[module.role],
            sets=self._sets(module.role),
            unit=None,
            include=frozenset(),
            family=module.family,
            region=checked_region(self.stack.region, module.region or self.request.region),
        )

    def _goal_of_module(self, module: Module, found: Identity) -> tuple[Goal, Terms]:
        return self._of_module(module, found.vehicle).goal(found)

    def _sets(self, role: str) -> tuple[str, ...]:
        """Give the --set texts of one device: `radio:NETID=5` is a module's, a plain one the flight controller's."""
        assert self.stack is not None
        roles = {m.role for m in self.stack.modules}
        mine = []
        for text in self.request.sets:
            before, colon, rest = text.partition(":")
            owner = before if colon and before in roles else VEHICLE
            if owner == role:
                mine.append(rest if owner != VEHICLE else text)
        return tuple(mine)

    def settle_for(self, identity: Identity) -> tuple[Module, ...]:
        """Give the modules of the aircraft with this flight controller; its unit file may speak of them too."""
        unit = self.request.unit or self.request.library.unit(identity.uid)
        self._settle(self._taken_apart(identity.family, unit), identity.family)
        assert self.stack is not None
        return self.stack.modules

    def goal(self, identity: Identity) -> tuple[Goal, Terms]:
        """Give the goal of the flight controller; notes say which modules are left alone."""
        assert self.stack is not None
        goal, terms = self._of_main().goal(identity)
        return replace(goal, notes=(*goal.notes, *self.stack.notes)), terms

    def main_device(self, options: LinkOptions) -> Device:
        """Give the flight controller as a device of the engine."""
        from dronekit_cfg.engine.aircraft_plan import Device

        return Device(VEHICLE, options, self.goal, self.pinned.get(VEHICLE))

    def devices(self, identity: Identity, main: LinkOptions) -> list[Device]:
        """Give the modules as devices of the engine."""
        from dronekit_cfg.engine.aircraft_plan import Device

        return [
            Device(
                m.role,
                options_for(self.device, main, m.link, m.family),
                partial(self._goal_of_module, m),
                self.pinned.get(m.role),
            )
            for m in self.settle_for(identity)
        ]


def _planned(goal: Goal, accept: frozenset[str], _found: Identity) -> tuple[Goal, Terms]:
    """Give the goal of a plan that was made earlier, whatever it meets: the plan itself says what it must meet."""
    from dronekit_cfg.engine.judge import Terms

    return goal, Terms(accept=accept)


def pinned_devices(
    plan: AircraftPlan, device: DeviceOptions, main: LinkOptions, links: Mapping[str, str], accept: frozenset[str]
) -> list[Device]:
    """Give the devices of a plan that was made and judged earlier; the flight controller first.

    Raises UsageError for a link to a module that the plan does not have.
    """
    from dronekit_cfg.engine.aircraft_plan import Device
    from dronekit_cfg.planner.plan import Goal

    made = []
    for part in plan.parts:
        goal = Goal(
            part.plan.profile, part.plan.profile_digest, part.plan.wanted, frozenset({"calibration", "identity"})
        )
        url = links.get(part.role, part.link)
        options = main if part.role == VEHICLE else options_for(device, main, url, part.plan.identity.family)
        made.append(Device(part.role, options, partial(_planned, goal, accept), part.plan))
    for role in links:
        if role not in {part.role for part in plan.parts}:
            raise UsageError(t("--module-link {role}: the plan has no such module", role=role))
    return sorted(made, key=lambda d: d.role != VEHICLE)
