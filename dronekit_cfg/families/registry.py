"""Names of families to their drivers and simulated twins; the one place that hooks `sim:` into link URLs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.families.base import Driver
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.url import LinkUrl, make_link, parse
from dronekit_cfg.sim.fault_text import FaultKind
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.text import t

__all__ = [
    "FAMILIES",
    "MakeDriver",
    "candidates",
    "make_simulated",
    "open_link",
    "simulated_faults",
    "simulated_names",
    "sitl_names",
]

MakeDriver = Callable[[Session, "tuple[int, int | None] | None", "Path | None"], Driver]


def _ardupilot(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    return _mavlink(session, target, key, families=("ardupilot",))


def _px4(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    return _mavlink(session, target, key, families=("px4",))


def _mavlink(
    session: Session,
    target: tuple[int, int | None] | None,
    key: Path | None,
    *,
    families: tuple[str, ...] = ("ardupilot", "px4"),
    speak_first: bool = False,
    state_dir: Path | None = None,
) -> Driver:
    """Make the driver of whatever speaks MAVLink: one listens for all of them, and the heartbeat tells which it is."""
    from dronekit_cfg.families.ardupilot.driver import Ardupilot
    from dronekit_cfg.families.mavlink import Autopilot, MavlinkDriver
    from dronekit_cfg.families.px4.driver import Px4
    from dronekit_cfg.wire.mavlink import read_signing_key

    known: dict[str, Autopilot] = {
        "ardupilot": Ardupilot(),
        "px4": Px4(cache=state_dir / "metadata" if state_dir else None),
    }
    return MavlinkDriver(
        session,
        [known[family] for family in families],
        target=target,
        signing_key=read_signing_key(key) if key else None,
        speak_first=speak_first,
    )


def _simulated_betaflight(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.betaflight.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _simulated_inav(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.inav.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _sitl_betaflight(link: LinkUrl, clock: Clock) -> Link:
    from dronekit_cfg.sitl.betaflight import make_sitl_link

    return make_sitl_link(link, clock)


def _sitl_inav(link: LinkUrl, clock: Clock) -> Link:
    from dronekit_cfg.sitl.inav import make_sitl_link

    return make_sitl_link(link, clock)


def _sitl_arducopter(link: LinkUrl, clock: Clock) -> Link:
    from dronekit_cfg.sitl.ardupilot import make_sitl_link

    return make_sitl_link(link, clock)


def _simulated_ardupilot(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.ardupilot.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _simulated_px4(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.px4.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _sitl_px4(link: LinkUrl, clock: Clock) -> Link:
    from dronekit_cfg.sitl.px4 import make_sitl_link

    return make_sitl_link(link, clock)


def _betaflight(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.betaflight.driver import BetaflightDriver

    _mavlink_only("betaflight", target, key)
    return BetaflightDriver(session)


def _inav(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.inav.driver import InavDriver

    _mavlink_only("inav", target, key)
    return InavDriver(session)


def _ublox(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.ublox.driver import UbloxDriver

    _mavlink_only("ublox", target, key)
    return UbloxDriver(session)


def _simulated_ublox(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.ublox.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _sik(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.sik.driver import SikDriver

    _mavlink_only("sik", target, key)
    return SikDriver(session)


def _simulated_sik(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.sik.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _elrs(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.elrs.driver import ElrsDriver

    _mavlink_only("elrs", target, key)
    return ElrsDriver(session)


def _elrs_web(session: Session, target: tuple[int, int | None] | None, key: Path | None) -> Driver:
    from dronekit_cfg.families.elrs.web import ElrsWebDriver

    _mavlink_only("elrs", target, key)
    return ElrsWebDriver(session)


def _simulated_elrs(target: str, options: Mapping[str, str], state_dir: Path | None) -> SimulatedVehicle:
    from dronekit_cfg.families.elrs.simulated import make_simulated as make

    return make(target, options, state_dir=state_dir)


def _mavlink_only(family: str, target: object, key: object) -> None:
    """Refuse options that mean nothing here, or a person would believe that they did something."""
    if target is not None or key is not None:
        raise UsageError(
            t("--target and --signing-key are for MAVLink, which {family} does not speak", family=family),
            hint=t("leave them out"),
        )


_MODULES: dict[str, MakeDriver] = {"ublox": _ublox, "sik": _sik, "elrs": _elrs}
"""Radio and GNSS modules, which are tried only when named: an unknown port must not be told `+++` or a baud rate."""

FAMILIES: dict[str, MakeDriver] = {
    "ardupilot": _ardupilot,
    "px4": _px4,
    "betaflight": _betaflight,
    "inav": _inav,
    **_MODULES,
}
"""Families in the order they are tried on an unknown link: those that only listen at first come first."""

_ON_MAVLINK = ("ardupilot", "px4")
"""Families that one driver listens for, so that an unknown link is waited for once."""

_SIMULATED: dict[str, tuple[str, Callable[[str, Mapping[str, str], Path | None], SimulatedVehicle]]] = {
    "ardupilot-copter": ("ardupilot", _simulated_ardupilot),
    "px4-copter": ("px4", _simulated_px4),
    "betaflight": ("betaflight", _simulated_betaflight),
    "inav": ("inav", _simulated_inav),
    **{f"ublox-{kind}": ("ublox", _simulated_ublox) for kind in ("m8", "m9", "f9", "m10")},
    "sik-pair": ("sik", _simulated_sik),
    "sik-pair-aes": ("sik", _simulated_sik),
    **dict.fromkeys(("elrs-tx", "elrs-rx", "elrs-tx-handset"), ("elrs", _simulated_elrs)),
}

_SITL: dict[str, tuple[str, Callable[[LinkUrl, Clock], Link]]] = {
    "arducopter": ("ardupilot", _sitl_arducopter),
    "betaflight": ("betaflight", _sitl_betaflight),
    "inav": ("inav", _sitl_inav),
    "px4": ("px4", _sitl_px4),
}
"""Real simulators that a `sitl:` URL starts for the time of the command."""


_PORT = re.compile(r"(gps[12]|telem[12]|uart\d{1,2})(\.[a-z_]+)?")
"""Options of simulated flight controllers that name the device behind a port (`gps1=ublox-m10`), and its options."""


def sitl_names() -> tuple[str, ...]:
    """Give the names of the real simulators that can be started."""
    return tuple(_SITL)


def simulated_names() -> tuple[str, ...]:
    """Give what may stand behind `sim:`."""
    return tuple(_SIMULATED)


def simulated_faults() -> Mapping[str, Mapping[str, FaultKind]]:
    """Give by family the faults that its simulated devices can show."""
    from dronekit_cfg.families.betaflight.simulated_faults import CLI_FAULTS
    from dronekit_cfg.families.px4.simulated_bench import known_faults
    from dronekit_cfg.sim import faults, module_options

    modules = dict.fromkeys(("ublox", "sik", "elrs"), module_options.FAULTS)
    return {"ardupilot": faults.FAULTS, "px4": known_faults(), "betaflight": CLI_FAULTS, "inav": CLI_FAULTS, **modules}


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make the simulated vehicle `target`; UsageError lists what there is.

    `gps1=ublox-m10&gps1.fault=lost:0.1` connects another one to a port of a flight controller.
    """
    if target not in _SIMULATED:
        raise UsageError(
            t("there is no simulated vehicle {name!r}", name=target),
            hint=t("choose one of: {names}", names=", ".join(f"sim:{n}" for n in _SIMULATED)),
        )
    behind = {name: value for name, value in options.items() if _PORT.fullmatch(name)}
    vehicle = _SIMULATED[target][1](target, {n: v for n, v in options.items() if n not in behind}, state_dir)
    for port in sorted(name for name in behind if "." not in name):
        own = {n.partition(".")[2]: v for n, v in behind.items() if n.startswith(f"{port}.")}
        attach = getattr(vehicle, "attach", None)
        if attach is None:
            raise UsageError(
                t("sim:{target} has no port {port}", target=target, port=port), hint=t("leave {port} out", port=port)
            )
        attach(port, make_simulated(behind[port], own, state_dir=state_dir))
    return vehicle


