"""Snapshots, plans and receipts as files: exact, sealed, and refused when they were touched."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import PLAN, RECEIPT, SNAPSHOT, real

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats import schema
from dronekit_cfg.formats.plan_json import dump_plan, load_plan, read_plan, save_plan
from dronekit_cfg.formats.receipt_json import dump_receipt, load_receipt, read_receipt, save_receipt
from dronekit_cfg.formats.records import DataError, from_data, to_data
from dronekit_cfg.formats.snapshot_json import dump_snapshot, load_snapshot, read_snapshot, save_snapshot
from dronekit_cfg.model import (
    Finding,
    Identity,
    Origin,
    Plan,
    Receipt,
    Setting,
    Snapshot,
    Step,
    StepKind,
    digest,
)

Check = tuple[str, str, Callable[[str, str], Any]]
DOCUMENTS: dict[str, Check] = {
    "snapshot": ("snapshot.v1", dump_snapshot(SNAPSHOT, tool="dronekit-cfg 0.1.0"), load_snapshot),
    "plan": ("plan.v1", dump_plan(PLAN), load_plan),
    "receipt": ("receipt.v1", dump_receipt(RECEIPT), load_receipt),
}


@pytest.fixture(params=list(DOCUMENTS))
def document(request: pytest.FixtureRequest) -> Check:
    return DOCUMENTS[str(request.param)]


def test_a_snapshot_comes_back_bit_for_bit() -> None:
    again = load_snapshot(dump_snapshot(SNAPSHOT), "x.json")
    assert again == SNAPSHOT
    assert again.digest == SNAPSHOT.digest
    assert math.copysign(1, again.by_name["C"].value.number) == -1


def test_a_nan_on_a_vehicle_is_no_reason_to_lose_its_snapshot() -> None:
    source = dataclasses.replace(SNAPSHOT, settings=(Setting("A", real(math.nan), real(math.nan)),))
    text = dump_snapshot(source)
    again = load_snapshot(text, "x.json").settings[0]
    assert math.isnan(again.value.number)
    assert again.default is not None
    assert math.isnan(again.default.number)
    json.loads(text, parse_constant=pytest.fail)


def test_a_snapshot_shows_floats_short_and_their_bits_beside() -> None:
    settings = {s["name"]: s for s in json.loads(dump_snapshot(SNAPSHOT))["settings"]}
    assert settings["A"] == {"name": "A", "type": "REAL32", "value": 0.1, "hex": "3dcccccd", "default": 0.0}
    assert settings["B"] == {"name": "B", "type": "INT32", "value": 2147483647, "default": 0}
    assert settings["D"]["value"] == "inf"
    assert settings["G"]["default"] == {"type": "REAL32", "value": 1.5}
    assert struct.unpack(">f", bytes.fromhex(settings["E"]["hex"]))[0] == 1.401298464324817e-45


def test_a_plan_comes_back_equal() -> None:
    again = load_plan(dump_plan(PLAN), "x.json")
    nan = again.changes[2].old
    assert nan is not None
    assert math.isnan(nan.number)
    assert dataclasses.replace(again, changes=again.changes[:2]) == dataclasses.replace(PLAN, changes=PLAN.changes[:2])
    assert again.digest == PLAN.digest


def test_a_receipt_comes_back_equal() -> None:
    again = load_receipt(dump_receipt(RECEIPT), "x.json")
    assert dataclasses.replace(again, records=()) == dataclasses.replace(RECEIPT, records=())
    assert again.records[0].echoed == real(0.2)
    assert again.changed


def test_files_are_saved_and_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    save_snapshot(path, SNAPSHOT, tool="t 1")
    assert read_snapshot(path) == SNAPSHOT
    save_plan(path, dataclasses.replace(PLAN, changes=PLAN.changes[:2]))
    assert read_plan(path).changes == PLAN.changes[:2]
    save_receipt(path, dataclasses.replace(RECEIPT, records=()))
    assert read_receipt(path) == dataclasses.replace(RECEIPT, records=())


def test_every_document_fits_its_schema(document: Check) -> None:
    name, text, _ = document
    assert schema.check(name, json.loads(text)) == ()


def test_a_document_with_nothing_optional_fits_its_schema() -> None:
    bare = Identity("ardupilot", "copter", "4.5.6", "4.5.6", "SITL", "")
    empty = ("p", "d", "d", (), (), ())
    assert schema.check("plan.v1", json.loads(dump_plan(Plan(bare, *empty)))) == ()
    assert schema.check("snapshot.v1", json.loads(dump_snapshot(Snapshot(bare, "t", "list", ())))) == ()


def test_the_same_value_gives_the_same_bytes(document: Check) -> None:
    _, text, load = document
    dump: dict[type, Callable[[Any], str]] = {Snapshot: dump_snapshot, Plan: dump_plan, Receipt: dump_receipt}
    loaded = load(text, "x.json")
    assert dump[type(loaded)](loaded).splitlines()[5:-2] == text.splitlines()[5:-2]


def test_the_seal_is_the_digest_of_everything_else(document: Check) -> None:
    data = json.loads(document[1])
    assert next(iter(data)) == "format"
    assert list(data)[-1] == "seal"
    assert data.pop("seal") == digest(data)


def test_a_document_changed_by_hand_is_refused(document: Check) -> None:
    _, text, load = document
    with pytest.raises(FileProblems, match="changed or damaged") as caught:
        load(text.replace("00ff", "00fe"), "x.json")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("[1]", "not a file of this tool"),
        ('{"format": "dronekit-cfg/other/v1"}', "the format is"),
        ('{"a": 1, "a": 2}', '"a" stands there twice'),
        ('{"a": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("<html><body>404</body></html>", "web page"),
        ("{}", 'the format is "None"'),
    ],
)
def test_what_is_no_such_document_is_refused(document: Check, text: str, words: str) -> None:
    with pytest.raises(FileProblems, match=words):
        document[2](text, "x.json")


def test_a_truncated_document_is_refused_with_its_place(document: Check) -> None:
    _, text, load = document
    with pytest.raises(FileProblems) as caught:
        load(text[: len(text) // 2], "x.json")
    assert caught.value.problems[0].line > 1


def test_a_document_of_a_later_version_asks_for_that_tool(document: Check) -> None:
    _, text, load = document
    with pytest.raises(FileProblems) as caught:
        load(text.replace("/v1", "/v2", 1), "x.json")
    assert "another version of dronekit-cfg" in caught.value.hint


def resealed(text: str, **changes: Any) -> str:
    data = {**json.loads(text), **changes}
    del data["seal"]
    return json.dumps({**data, "seal": digest(data)})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"digest": "sha256:0"}, "digest of the snapshot does not match"),
        ({"settings": [{"name": "A", "type": "INT8", "value": 300}]}, "snapshot is damaged"),
        ({"settings": [{"name": "A", "type": "INT8", "value": True}]}, "snapshot is damaged"),
        ({"settings": [{"name": "A", "type": "REAL32", "value": 1, "hex": "00000000"}]}, "hex 00000000 differ"),
        ({"settings": [{"name": "A", "type": "REAL32", "value": 1, "hex": "zz"}]}, "snapshot is damaged"),
        ({"settings": [{"name": "A", "type": "INT8", "value": 1}] * 2}, "twice"),
        ({"settings": [{"name": "A", "type": "INT8", "value": 1, "more": 1}]}, "unknown or mistyped"),
        ({"settings": None}, "snapshot is damaged"),
        ({"identity": {}}, '"family" is missing'),
        ({"raw": []}, "snapshot is damaged"),
    ],
)
def test_a_sealed_snapshot_that_makes_no_sense_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FileProblems, match=words):
        load_snapshot(resealed(dump_snapshot(SNAPSHOT), **changes), "x.json")


def test_a_sealed_plan_whose_changes_do_not_match_its_digest_is_refused() -> None:
    with pytest.raises(FileProblems, match="digest of the plan"):
        load_plan(resealed(dump_plan(PLAN), changes=[]), "x.json")
    with pytest.raises(FileProblems, match="plan is damaged"):
        load_plan(resealed(dump_plan(PLAN), steps=[{"kind": "explode"}]), "x.json")


@pytest.mark.parametrize(
    ("cls", "data", "words"),
    [
        (Origin, {"layer": 3}, "origin.layer: 3 does not fit"),
        (Origin, {"layer": "a", "line": True}, "origin.line: True does not fit"),
        (Origin, {"layer": "a", "row": 1}, 'unknown key "row"'),
        (Origin, {}, '"layer" is missing'),
        (Origin, [], "not a mapping"),
        (Step, {"kind": "write", "names": "A"}, "step.names is not a list"),
        (Finding, {"id": "a", "severity": "error", "name": "A", "message": None}, "message: None does not fit"),
    ],
)
def test_data_that_does_not_fit_names_the_path_to_it(cls: type, data: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_data(cls, data)


def test_fields_that_hold_their_default_are_left_out() -> None:
    assert to_data(Origin("a")) == {"layer": "a"}
    assert to_data(Step(StepKind.REBOOT)) == {"kind": "reboot"}
