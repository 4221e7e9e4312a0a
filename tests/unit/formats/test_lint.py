"""What one profile file is told about itself: parents, emptiness, expressions; each with its place and a remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lint import file_problems

Profile = Callable[..., Path]


def told(path: Path, library: Library) -> list[str]:
    problems = file_problems(path, library)
    assert all(p.hint for p in problems)
    return [f"{Path(p.file).name}:{p.line}:{p.column}: {p.message}" for p in problems]


def test_a_circle_of_parents_is_found_in_the_file_that_closes_it(library: Library, profile: Profile) -> None:
    one = profile("ardupilot/overlays/one", "A: 1", "extends: [two]\n")
    profile("ardupilot/overlays/two", "A: 1", "extends: [one]\n")
    assert told(one, library) == ["two.yaml:5:11: profiles extend each other: one -> two -> one"]


def test_a_parent_that_is_nowhere_is_named(library: Library, profile: Profile) -> None:
    path = profile("ardupilot/overlays/orphan", "A: 1", "extends: [nobody]\n")
    assert told(path, library) == ['orphan.yaml:5:11: there is no profile "nobody"']


def test_a_file_that_says_nothing_is_empty(library: Library, profile: Profile) -> None:
    path = profile("ardupilot/overlays/empty")
    assert told(path, library) == [f'empty.yaml:1:1: "{path}" sets nothing']


def test_an_expression_is_computed_with_the_defaults_of_the_file(library: Library, profile: Profile) -> None:
    declared = "inputs:\n  n: {type: integer, default: 0}\n"
    path = profile("ardupilot/overlays/zero", "A: {expr: 1 / n}\nB: {expr: 1 / cells}", declared)
    (problem,) = told(path, library)
    assert problem.startswith("zero.yaml:8:3:")
    assert problem.endswith("1 / n: division by zero")


def test_an_overlay_may_need_what_stands_before_it(library: Library, profile: Profile) -> None:
    path = profile("ardupilot/overlays/needy", "A: {expr: cells * 2}", "requires: [heavy-lift]\n")
    assert told(path, library) == []


@pytest.mark.parametrize("name", ["fpv-7in", "gnss-dual-ublox", "base/ardupilot-copter", "sik-resilient"])
def test_what_is_shipped_stands_by_itself(name: str) -> None:
    library = Library()
    families = library.families(name)
    for family in families:
        assert file_problems(library.find(name, family=family), library) == ()
    assert families


def test_every_shipped_file_is_clean() -> None:
    library = Library()
    found = {e.path.name: file_problems(e.path, library) for e in library.list()}
    assert len(found) >= 50
    assert {name: problems for name, problems in found.items() if problems} == {}
