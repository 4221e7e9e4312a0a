"""What a plan costs on its link, as a person reads it and as a program does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dronekit_cfg.cli.render import plural
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dronekit_cfg.model import Plan
    from dronekit_cfg.model.cost import Cost
    from dronekit_cfg.planner.cost import Forecast

__all__ = ["cost_data", "cost_view", "kilobytes"]


def kilobytes(cost: Cost) -> str:
    """Give the bytes both ways as kB."""
    return f"{(cost.up + cost.down) / 1000:.1f} kB"


def cost_data(found: Forecast) -> dict[str, Any]:
    """Give the forecast for programs: bytes and seconds without reboots, the line, and how the writes go."""
    cost, line = found.cost, found.line
    return {
        "bytes_up": cost.up,
        "bytes_down": cost.down,
        "seconds": cost.seconds,
        "bytes_per_second": round(line.bytes_per_second, 1),
        "round_trip": line.round_trip,
        "writes_packed": found.packed,
        "writes_single": found.single,
        "seconds_saved_by_packing": found.saved,
    }


def cost_view(plan: Plan, found: Forecast | None) -> list[RenderableType]:
    """Say in a line what carrying out the plan costs, and which way the writes go."""
    from rich.padding import Padding
    from rich.text import Text

    if found is None or not plan.changes:
        return []
    text = t(
        "about {seconds:.1f} s and {size} at {speed} kB/s, and {reboots}",
        seconds=found.cost.seconds,
        size=kilobytes(found.cost),
        speed=f"{found.line.bytes_per_second / 1000:.1f}",
        reboots=plural(plan.reboots, t("reboot"), t("reboots")),
    )
    return [Text(""), Text(t("On the link"), style="bold"), Padding(Text(f"{text}; {_way(found)}"), (0, 0, 0, 2))]


def _way(found: Forecast) -> str:
    if not found.packed:
        return t("settings are written one by one")
    return t(
        "{packed} go as one packed file, which saves {saved:.1f} s, {single} one by one",
        packed=plural(found.packed, t("setting"), t("settings")),
        saved=found.saved,
        single=found.single,
    )