def candidates(url: str, family: str = "", *, state_dir: Path | None = None) -> tuple[MakeDriver, ...]:
    """Give the drivers to try on `url`, in order. A `sim:` or `sitl:` URL or a named family leaves one.

    `state_dir` is where they may keep what they learn about firmwares. Raises UsageError for a family that there is
    not, or that is not spoken on such a link.
    """
    link = parse(url)
    if not family:
        started = {f"sim:{n}": f for n, (f, _) in _SIMULATED.items()} | {f"sitl:{n}": f for n, (f, _) in _SITL.items()}
        family = started.get(f"{link.scheme}:{link.target}", "")
    if link.scheme == "http":
        if family not in {"", "elrs"}:
            raise UsageError(
                t("{url}: only ExpressLRS modules have such a web page", url=link.text), hint=t("leave --family out")
            )
        return (_elrs_web,)
    if link.scheme == "via":
        family = family or _behind(link)
    # Who listens only answers; a vehicle behind udpout: does not know us before we spoke.
    speak_first = link.scheme.endswith("udpout") or (link.scheme, link.target) == ("sitl", "px4")
    if not family:
        others = (make for name, make in FAMILIES.items() if name not in {*_ON_MAVLINK, *_MODULES})
        return (partial(_mavlink, speak_first=speak_first, state_dir=state_dir), *others)
    if family in _ON_MAVLINK:
        return (partial(_mavlink, families=(family,), speak_first=speak_first, state_dir=state_dir),)
    if family not in FAMILIES:
        raise UsageError(
            t("there is no family {name!r}", name=family),
            hint=t("choose one of: {names}", names=", ".join(FAMILIES)),
        )
    return (FAMILIES[family],)


