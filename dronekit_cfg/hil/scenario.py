"""Scenarios as data: how a flight starts, what happens to it, and what must follow within which time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.formats.yaml_tree import Document
from dronekit_cfg.hil.documents import problem, read_document
from dronekit_cfg.hil.modes import MODES
from dronekit_cfg.text import t

__all__ = [
    "KINDS",
    "Expectation",
    "Flicker",
    "Ramp",
    "Range",
    "Scenario",
    "Step",
    "Vary",
    "find_scenarios",
    "load_scenario",
    "shipped_scenarios",
]

KINDS = (
    "mode", "mode_stays", "text", "no_text", "quiet", "flags_lost", "flags_gained", "armed", "armed_stays",
    "attitude_below", "drift_below", "drift_above", "distance_between", "error_below", "height_within", "setting",
    "lands_within", "loss_between", "alarm",
)  # fmt: skip


Range = tuple[float, float]
"""From, to: both ends can be drawn."""
HOVERING = {"arducopter": "LOITER", "px4": "HOLD", "betaflight": "ANGLE"}
"""The mode at the stimulus where a scenario names none."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A setting that moves steadily over some seconds."""

    setting: str
    start: float
    end: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Flicker:
    """A setting that goes to and fro between two values for some seconds, and ends with the second one.

    `each` bounds how long it stays with one; with no seed it is the middle of that.
    """

    setting: str
    values: Range
    seconds: float
    each: Range


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, `at` seconds of simulated time after the first stimulus.

    With a seed `at` is drawn from `at_between`, and settings from `set_between`, where those are given.
    """

    at: float
    settings: Mapping[str, float]
    ramp: Ramp | None = None
    mode: str = ""
    arm: bool | None = None
    heartbeats: bool | None = None
    radio: bool | None = None
    sticks: tuple[int, ...] = ()
    command: tuple[float, ...] = ()
    read: tuple[str, ...] = ()
    at_between: Range | None = None
    set_between: Mapping[str, Range] = field(default_factory=dict)
    flicker: Flicker | None = None

    def __str__(self) -> str:
        parts = [f"{n} = {v:g}" for n, v in self.settings.items()]
        parts += [f"{self.ramp.setting} {self.ramp.start:g} -> {self.ramp.end:g}"] if self.ramp else []
        parts += [t("mode {mode}", mode=self.mode)] if self.mode else []
        parts += [t("arm") if self.arm else t("disarm")] if self.arm is not None else []
        parts += [t("ground station silent")] if self.heartbeats is False else []
        parts += [t("ground station back")] if self.heartbeats else []
        parts += [t("transmitter on") if self.radio else t("transmitter off")] if self.radio is not None else []
        parts += [t("sticks {pulses}", pulses=" ".join(map(str, self.sticks[:4])))] if self.sticks else []
        parts += [t("command {n}", n=int(self.command[0]))] if self.command else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold: `kind` with its `wanted`, in the window `low`..`high` seconds after the stimulus."""

    kind: str
    wanted: Any
    low: float
    high: float
    at_most: int | None = None
    reads: float = math.nan


