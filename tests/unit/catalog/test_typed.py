from __future__ import annotations

import pytest

from dronekit_cfg.catalog.importers import TypeFact, types_from_json, types_from_snapshot, with_types
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Identity, Kind, Setting, SettingSpec, Snapshot, Spec, Value


def spec(*settings: SettingSpec) -> Spec:
    return Spec("ardupilot", "copter", "1", {s.name: s for s in settings})


def test_types_and_defaults_are_filled_in() -> None:
    found = with_types(spec(SettingSpec("A", unit="m")), {"A": TypeFact(Kind.REAL32, 0.800000011920929)})
    assert found.settings["A"] == SettingSpec("A", kind=Kind.REAL32, unit="m", default=0.8)


def test_what_the_vendor_documents_is_kept() -> None:
    documented = SettingSpec("A", kind=Kind.INT32, default=3)
    assert with_types(spec(documented), {"A": TypeFact(Kind.INT8, 9)}).settings["A"] == documented


def test_a_range_wider_than_its_storage_is_cut() -> None:
    found = with_types(spec(SettingSpec("A", minimum=-1000, maximum=255)), {"A": TypeFact(Kind.INT8)}).settings["A"]
    assert (found.minimum, found.maximum) == (-128, 127)


def test_listed_but_undocumented_settings_are_added_unless_not_wanted() -> None:
    facts = {"B": TypeFact(Kind.INT16, 5)}
    assert with_types(spec(SettingSpec("A")), facts).settings["B"].default == 5
    assert "B" not in with_types(spec(SettingSpec("A")), facts, add=False).settings


def test_types_are_read_from_a_list() -> None:
    data = b'[{"name": "A", "type": "INT8", "value": 1, "default": 2}, {"name": "B", "type": "REAL32", "value": 1}]'
    assert types_from_json(data) == {"A": TypeFact(Kind.INT8, 2), "B": TypeFact(Kind.REAL32)}


@pytest.mark.parametrize("data", [b"{}", b"[]", b'[{"name": "A"}]', b'[{"name": "A", "type": "INT9"}]', b"[1]", b"[{"])
def test_a_list_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MetadataError):
        types_from_json(data)


def test_types_come_from_a_typed_snapshot_only() -> None:
    identity = Identity("ardupilot", "copter", "4.5.6", "4.5.6", "sitl", "00")
    settings = (Setting("A", Value(Kind.INT8, 1), Value(Kind.INT8, 2)), Setting("B", Value(Kind.REAL32, 1.5)))
    typed = Snapshot(identity, "2026-01-01T00:00:00Z", "mavftp", settings)
    assert types_from_snapshot(typed) == {"A": TypeFact(Kind.INT8, 2), "B": TypeFact(Kind.REAL32)}
    assert types_from_snapshot(Snapshot(identity, "2026-01-01T00:00:00Z", "list", settings, typed=False)) == {}