def _behind(link: LinkUrl) -> str:
    """Give the family of the module behind a flight controller's port. Raises UsageError where it may be anything."""
    from dronekit_cfg.links.via import likely_family

    family = likely_family(link)
    if not family:
        raise UsageError(
            t("{url}: what is behind this port?", url=link.text),
            hint=t("name it: --family {names}", names=" or ".join(sorted(_MODULES))),
        )
    return family


def open_link(
    url: str,
    *,
    clock: Clock,
    state_dir: Path | None = None,
    record: Path | None = None,
    report: Reporter = silent,
    hushed: Callable[[], bool] | None = None,
    target: tuple[int, int | None] | None = None,
    signing_key: Path | None = None,
) -> Link:
    """Make the link behind `url` (not opened yet), with the schemes that only families know.

    `hushed` tells recordings when to leave bytes out. `target` and `signing_key` are for the flight controller that a
    `via:` link goes through. Raises UsageError for a text that is no link.
    """

    def sim(link: LinkUrl, clock: Clock) -> Link:
        return MemoryLink(link.text, make_simulated(link.target, link.options, state_dir=state_dir), clock)

    def sitl(link: LinkUrl, clock: Clock) -> Link:
        if link.target not in _SITL:
            raise UsageError(
                t("there is no real simulator {name!r} to start", name=link.target),
                hint=t("choose one of: {names}", names=", ".join(f"sitl:{n}" for n in _SITL)),
            )
        return _SITL[link.target][1](link, clock)

    def via(link: LinkUrl, clock: Clock) -> Link:
        from dronekit_cfg.links.via import Through, make_via
        from dronekit_cfg.wire.mavlink import read_signing_key

        key = read_signing_key(signing_key) if signing_key else None
        return make_via(link, clock, Through(below, state_dir, target, key, report))

    def below(url: str) -> Link:
        return make_link(url, clock=clock, extra={"sim": sim, "sitl": sitl}, report=report, hushed=hushed)

    known = {"sim": sim, "sitl": sitl, "via": via}
    link = make_link(url, clock=clock, extra=known, report=report, hushed=hushed)
    if record is None:
        return link
    from dronekit_cfg.links.record import RecordLink, never

    return RecordLink(link, record, clock, report=report, hushed=hushed or never)
