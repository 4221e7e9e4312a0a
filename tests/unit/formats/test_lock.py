"""Lock files: the same bytes everywhere, no half-believed edits, and drift of profiles named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats import schema
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import LockDifference, check_lock, load_lock, lock_text
from dronekit_cfg.model import Resolved, digest

Profile = Callable[..., Path]


@pytest.fixture
def resolved(library: Library) -> Resolved:
    return resolve("heavy-lift+gnss-dual", library, inputs={"cells": "6"})


def test_a_lock_is_loaded_as_the_profile_it_was_made_of(resolved: Resolved) -> None:
    text = lock_text(resolved)
    loaded = load_lock(text, "x.lock.json")
    assert loaded.digest == resolved.digest
    assert {w.name: (w.value, w.because, w.origin.layer) for w in loaded.settings} == {
        w.name: (w.value, w.because, w.origin.layer) for w in resolved.settings
    }
    assert (loaded.layers, loaded.inputs, loaded.flags) == (resolved.layers, resolved.inputs, resolved.flags)
    assert lock_text(loaded) == text


def test_a_value_of_a_lock_knows_its_line(resolved: Resolved) -> None:
    text = lock_text(resolved)
    wanted = next(w for w in load_lock(text, "x.lock.json").settings if w.name == "GPS2_TYPE")
    assert text.splitlines()[wanted.origin.line - 1].startswith('"GPS2_TYPE"')


def test_a_lock_holds_no_path_of_the_machine(resolved: Resolved, tmp_path: Path) -> None:
    assert str(tmp_path) not in lock_text(resolved)


def test_a_lock_fits_its_schema(resolved: Resolved) -> None:
    assert schema.check("lock.v1", json.loads(lock_text(resolved))) == ()


def test_a_lock_changed_by_hand_is_refused(resolved: Resolved) -> None:
    text = lock_text(resolved).replace('"GPS2_TYPE": {"value": 9', '"GPS2_TYPE": {"value": 8')
    with pytest.raises(FileProblems, match="changed or damaged"):
        load_lock(text, "x.lock.json")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"digest": "sha256:0"}, "digest of the lock does not match"),
        ({"settings": {"A": {"value": None}}}, "A is no setting of a lock"),
        ({"settings": {"A": {"value": 1, "more": 2}}}, "A is no setting of a lock"),
        ({"settings": []}, "the lock is damaged"),
        ({"flags": "vlos"}, "resolved.flags is not a list"),
    ],
)
def test_a_sealed_lock_that_makes_no_sense_is_refused(
    resolved: Resolved, changes: dict[str, object], words: str
) -> None:
    data = {**json.loads(lock_text(resolved)), **changes}
    del data["seal"]
    with pytest.raises(FileProblems, match=words):
        load_lock(json.dumps({**data, "seal": digest(data)}), "x.lock.json")


def test_an_unchanged_profile_agrees_with_its_lock(resolved: Resolved) -> None:
    assert check_lock(lock_text(resolved), resolved) == ()


def test_what_changed_since_the_lock_was_made_is_named(resolved: Resolved, library: Library, profile: Profile) -> None:
    text = lock_text(resolved)
    profile("ardupilot/overlays/gnss-dual", "GPS1_TYPE: 9\nGPS3_TYPE: 1")
    now = resolve("heavy-lift+gnss-dual", library, inputs={"cells": "7"})
    assert check_lock(text, now) == (
        LockDifference("input cells", "6", "7"),
        LockDifference("BATT_LOW_VOLT", "21", "24.5"),
        LockDifference("GPS2_TYPE", "9", ""),
        LockDifference("GPS3_TYPE", "", "1"),
    )
