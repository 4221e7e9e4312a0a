"""Plans for a whole aircraft: every device is identified, read, planned and judged before the first is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from dronekit_cfg.engine.connection import Connection, LinkOptions
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import Prepared, pinned_plan, prepare, refuse_unfinished
from dronekit_cfg.errors import DronekitError, FileProblems, VehicleError, WrongVehicle
from dronekit_cfg.events import Reporter, Stage, silent
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.url import parse
from dronekit_cfg.model import Identity, Plan
from dronekit_cfg.model.aircraft import AircraftPlan, PartPlan
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.text import t

__all__ = [
    "VEHICLE",
    "AircraftOptions",
    "Device",
    "Host",
    "Ready",
    "in_order",
    "name_role",
    "naming",
    "plan_of",
    "prepare_aircraft",
]

VEHICLE = "vehicle"
"""The role of the flight controller."""

_VIA, _DIRECT, _VEHICLE, _OWN_LINK = range(4)


@dataclass(frozen=True, slots=True)
class Device:
    """One device to be set: its role, how to reach it, and what its goal is once it is known who it is."""

    role: str
    options: LinkOptions
    goal: Callable[[Identity], tuple[Goal, Terms]]
    pinned: Plan | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A device whose plan is made and judged."""

    device: Device
    identity: Identity
    goal: Goal
    terms: Terms
    prepared: Prepared

    @property
    def role(self) -> str:
        """The role of the device."""
        return self.device.role

    @property
    def plan(self) -> Plan:
        """What is to be done to it."""
        return self.prepared.plan


@dataclass(frozen=True, slots=True)
class Host:
    """What the work needs of the outside: how a device is connected to, state folder, clock, reporter, stop request."""

    open: Callable[[LinkOptions], AbstractContextManager[Connection]]
    state: StateDir
    clock: Clock
    stop: Stop = field(default_factory=Stop)
    report: Reporter = silent


@dataclass(frozen=True, slots=True)
class AircraftOptions:
    """How to apply; as `ApplyOptions`, for all devices."""

    action: str = "apply"
    profile: str = ""
    prove: bool = True
    confirm: Callable[[AircraftPlan], bool] | None = None
    who: str = ""
    notes: tuple[str, ...] = ()


@contextmanager
def naming(role: str) -> Iterator[None]:
    """Let errors say which device they are about."""
    try:
        yield
    except FileProblems as error:
        error.problems = tuple(replace(p, message=name_role(role, p.message)) for p in error.problems)
        raise
    except DronekitError as error:
        error.message = name_role(role, error.message)
        raise


def name_role(role: str, text: str) -> str:
    """Say which device a text is about."""
    return text if role == VEHICLE else t("module {role}: {text}", role=role, text=text)


def prepare_aircraft(
    main: Device, others: Callable[[Identity], Sequence[Device]], host: Host, *, writing: bool
) -> tuple[Ready, ...]:
    """Identify, read, plan and judge every device; nothing is written. The flight controller comes first.

    `others` gives the modules once it is known who the flight controller is. `writing` refuses armed and unfinished
    ones. Raises as `connect` and `transaction.apply` do before a write.
    """
    with host.open(main.options) as connection:
        devices = others(connection.identity)
        ready = [_ready(main, connection, host, writing=writing)]
    for device in devices:
        host.report(Stage(t("module {role}", role=device.role)))
        with naming(device.role), host.open(device.options) as connection:
            ready.append(_ready(device, connection, host, writing=writing))
    _refuse_twins(ready)
    return tuple(ready)


def _ready(device: Device, connection: Connection, host: Host, *, writing: bool) -> Ready:
    if writing:
        refuse_unfinished(connection, host.state)
        connection.require_disarmed()
    goal, terms = device.goal(connection.identity)
    prepared = prepare(connection, goal, host.state, terms)
    if device.pinned is not None:
        prepared = replace(prepared, plan=_pinned(device.pinned, prepared))
    return Ready(device, connection.identity, goal, terms, prepared)


def _pinned(pinned: Plan, prepared: Prepared) -> Plan:
    """Give the plan with the findings of the one made earlier; that it still fits is checked before it is written."""
    different = pinned.identity.differences(prepared.plan.identity)
    if different:
        raise WrongVehicle(
            t("the plan was made for another device ({fields} differ)", fields=", ".join(different)),
            hint=t("make a plan for this one, or connect the one the plan was made for"),
        )
    return pinned_plan(pinned, prepared)


def _refuse_twins(ready: Sequence[Ready]) -> None:
    """Refuse two devices whose files would lie in one folder: they are one device, or cannot be told apart."""
    seen: dict[str, str] = {}
    for item in ready:
        other = seen.setdefault(item.identity.key, item.role)
        if other != item.role:
            raise VehicleError(
                t("{one} and {other} are the same device, or cannot be told apart", one=other, other=item.role),
                hint=t("check --link and --module-link; modules without a number of their own are set one by one"),
            )


def in_order(ready: Sequence[Ready]) -> tuple[Ready, ...]:
    """Give the devices in the order of the work, in which no change cuts the way to a device that comes later.

    Modules reached through the flight controller, then modules with a port of their own, then the flight controller,
    then the radio that our own link to it runs over. (A radio driver itself sets the far end first.)
    """
    main = next((item.device.options.url for item in ready if item.role == VEHICLE), "")
    return tuple(sorted(ready, key=lambda item: _rank(item, main)))


def _rank(item: Ready, main: str) -> int:
    if item.role == VEHICLE:
        return _VEHICLE
    url = item.device.options.url
    if parse(url).scheme == "via":
        return _VIA
    return _OWN_LINK if _port(url) == _port(main) else _DIRECT


def _port(url: str) -> tuple[str, str]:
    link = parse(url)
    return link.scheme, link.target.partition("@")[0]


def plan_of(ready: Sequence[Ready], profile: str) -> AircraftPlan:
    """Give the plan of the whole aircraft, in the order of the work."""
    return AircraftPlan(profile, tuple(PartPlan(i.role, i.device.options.url, i.plan) for i in in_order(ready)))
