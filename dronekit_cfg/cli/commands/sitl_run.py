"""`sitl run`: a real simulator for a person, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dronekit_cfg.cli.options import Common, StateDirOption, argument, option
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

__all__ = ["run"]


def run(
    out: Output,
    options: Common,
    simulator: Annotated[str, argument(metavar="SIMULATOR", help=t("Which one: betaflight, inav, arducopter or px4."))],
    binary: Annotated[
        str, option("--binary", metavar="FILE", help=t("Its program; else DRONEKIT_CFG_<SIMULATOR> or PATH."))
    ] = "",
    folder: Annotated[
        Path | None, option("--dir", metavar="DIR", help=t("Where it keeps its memory and log; else the state folder."))
    ] = None,
    fresh: Annotated[bool, option("--fresh", help=t("Start with wiped memory."))] = False,
    state_dir: StateDirOption = None,
) -> int:
    """Run the real firmware as a simulator until Ctrl-C, and print the link to use.

    It is started again when it reboots, and ends with this command. Its memory stays for the next time.
    """
    from urllib.parse import quote

    from dronekit_cfg.cli.render import command_text
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.families.registry import open_link, sitl_names
    from dronekit_cfg.links.clock import RealClock
    from dronekit_cfg.sitl.link import SitlLink
    from dronekit_cfg.sitl.px4 import Px4SitlLink
    from dronekit_cfg.sitl.serve import serve

    del options
    name = simulator.removeprefix("sitl:")
    if name not in sitl_names():
        raise UsageError(
            t("there is no simulator {name}", name=name), hint=t("choose one of {names}", names=", ".join(sitl_names()))
        )
    root = StateDir(state_dir).root
    where = folder if folder is not None else root / "sitl" / name
    asked = [f"dir={quote(str(where.absolute()))}"]
    asked += [f"binary={quote(str(Path(binary).absolute()))}"] if binary else []
    asked += ["fresh"] if fresh else []
    clock = RealClock()
    link = open_link(f"sitl:{name}?{'&'.join(asked)}", clock=clock, state_dir=root)
    assert isinstance(link, SitlLink | Px4SitlLink)

    def ready(url: str) -> None:
        out.document("sitl run", 0, simulator=name, link=url, pid=link.process.pid, folder=str(where))
        out.write_text(
            t(
                "{name} runs on {link}; Ctrl-C ends it\n  in another window  {command}",
                name=name,
                link=url,
                command=command_text("info", "--link", url),
            )
        )

    stop = Stop()
    with stop.on_signals():
        serve(link, clock, ready, stop)
    return 0
