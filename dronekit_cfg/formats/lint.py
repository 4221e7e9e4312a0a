"""What can be said of one profile file by itself, before anybody puts it into a stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats import expressions
from dronekit_cfg.formats import inputs as input_values
from dronekit_cfg.formats.compose import declared_inputs
from dronekit_cfg.formats.layer import NUMERIC_FAMILIES, Layer
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.stack import Stack, load_stack
from dronekit_cfg.text import t

__all__ = ["file_problems"]


def file_problems(path: Path, library: Library) -> tuple[Problem, ...]:
    """Give what is wrong with a file that reads well: parents, emptiness, expressions with its own defaults.

    What it needs of other layers is not judged here: an overlay may rely on what comes before it.
    """
    loaded = load_stack((str(path),), library, family=None, unit=None)
    needed = {(r.origin.file, r.origin.line, r.origin.column) for layer in loaded.layers for r in layer.requires}
    problems = [p for p in loaded.problems if (p.file, p.line, p.column) not in needed]
    if not loaded.groups:
        return tuple(problems)
    own = loaded.groups[0].layers[-1]
    if not _says_something(own):
        hint = t("add settings: to the profile, or extends: to build on another one")
        problems.append(Problem(own.file, 1, 1, t('"{stack}" sets nothing', stack=path), hint))
    return (*problems, *_expressions(own, loaded))


def _says_something(layer: Layer) -> bool:
    return bool(layer.settings or layer.extends or layer.input_values or layer.inputs or layer.modules or layer.waivers)


def _expressions(own: Layer, loaded: Stack) -> Iterator[Problem]:
    """Compute what the file's own inputs and defaults are enough for."""
    known = {name: found for layer in loaded.layers for name, found in layer.input_values.items()}
    values, wrong = input_values.fill(declared_inputs(loaded), {}, known, complete=False)
    yield from wrong
    text = own.family not in NUMERIC_FAMILIES
    for setting in own.settings:
        if setting.expr is None or not expressions.names_needed(setting.expr, setting.origin) <= set(values):
            continue
        try:
            expressions.evaluate(setting.expr, values, setting.origin, text=text)
        except FileProblems as error:
            yield from error.problems
