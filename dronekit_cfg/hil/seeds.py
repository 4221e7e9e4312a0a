"""Draws what is random in a scenario from a seed: the same seed gives the same flight plan on every computer.

Each number has a generator of its own, made of the seed, the scenario and the number's name; so a scenario that gains
a range keeps all other numbers of its seeds. What the simulator's own noise does is not in our hands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random

from dronekit_cfg.hil.scenario import Flicker, Range, Scenario, Step
from dronekit_cfg.model.checked import Result, Verdict
from dronekit_cfg.text import t

__all__ = ["draw", "seeded", "with_seed"]

_Pick = Callable[[str, Range], float]


def seeded(scenarios: Iterable[Scenario], seeds: Sequence[int]) -> tuple[Scenario, ...]:
    """Give what is flown: each random scenario once with every seed, all others once."""
    flown: list[Scenario] = []
    for scenario in scenarios:
        wanted = seeds if scenario.is_random else ()
        flown += [draw(scenario, seed) for seed in wanted or (None,)]
    return tuple(flown)


def draw(scenario: Scenario, seed: int | None) -> Scenario:
    """Give the flight of one seed, with `drawn` telling what was drawn; None is the flight as it is written."""
    drawn: dict[str, float] = {}

    def pick(name: str, span: Range) -> float:
        generator = Random(f"{scenario.name} {seed} {name}")  # noqa: S311  no secret: it has to be repeatable
        value: float = round(generator.uniform(*span), 3)
        return value

    def note(name: str, span: Range) -> float:
        drawn[name] = pick(name, span)
        return drawn[name]

    if seed is None:
        return replace(scenario, steps=_sorted(s for step in scenario.steps for s in _expanded(step, _middle, "")))
    vary = scenario.vary
    delay = note(t("later, in seconds"), vary.delay) if vary.delay[1] else 0.0
    settings = {name: note(name, span) for name, span in vary.settings.items()}
    steps: list[Step] = []
    for i, step in enumerate(scenario.steps, 1):
        at = note(t("step {i}, at", i=i), step.at_between) if step.at_between else step.at
        sets = {name: note(t("step {i}, {name}", i=i, name=name), span) for name, span in step.set_between.items()}
        moved = replace(step, at=at, settings={**step.settings, **sets}, at_between=None, set_between={})
        steps += _expanded(moved, pick, f"step {i}, ")
    return replace(
        scenario,
        name=f"{scenario.name}-seed-{seed}",
        title=t("{title} (seed {seed})", title=scenario.title, seed=seed),
        settle=scenario.settle + delay,
        settings={**scenario.settings, **settings},
        steps=_sorted(steps),
        seed=seed,
        drawn=tuple(drawn.items()),
        base=scenario.name,
    )


def with_seed(result: Result, scenario: Scenario) -> Result:
    """Give a result with the seed it was flown with, and how to fly it again where it did not pass."""
    if scenario.seed is None:
        return result
    again = t("Fly this seed again with --seed {seed}.", seed=scenario.seed)
    remedy = result.remedy if result.verdict is Verdict.PASS else f"{result.remedy} {again}".strip()
    return replace(result, remedy=remedy, seed=scenario.seed, drawn=scenario.drawn, base=scenario.base)


def _sorted(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda s: s.at))


def _middle(name: str, span: Range) -> float:
    del name
    return (span[0] + span[1]) / 2


def _expanded(step: Step, pick: _Pick, prefix: str) -> list[Step]:
    """Give a step with its flicker as single steps."""
    flicker = step.flicker
    if flicker is None:
        return [step]
    rest = replace(step, flicker=None)
    return [s for s in (rest, *_flickers(step.at, flicker, pick, prefix)) if str(s)]


def _flickers(start: float, flicker: Flicker, pick: _Pick, prefix: str) -> Iterable[Step]:
    at, turn = start, 0
    while at < start + flicker.seconds - flicker.each[0] / 2:
        yield Step(round(at, 3), {flicker.setting: flicker.values[turn % 2]})
        at += pick(f"{prefix}flicker {turn + 1}", flicker.each)
        turn += 1
    if turn % 2:
        yield Step(round(start + flicker.seconds, 3), {flicker.setting: flicker.values[1]})
