from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from dronekit_cfg.catalog.importers import import_spec, px4_json
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Kind

ENTRIES = [
    {
        "category": "Standard",
        "default": 2,
        "group": "Failsafe",
        "longDesc": "PROSE",
        "max": 6,
        "min": 0,
        "name": "NAV_RCL_ACT",
        "rebootRequired": True,
        "shortDesc": "PROSE",
        "type": "Int32",
        "values": [{"description": "Hold", "value": 1}, {"description": "Return", "value": 2}],
    },
    {
        "default": 0.5,
        "decimalPlaces": 1,
        "increment": 0.1,
        "max": 35.0,
        "min": 0.0,
        "name": "COM_RC_LOSS_T",
        "shortDesc": "PROSE",
        "type": "Float",
        "units": "s",
    },
    {"default": 7, "name": "EKF2_GPS_CTRL", "type": "Int32", "bitmask": [{"description": "Altitude", "index": 1}]},
    {"default": 0, "name": "CAL_GYRO0_ID", "type": "Int32", "volatile": False},
    {"default": 0, "name": "LND_FLIGHT_T_LO", "type": "Int32", "volatile": True},
    {"default": 1, "name": "MAV_SYS_ID", "type": "Int32"},
]
XML = """<?xml version='1.0' encoding='UTF-8'?>
<parameters>
  <version>3</version>
  <group name="Failsafe">
    <parameter default="2" name="NAV_RCL_ACT" type="INT32" category="Standard">
      <short_desc>PROSE</short_desc>
      <min>0</min><max>6</max>
      <reboot_required>true</reboot_required>
      <values><value code="1">Hold</value><value code="2">Return</value></values>
    </parameter>
    <parameter default="0.5" name="COM_RC_LOSS_T" type="FLOAT">
      <min>0.0</min><max>35.0</max><unit>s</unit><increment>0.1</increment>
    </parameter>
    <parameter default="7" name="EKF2_GPS_CTRL" type="INT32">
      <bitmask><bit index="1">Altitude</bit></bitmask>
    </parameter>
    <parameter default="0" name="LND_FLIGHT_T_LO" type="INT32" volatile="true"/>
  </group>
</parameters>
"""


def test_types_defaults_ranges_and_labels_are_read() -> None:
    spec = px4_json.import_json(json.dumps({"version": 1, "parameters": ENTRIES}).encode(), version="1.15.4")
    assert (spec.family, spec.vehicle, spec.version) == ("px4", "", "1.15.4")
    action = spec.settings["NAV_RCL_ACT"]
    assert (action.kind, action.default, action.minimum, action.maximum) == (Kind.INT32, 2, 0, 6)
    assert action.values == {1: "Hold", 2: "Return"}
    assert action.reboot
    delay = spec.settings["COM_RC_LOSS_T"]
    assert (delay.kind, delay.unit, delay.increment, delay.maximum) == (Kind.REAL32, "s", 0.1, 35.0)
    assert spec.settings["EKF2_GPS_CTRL"].bits == {1: "Altitude"}
    assert "PROSE" not in repr(list(spec.settings.values()))


def test_calibration_identity_and_volatile_settings_are_marked() -> None:
    spec = px4_json.import_json(json.dumps({"parameters": ENTRIES}).encode(), version="1.15.4")
    assert [n for n, s in spec.settings.items() if s.calibration] == ["CAL_GYRO0_ID"]
    assert [n for n, s in spec.settings.items() if s.identity] == ["CAL_GYRO0_ID", "MAV_SYS_ID"]
    assert [n for n, s in spec.settings.items() if s.volatile] == ["LND_FLIGHT_T_LO"]


def test_xml_gives_the_same_facts_as_json() -> None:
    from_json = px4_json.import_json(json.dumps({"parameters": ENTRIES}).encode(), version="1.15.4")
    from_xml = px4_json.import_xml(XML.encode(), version="1.15.4")
    assert len(from_xml.settings) == 4
    for name, facts in from_xml.settings.items():
        assert facts == from_json.settings[name]


def test_both_forms_are_recognised_packed_or_not(tmp_path: Path) -> None:
    (tmp_path / "a.json.xz").write_bytes(lzma.compress(json.dumps({"parameters": ENTRIES}).encode()))
    (tmp_path / "b.xml").write_text(XML, encoding="utf-8")
    assert import_spec(tmp_path / "a.json.xz", version="1.15.4").family == "px4"
    assert import_spec(tmp_path / "b.xml", version="1.15.4").family == "px4"


@pytest.mark.parametrize("content", [b"[]", b'{"parameters": {}}', b'{"parameters": []}', b'{"parameters": [1, null]}'])
def test_json_of_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(MetadataError, match="not PX4"):
        px4_json.import_json(content, version="1.15.4")


def test_xml_of_something_else_is_refused() -> None:
    with pytest.raises(MetadataError, match="not PX4"):
        px4_json.import_xml(b"<rss/>", version="1.15.4")


def test_numbers_that_no_float32_holds_are_no_facts() -> None:
    entry = {"name": "X", "type": "Float", "max": 1e300, "min": "nan", "default": "abc"}
    spec = px4_json.import_json(json.dumps({"parameters": [entry]}).encode(), version="1.15.4")
    found = spec.settings["X"]
    assert (found.minimum, found.maximum, found.default) == (None, None, None)
