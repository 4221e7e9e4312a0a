"""The options that verbs share, in one place, and the decorator that turns a function into a verb.

A verb is a function with a parameter of type `Common` or `Device`; `verb` spreads the fields of that class as options,
so that each shared option is written once and is the same everywhere. Every option has the environment variable
`DRONEKIT_CFG_<NAME>`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import LinkOptions

__all__ = [
    "EPILOG",
    "AcceptOption",
    "AgainstOption",
    "Common",
    "Device",
    "IncludeOption",
    "InputOption",
    "ModuleLinkOption",
    "NoRebootOption",
    "Offline",
    "ProfileArgument",
    "Profiled",
    "ProfilesOption",
    "ReceiptOption",
    "RegionOption",
    "RulesOption",
    "SetOption",
    "StateDirOption",
    "StrictOption",
    "WaiversOption",
    "argument",
    "new_app",
    "option",
    "parse_target",
    "verb",
]

EPILOG = t("Every option can come from the environment: --state-dir is DRONEKIT_CFG_STATE_DIR.")


def option(*flags: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's own word
    """Describe an option: its flags, its help, and the environment variable named after its first long flag."""
    long = next(flag for flag in flags if flag.startswith("--"))
    env = "DRONEKIT_CFG_" + long[2:].upper().replace("-", "_")
    return typer.Option(*flags, help=help, envvar=env, show_envvar=False, **more)


def argument(*, metavar: str, help: str) -> Any:  # noqa: A002 - typer's own word
    """Describe an argument."""
    return typer.Argument(metavar=metavar, help=help, show_default=False)


ProfileArgument = Annotated[
    str,
    argument(metavar="PROFILE", help=t("A profile with its overlays, such as heavy-lift+gnss-resilient, or a file.")),
]
InputOption = Annotated[
    list[str] | None,
    option("--input", "-i", metavar="NAME=VALUE", help=t("An input of the profile, such as cells=6; repeatable.")),
]
SetOption = Annotated[
    list[str] | None,
    option("--set", "-s", metavar="SETTING=VALUE", help=t("Set one setting over all layers; repeatable.")),
]
ProfilesOption = Annotated[
    list[Path] | None,
    option("--profiles", metavar="DIR", help=t("A folder with your own profiles; repeatable.")),
]
StateDirOption = Annotated[
    Path | None,
    option("--state-dir", metavar="DIR", help=t("Where snapshots, journals and receipts live.")),
]
AcceptOption = Annotated[
    list[str] | None, option("--accept", metavar="ID", help=t("Accept warnings of this rule; repeatable."))
]
StrictOption = Annotated[bool, option("--strict", help=t("Values outside their documented range are errors."))]
RulesOption = Annotated[
    list[Path] | None, option("--rules", metavar="FILE", help=t("A rule pack or a folder of them; repeatable."))
]
WaiversOption = Annotated[
    list[Path] | None, option("--waivers", metavar="FILE", help=t("A file of accepted findings; repeatable."))
]
IncludeOption = Annotated[
    list[str] | None,
    option(
        "--include",
        metavar="CLASS",
        help=t("Write protected settings too: calibration or identity; repeatable."),
    ),
]
AgainstOption = Annotated[
    Path | None,
    option("--against", metavar="SNAPSHOT", help=t("Use a snapshot, or a `diff all` text, in the place of a vehicle.")),
]
NoRebootOption = Annotated[
    bool, option("--no-reboot", help=t("Leave out the reboot at the end that proves that values are stored."))
]
ModuleLinkOption = Annotated[
    list[str] | None,
    option(
        "--module-link",
        metavar="ROLE=URL",
        help=t("Where a module of the aircraft is, such as radio=serial:/dev/ttyUSB0@57600, or ROLE=none; repeatable."),
    ),
]
RegionOption = Annotated[
    str,
    option(
        "--region",
        metavar="REGION",
        help=t("Where it transmits: EU868, EU2G4, US915, US2G4, AU915, JP; two of one place with a comma."),
    ),
]
ReceiptOption = Annotated[Path | None, option("--receipt", metavar="FILE", help=t("Save a copy of the receipt here."))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Options of every verb."""

    json: Annotated[bool, option("--json", help=t("One JSON document on stdout, nothing else there."))] = False
    quiet: Annotated[bool, option("--quiet", "-q", help=t("No progress, only the result."))] = False
    yes: Annotated[bool, option("--yes", "-y", help=t("Answer yes to every question."))] = False
    timeout: Annotated[
        float,
        option("--timeout", metavar="SECONDS", min=0, show_default=False, help=t("Longest wait for a first answer.")),
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline(Common):
    """Options of every verb that works with files and profiles, with no vehicle at hand."""

    family: Annotated[
        str, option("--family", metavar="FAMILY", help=t("Profiles of this family, where several have the name."))
    ] = ""
    inputs: InputOption = None
    sets: SetOption = None
    profiles: ProfilesOption = None
    state_dir: StateDirOption = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(Common):
    """Options of every verb that talks to a vehicle."""

    link: Annotated[
        str,
        option(
            "--link",
            "-l",
            metavar="URL",
            help=t("Where the vehicle is: serial:auto, udp:14550, tcp:HOST:PORT, sim:..."),
        ),
    ] = "serial:auto"
    target: Annotated[
        str, option("--target", metavar="SYS[:COMP]", help=t("Which vehicle, when several answer on the link."))
    ] = ""
    family: Annotated[str, option("--family", metavar="FAMILY", help=t("Only this family, such as ardupilot."))] = ""
    signing_key: Annotated[
        Path | None, option("--signing-key", metavar="FILE", help=t("Key file for MAVLink message signing."))
    ] = None
    state_dir: StateDirOption = None
    record: Annotated[
        Path | None,
        option("--record", metavar="FILE", help=t("Record all bytes both ways, for a bug report or replay:.")),
    ] = None
    link_speed: Annotated[
        int,
        option(
            "--link-speed",
            metavar="BAUD",
            min=0,
            show_default=False,
            help=t("Speed of the slowest part of the link, such as 57600 for a radio; else it is measured."),
        ),
    ] = 0
    secrets: Annotated[
        Path | None,
        option("--secrets", metavar="FILE", help=t("NAME=text lines for <secret:NAME>; only you may read the file.")),
    ] = None

    def link_options(self) -> LinkOptions:
        """Give what the engine needs to connect; raises UsageError for a bad --target."""
        from dronekit_cfg.engine.connection import LinkOptions
        from dronekit_cfg.engine.secrets import load_vault
        from dronekit_cfg.engine.state import default_root

        return LinkOptions(
            url=self.link,
            family=self.family,
            target=parse_target(self.target),
            signing_key=self.signing_key,
            timeout=self.timeout,
            record=self.record,
            speed=self.link_speed,
            state_dir=self.state_dir,
            vault=load_vault(self.state_dir or default_root(), self.secrets),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled(Device):
    """Options of every verb that works with a profile and a vehicle."""

    inputs: InputOption = None
    sets: SetOption = None
    unit: Annotated[
        Path | None,
        option("--unit", metavar="FILE", help=t("The file of this one aircraft: its inputs and settings.")),
    ] = None
    include: IncludeOption = None
    profiles: ProfilesOption = None
    accept: AcceptOption = None
    strict: StrictOption = False
    rules: RulesOption = None
    waivers: WaiversOption = None
    module_links: ModuleLinkOption = None
    region: RegionOption = ""


def parse_target(text: str) -> tuple[int, int | None] | None:
    """Read SYS or SYS:COMP (1-255 and 0-255); "" is None. Raises UsageError."""
    if not text:
        return None
    system, _, component = text.partition(":")
    try:
        numbers = (int(system), int(component) if component else None)
    except ValueError:
        numbers = (0, None)
    if not 1 <= numbers[0] <= 255 or not 0 <= (numbers[1] or 0) <= 255:
        raise UsageError(
            t("--target {text!r} is not SYS[:COMP]", text=text), hint=t("give the system id, such as --target 1 or 1:1")
        )
    return numbers


def new_app(help: str = "", **more: Any) -> typer.Typer:  # noqa: A002 - typer's own word
    """Make a typer app the way all of ours are: with plain help, because rich help doubles the start-up time."""
    return typer.Typer(help=help, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, **more)


Verb = TypeVar("Verb", bound=Callable[..., int | None])


def verb(app: typer.Typer, name: str | None = None) -> Callable[[Verb], Verb]:
    """Make a function a command of `app`. The function gives its exit code (None is 0) and stays callable as it is.

    Its parameter of type `Common` (or of a class made from it) becomes the options of that class, its parameter of
    type `Output` is supplied, and every error leaves as text or JSON with its documented exit code.
    """

    def register(function: Verb) -> Verb:
        app.command(name, epilog=EPILOG)(_command(function))
        return function

    return register


def _command(function: Callable[..., int | None]) -> Callable[..., None]:
    hints = get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    shared = next(name for name, hint in hints.items() if inspect.isclass(hint) and issubclass(hint, Common))
    supplied = next(name for name, hint in hints.items() if hint is Output)
    group: type[Common] = hints[shared]
    names = [field.name for field in _nearest_first(group)]

    @functools.wraps(function)
    def command(**given: Any) -> None:
        common = group(**{name: given.pop(name) for name in names})
        with Output(as_json=common.json, quiet=common.quiet, yes=common.yes) as out:
            code = out.run(lambda: function(**{shared: common, supplied: out}, **given))
        if code:
            raise typer.Exit(code)

    keyword = inspect.Parameter.KEYWORD_ONLY
    group_hints = get_type_hints(group, include_extras=True)
    parameters = [
        inspect.Parameter(p.name, keyword, default=p.default, annotation=hints[p.name])
        for p in inspect.signature(function).parameters.values()
        if p.name not in {shared, supplied}
    ]
    parameters += [
        inspect.Parameter(f.name, keyword, default=f.default, annotation=group_hints[f.name])
        for f in _nearest_first(group)
    ]
    del command.__wrapped__  # typer would follow it to the function's own parameters
    vars(command)["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = {}
    return command


def _nearest_first(group: type[Common]) -> list[Field[Any]]:
    """Give the fields of an option class, those of the class itself before those of its bases."""
    depth = {name: len(base.__mro__) for base in reversed(group.__mro__) for name in inspect.get_annotations(base)}
    return sorted(fields(group), key=lambda field: -depth[field.name])
