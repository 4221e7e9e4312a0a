"""`detect`: which ports there are, and what answers on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Device, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import LinkOptions
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.links.base import Clock
    from dronekit_cfg.model import Identity

__all__ = ["app", "detect"]

app = new_app()

UDP = "udp:14550"
"""Where vehicles on a network speak to; listened to as well."""


_IN_CLI = (
    t("sits in its CLI"),
    t("power it off and on, or let the next command restart it; what was typed there and not saved is lost"),
)
"""What is said of a vehicle that was left in its text CLI; it is not restarted by looking at it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A link to look at; `always` says that it is listed even when nothing answers."""

    url: str
    what: str = ""
    probe: bool = True
    always: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found at a place: an identity (`problem` is a remark then), or the reason why not."""

    place: _Place
    identity: Identity | None = None
    problem: str = ""
    hint: str = ""


@verb(app)
def detect(
    out: Output,
    device: Device,
    everything: Annotated[
        bool, option("--all", help=t("Also ask ports that hardly have a flight controller behind them."))
    ] = False,
) -> int:
    """List ports and what answers on them. Nothing is written, and MAVLink is sent only where it was heard.

    With --link only that link is looked at. Exit code 0: a vehicle answered; 3: none.
    """
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.events import Stage
    from dronekit_cfg.formats.records import to_data

    places = _places(device.link, everything=everything)
    options = device.link_options()
    if options.record is not None and len(places) > 1:
        raise UsageError(t("one recording is of one link"), hint=t("name it with --link"))
    stop = Stop()
    out.report(Stage(t("listen on {names}", names=", ".join(p.url for p in places if p.probe))))
    with stop.on_signals():
        found = [f for f in _look(places, options, stop) if f.place.always or f.identity]
    stop.check()
    code = 0 if any(f.identity for f in found) else 3
    out.document(
        "detect",
        code,
        found=[
            {
                "link": f.place.url,
                "port": f.place.what,
                "vehicle": to_data(f.identity) if f.identity else None,
                "problem": f.problem,
                "hint": f.hint,
            }
            for f in found
        ],
    )
    _show(out, found)
    return code


def _places(link: str, *, everything: bool) -> list[_Place]:
    if link != "serial:auto":
        return [_Place(link)]
    from dronekit_cfg.links.discover import Kind, list_candidates

    likely = {Kind.FLIGHT_CONTROLLER, Kind.ADAPTER, Kind.OTHER_USB}
    places = [
        _Place(c.url, c.product or c.guess or c.description, probe=everything or c.kind in likely)
        for c in list_candidates()
    ]
    return [*places, _Place(UDP, t("network"), always=False)]


def _look(places: Sequence[_Place], options: LinkOptions, stop: Stop) -> list[_Found]:
    """Look at all places at once; in the order given."""
    from concurrent.futures import ThreadPoolExecutor

    from dronekit_cfg.cli.session import clock_in_use

    clock = clock_in_use.get()  # threads do not inherit it
    with ThreadPoolExecutor(max_workers=min(16, len(places))) as pool:
        return list(pool.map(lambda place: _look_at(place, options, stop, clock), places))


def _look_at(place: _Place, options: LinkOptions, stop: Stop, clock: Clock | None) -> _Found:
    from dronekit_cfg.engine.connection import connect
    from dronekit_cfg.errors import DronekitError, LinkError, VehicleError
    from dronekit_cfg.families.base import LooksOnly

    if not place.probe:
        return _Found(place, problem=t("not asked"), hint=t("add --all to ask it"))
    try:
        with connect(replace(options, url=place.url, look_only=True), clock=clock, stop=stop) as connection:
            driver = connection.driver
            in_cli = isinstance(driver, LooksOnly) and driver.left_in_cli
            return _Found(place, connection.identity, *(_IN_CLI if in_cli else ()))
    except (LinkError, VehicleError) as error:
        return _Found(place, problem=error.message, hint=error.hint)
    except DronekitError:
        if stop.asked:
            return _Found(place, problem=t("stopped"))
        raise


def _show(out: Output, found: Sequence[_Found]) -> None:
    from dronekit_cfg.cli.render import bullets, command_text, glyphs_of, simple_table
    from dronekit_cfg.links.portless import portless_board

    if found:
        rows = [(f.place.url, f.place.what, _answer(f)) for f in found]
        out.show(simple_table((t("Link"), t("Port"), t("Answer")), rows))
        hints = list(dict.fromkeys(f"{f.place.url}: {f.hint}" for f in found if f.hint))
        if hints:
            out.detail("", bullets(hints, glyphs_of(out.console), indent=0))
    answered = next((f for f in found if f.identity), None)
    if answered:
        out.detail("", t("next: {command}", command=command_text("info", "--link", answered.place.url)))
        return
    if not found:
        out.write_text(t("no serial port, and nothing on {udp}", udp=UDP))
    by_cable = not found or any(f.place.url.startswith("serial:") for f in found)
    if by_cable and (portless := portless_board()):
        out.say(t("{what}\n  what to do: {remedy}", what=portless[0], remedy=portless[1]))
        return
    out.say(
        t(
            "no vehicle answered\n  what to do: connect it by USB and switch it on; a link by network is named with"
            " --link; to practise, --link sim:ardupilot-copter is a simulated vehicle"
        )
    )


def _answer(found: _Found) -> str:
    identity = found.identity
    if identity is None:
        return found.problem
    vehicle = f"{identity.family} {identity.vehicle}".strip()
    return ", ".join(
        part
        for part in (
            f"{vehicle} {identity.version_text}",
            identity.board,
            t("uid {uid}", uid=identity.uid) if identity.uid else "",
            found.problem,
        )
        if part
    )
