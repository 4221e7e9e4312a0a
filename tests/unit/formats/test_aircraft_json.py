"""The files of a whole aircraft fit their published schemas, and what does not fit them is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import aircraft_schemas
import pytest
from documents import LEFT_OUT, PLAN, RECEIPT, SNAPSHOT

from dronekit_cfg.engine.aircraft_journal import FORMAT, NEW, OLD, identity_data
from dronekit_cfg.engine.journal import Journal
from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats import schema
from dronekit_cfg.formats.aircraft_json import dump_aircraft, load_aircraft, read_aircraft, save_aircraft
from dronekit_cfg.model import Result
from dronekit_cfg.model.aircraft import (
    AircraftPlan,
    AircraftReceipt,
    AircraftSnapshot,
    Part,
    PartPlan,
    PartSnapshot,
)

WHO = RECEIPT.identity
WHOLE_PLAN = AircraftPlan("heavy-lift", (PartPlan("vehicle", "sim:a", PLAN), PartPlan("radio", "sim:b", PLAN)))
WHOLE_SNAPSHOT = AircraftSnapshot("2026-11-22T10:00:00Z", "heavy-lift", (PartSnapshot("vehicle", "sim:a", SNAPSHOT),))
WHOLE_RECEIPT = AircraftReceipt(
    action="apply",
    result=Result.ROLLED_BACK,
    who="technician",
    started="2026-11-22T10:00:00Z",
    finished="2026-11-22T10:00:09Z",
    seconds=9.25,
    tool="dronekit-cfg 0.1.0",
    profile="heavy-lift",
    snapshot_file="s.json",
    journal_file="j.jsonl",
    parts=(
        Part("vehicle", "sim:a", WHO, "heavy-lift", "sha256:0", Result.ROLLED_BACK, RECEIPT),
        Part("radio", "sim:b", WHO, "sik", "sha256:0", Result.UNCHANGED, problems=("not begun",), left_out=(LEFT_OUT,)),
    ),
    problems=("p",),
    notes=("n",),
)
DOCUMENTS: dict[str, Any] = {
    "aircraft-plan": WHOLE_PLAN,
    "aircraft-receipt": WHOLE_RECEIPT,
    "aircraft-snapshot": WHOLE_SNAPSHOT,
}


def data_of(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(dump_aircraft(DOCUMENTS[kind]))
    return loaded


@pytest.mark.parametrize("kind", aircraft_schemas.MAKERS)
def test_the_schema_of_an_aircraft_says_of_each_device_what_that_of_a_device_says(kind: str) -> None:
    """Else run: python tests/support/aircraft_schemas.py."""
    file = aircraft_schemas.SCHEMAS / f"{kind}.v1.schema.json"
    assert file.read_text("utf-8") == aircraft_schemas.shown(aircraft_schemas.MAKERS[kind]())


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_document_fits_its_schema(kind: str) -> None:
    assert schema.check(f"{kind}.v1", data_of(kind)) == ()


def mutations(node: Any, root: Any) -> Iterator[tuple[str, Any]]:
    """Give copies of the document with one thing wrong each: an unknown key, or a value of a type that none has."""
    if isinstance(node, dict):
        for key in list(node):
            kept, node[key] = node[key], {"no": ["such"]}
            yield key, deepcopy(root)
            node[key] = kept
            yield from mutations(kept, root)
        node["no_such_key"] = 1
        yield "no_such_key", deepcopy(root)
        del node["no_such_key"]
    elif isinstance(node, list):
        for item in node:
            yield from mutations(item, root)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_whatever_is_changed_in_a_document_is_found(kind: str) -> None:
    whole = data_of(kind)
    changed = list(mutations(whole, whole))
    free = {"raw", "diff all"} if kind == "aircraft-snapshot" else set()  # originals by any name
    missed = {key for key, data in changed if not schema.check(f"{kind}.v1", data)}
    assert len(changed) > 50
    assert missed - free == set()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_every_document_has_must_be_there(kind: str) -> None:
    whole = data_of(kind)
    for key in whole:
        without = {k: v for k, v in whole.items() if k != key}
        assert bool(schema.check(f"{kind}.v1", without)) == (key not in {"problems", "notes"}), key


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_comes_back_equal_and_a_changed_one_is_refused(kind: str, tmp_path: Path) -> None:
    document, path = DOCUMENTS[kind], tmp_path / "x.json"
    save_aircraft(path, document)
    again = read_aircraft(type(document), path)
    assert dump_aircraft(again) == dump_aircraft(document)
    with pytest.raises(FileProblems, match="changed or damaged"):
        load_aircraft(type(document), path.read_text("utf-8").replace("00ff", "00fe"), "x.json")


def lines(folder: Path) -> list[dict[str, Any]]:
    journal = Journal(folder / "j.jsonl")
    part = {"role": "radio", "link": "sim:b", "driver": "sik", "identity": identity_data(WHO)}
    journal.write("begin", format=FORMAT, action="apply", profile="p", started="", snapshot="s.json", parts=[part])
    journal.write("part", role="radio", state="begun")
    journal.write("part", role="radio", state="held")
    journal.write("decide", to=NEW)
    journal.write("decide", to=OLD, why="a device is silent")
    journal.end(Result.IN_DOUBT, "why")
    return [json.loads(line) for line in journal.path.read_text("utf-8").splitlines()]


def test_every_line_of_a_journal_fits_its_schema_and_no_changed_one_does(tmp_path: Path) -> None:
    for line in lines(tmp_path):
        assert schema.check("aircraft-journal.v1", line) == (), line
        for key, changed in mutations(line, line):
            assert schema.check("aircraft-journal.v1", changed), (line, key)