@dataclass(frozen=True, slots=True)
class Vary:
    """What a seed changes before the stimulus: seconds of waiting more, and settings such as the wind."""

    delay: Range = (0.0, 0.0)
    settings: Mapping[str, Range] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One flight. `expect_failure` names the planted mistake of a negative scenario.

    `settings` are the scenario's own, over any profile; `baseline` stands in for a profile when none is flown.
    With a `seed`, `drawn` are the numbers that it gave, and `base` is the name without it.
    `vehicle` is the firmware that flies it: arducopter, px4 or betaflight, whose settings may be texts.
    """

    name: str
    title: str
    vehicle: str
    about: str
    settings: Mapping[str, float]
    baseline: Mapping[str, float]
    mode: str
    altitude: float
    armed: bool
    settle: float
    steps: tuple[Step, ...]
    watch: float
    expect: tuple[Expectation, ...]
    expect_failure: str = ""
    known_gap: str = ""
    source: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    vary: Vary = Vary()
    seed: int | None = None
    drawn: tuple[tuple[str, float], ...] = ()
    base: str = ""

    @property
    def is_random(self) -> bool:
        """Whether a seed changes anything."""
        return self.vary != Vary() or any(s.at_between or s.set_between or s.flicker for s in self.steps)


def shipped_scenarios() -> Mapping[str, Path]:
    """Give the shipped scenarios by name."""
    return {path.stem: path for path in sorted((shipped("hil") / "scenarios").glob("*.yaml"))}


def find_scenarios(name: str, vehicle: str = "") -> tuple[Scenario, ...]:
    """Load "all" (of one vehicle where it is named), one shipped scenario by name or number (s01), or a file.

    Raises UsageError, FileProblems.
    """
    known = shipped_scenarios()
    if name == "all":
        return tuple(s for s in map(load_scenario, known.values()) if vehicle in ("", s.vehicle))
    matches = [n for n in known if n == name.lower() or n.split("-")[0] == name.lower()]
    if matches:
        return tuple(load_scenario(known[n]) for n in matches)
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.exists():
        return (load_scenario(path),)
    raise UsageError(
        t("there is no scenario {name!r}", name=name),
        hint=did_you_mean(name, known, otherwise=t("`dronekit-cfg sitl list` shows them")),
    )


def load_scenario(path: Path) -> Scenario:
    """Load a scenario file. Raises FileProblems with the places of its mistakes."""
    document = read_document(path, "scenario.v1")
    data = document.data
    start = data.get("start", {})
    vehicle = data["vehicle"]
    modes = set(MODES[vehicle].values())
    given = data.get("settings", {})
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    numbers = {name: value for name, value in given.items() if name not in texts}
    if texts and vehicle != "betaflight":
        name = next(iter(texts))
        raise problem(document, path, ("settings", name), t("{name} must be a number", name=name))
    steps = []
    for i, item in enumerate(data.get("stimulus", ())):
        if "mode" in item and item["mode"] not in modes:
            raise problem(document, path, ("stimulus", i, "mode"), t("there is no mode {mode}", mode=item["mode"]))
        if "radio" in item and vehicle == "arducopter":
            hint = t("set SIM_RC_FAIL, which is the simulated receiver of ArduPilot")
            raise problem(document, path, ("stimulus", i, "radio"), t("arducopter does not have this"), hint)
        steps.append(_step(item))
    expect = []
    for i, item in enumerate(data["expect"]):
        kinds = [k for k in KINDS if k in item]
        if len(kinds) != 1:
            raise problem(document, path, ("expect", i), t("name one of {kinds}", kinds=", ".join(KINDS)))
        low, high = item.get("between", (0.0, data["watch"]))
        if not low < high or low >= data["watch"]:
            raise problem(
                document,
                path,
                ("expect", i),
                t("this window can never be met"),
                t("the scenario watches {s} s", s=data["watch"]),
            )
        wanted = item[kinds[0]]
        named = wanted if isinstance(wanted, list) else [wanted]
        if kinds[0] in {"mode", "mode_stays"} and (unknown := [mode for mode in named if mode not in modes]):
            raise problem(document, path, ("expect", i), t("there is no mode {mode}", mode=unknown[0]))
        expect.append(Expectation(kinds[0], wanted, low, high, item.get("at_most"), item.get("reads", math.nan)))
    mode = start.get("mode", HOVERING[vehicle])
    if mode not in modes:
        raise problem(document, path, ("start", "mode"), t("there is no mode {mode}", mode=mode))
    return Scenario(
        data["name"],
        data["title"],
        vehicle,
        data.get("about", ""),
        numbers,
        data.get("baseline", {}),
        mode,
        float(start.get("altitude", 15.0)),
        start.get("armed", True),
        float(start.get("settle", 3.0)),
        tuple(sorted(steps, key=lambda s: s.at)),
        float(data["watch"]),
        tuple(expect),
        data.get("expect_failure", ""),
        data.get("known_gap", ""),
        data.get("source", ""),
        texts,
        _vary(document, path),
    )


def _vary(document: Document, path: Path) -> Vary:
    data = document.data
    given = data.get("vary", {})
    places: list[tuple[tuple[Any, ...], Any]]
    places = [(("vary", "delay"), given["delay"])] if "delay" in given else []
    places += [(("vary", "settings", name), span) for name, span in given.get("settings", {}).items()]
    for i, item in enumerate(data.get("stimulus", ())):
        places += [(("stimulus", i, key), item[key]) for key in ("at_between",) if key in item]
        places += [(("stimulus", i, "set_between", n), span) for n, span in item.get("set_between", {}).items()]
        places += [(("stimulus", i, "flicker", "each"), item["flicker"]["each"])] if "flicker" in item else []
    for place, (low, high) in places:
        if low > high:
            raise problem(document, path, place, t("this range is empty"), t("write [smallest, largest]"))
    return Vary(
        _span(given.get("delay", (0.0, 0.0))),
        {name: _span(span) for name, span in given.get("settings", {}).items()},
    )


def _span(pair: Sequence[float]) -> Range:
    return float(pair[0]), float(pair[1])


def _step(item: Mapping[str, Any]) -> Step:
    ramp, flicker = item.get("ramp"), item.get("flicker")
    return Step(
        float(item["at"]),
        item.get("set", {}),
        Ramp(ramp["setting"], float(ramp.get("from", 0.0)), float(ramp["to"]), float(ramp["seconds"]))
        if ramp
        else None,
        item.get("mode", ""),
        item.get("arm"),
        item.get("heartbeats"),
        item.get("radio"),
        tuple(item.get("sticks", ())),
        tuple(item.get("command", ())),
        tuple(item.get("read", ())),
        _span(item["at_between"]) if "at_between" in item else None,
        {name: _span(span) for name, span in item.get("set_between", {}).items()},
        Flicker(flicker["setting"], _span(flicker["values"]), float(flicker["seconds"]), _span(flicker["each"]))
        if flicker
        else None,
    )
