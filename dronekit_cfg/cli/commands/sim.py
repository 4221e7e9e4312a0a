"""`sim`: a simulated vehicle for ground stations and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Common, StateDirOption, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.interrupt import Stop

__all__ = ["app", "list_vehicles", "serve"]

app = new_app(t("Serve a simulated vehicle. It proves nothing about flight."), no_args_is_help=True)


@verb(app, "list")
def list_vehicles(out: Output, options: Common) -> int:
    """List the simulated vehicles and the faults they can show."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.families.registry import simulated_faults, simulated_names
    from dronekit_cfg.sim.fault_text import usage

    del options
    vehicles = [f"sim:{name}" for name in simulated_names()]
    faults: dict[tuple[str, str], list[str]] = {}
    for family, kinds in simulated_faults().items():
        for name, kind in kinds.items():
            faults.setdefault((usage(name, kind), kind.meaning), []).append(family)
    document = [{"fault": fault, "meaning": meaning, "families": who} for (fault, meaning), who in faults.items()]
    out.document("sim list", 0, vehicles=vehicles, faults=document)
    out.show(
        simple_table((t("Vehicle"), ""), [(name, "") for name in vehicles]),
        "",
        simple_table(
            (t("Fault"), t("What the vehicle does"), t("Which")),
            [(fault, meaning, " ".join(who)) for (fault, meaning), who in faults.items()],
        ),
    )
    return 0


@verb(app)
def serve(
    out: Output,
    options: Common,
    vehicle: Annotated[str, argument(metavar="[VEHICLE]", help=t("Which vehicle; `sim list` shows them."))] = (
        "ardupilot-copter"
    ),
    tcp: Annotated[str, option("--tcp", metavar="[HOST:]PORT", help=t("Listen on TCP; port 0 takes a free one."))] = "",
    udp: Annotated[str, option("--udp", metavar="[HOST:]PORT", help=t("Speak to a ground station on UDP."))] = "",
    pty: Annotated[bool, option("--pty", help=t("Make a pseudo terminal (not on Windows)."))] = False,
    pty_link: Annotated[
        str, option("--pty-link", metavar="FILE", help=t("Make a pseudo terminal under a name that stays."))
    ] = "",
    fault: Annotated[
        list[str] | None, option("--fault", metavar="FAULT", help=t("A fault to show; repeatable; see `sim list`."))
    ] = None,
    fresh: Annotated[bool, option("--fresh", help=t("Start with wiped memory."))] = False,
    number: Annotated[str, option("--id", metavar="N", help=t("Another vehicle with its own UID and memory."))] = "",
    state_dir: StateDirOption = None,
) -> int:
    """Serve a simulated vehicle on TCP, UDP or a pseudo terminal until Ctrl-C. It proves nothing about flight.

    Without --tcp, --udp or --pty it listens on TCP port 5760 of this machine.
    """
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.families.registry import make_simulated
    from dronekit_cfg.links.clock import RealClock
    from dronekit_cfg.sim.server import serve as run_server

    del options
    name, _, query = vehicle.removeprefix("sim:").partition("?")
    wanted = dict(part.partition("=")[::2] for part in query.split("&") if part)
    if fault:
        wanted["fault"] = ",".join(filter(None, [wanted.get("fault", ""), *fault]))
    if fresh:
        wanted["fresh"] = ""
    if number:
        wanted["id"] = number
    simulated = make_simulated(name, wanted, state_dir=StateDir(state_dir).root)
    if not (tcp or udp or pty or pty_link):
        tcp = "5760"

    def ready(urls: list[str]) -> None:
        out.document("sim serve", 0, vehicle=f"sim:{name}", links=urls)
        out.write_text(t("serving sim:{name} on {links}; Ctrl-C ends it", name=name, links=t(" and ").join(urls)))

    stop = Stop()
    with stop.on_signals():
        run_server(
            simulated,
            tcp=_address(tcp, "--tcp"),
            udp=_address(udp, "--udp"),
            pty=pty,
            pty_link=pty_link or None,
            clock=RealClock(),
            ready=ready,
            stop=_Asked(stop),
        )
    return 0


class _Asked:
    """Lets the server ask for our stop request the way it asks an Event."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def is_set(self) -> bool:
        """Whether Ctrl-C or SIGTERM came."""
        return self._stop.asked


def _address(text: str, what: str) -> tuple[str, int] | None:
    """Read [HOST:]PORT; "" is None. Raises UsageError."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(
            t("{what} {text} is not [HOST:]PORT", what=what, text=text), hint=t("for example {what} 5760", what=what)
        )
    return host.strip("[]"), int(port)
