from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from dronekit_cfg.catalog.importers import _source, ardupilot_pdef, import_spec
from dronekit_cfg.catalog.importers._labels import LONGEST, short_label
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Spec

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!-- made by hand for this test -->\n'
XML = (
    HEAD
    + """<paramfile>
  <vehicles>
    <parameters name="ArduCopter">
      <param humanName="A title of nobody" name="ArduCopter:RTL_ALT" documentation="PROSE one" user="Standard">
        <field name="Units">cm</field>
        <field name="UnitText">centimeters</field>
        <field name="Range">30 300000</field>
        <field name="Increment">.5</field>
      </param>
      <param humanName="x" name="ArduCopter:SYSID_THISMAV" documentation="PROSE">
        <field name="Range">1 255</field>
      </param>
      <param humanName="x" name="ArduCopter:FS_EKF_THRESH" documentation="PROSE">
        <values><value code="0.6">Strict</value><value code="1.0">Relaxed</value></values>
      </param>
      <param humanName="x" name="ArduCopter:FS_OPTIONS" documentation="PROSE">
        <values><value code="0">Nothing</value><value code="19">A sum</value></values>
        <field name="Bitmask">0:Auto on RC, 1: Guided, with comma,4:Pilot modes</field>
      </param>
    </parameters>
  </vehicles>
  <libraries>
    <parameters name="BATT_">
      <param humanName="x" name="BATT_MONITOR" documentation="PROSE" user="Standard">
        <field name="RebootRequired">True</field>
        <values><value code="0">Disabled</value><value code="4">Analog Voltage and Current</value></values>
      </param>
      <param humanName="x" name="BATT_VOLT_PIN" documentation="PROSE">
        <values><value code="-1">Off</value></values>
      </param>
      <param humanName="x" name="BATT_VOLT_PIN" documentation="PROSE">
        <values><value code="2">A board</value></values>
      </param>
    </parameters>
    <parameters name="ATC_">
      <param humanName="x" name="ATC_RAT_PIT_P" documentation="PROSE">
        <field name="Range">0.01 0.5</field><field name="ReadOnly">True</field>
      </param>
      <param humanName="x" name="ATC_RAT_PIT_P" documentation="PROSE"><field name="Range">0.0 0.35</field></param>
    </parameters>
    <parameters name="COMPASS_">
      <param humanName="x" name="COMPASS_OFS_X" documentation="PROSE" calibration="1">
        <field name="Calibration">1</field><field name="Range">-400 400</field>
      </param>
      <param humanName="x" name="COMPASS_DEV_ID" documentation="PROSE"><field name="ReadOnly">True</field></param>
      <param humanName="x" name="AHRS_TRIM_X" documentation="PROSE"><field name="Range">-0.1745 +0.1745</field></param>
      <param humanName="x" name="BAD_RANGE" documentation="PROSE"><field name="Range">high low</field></param>
      <param humanName="x" name="NET_BITS" documentation="PROSE">
        <bitmask><bit code="0">First</bit><bit code="31">Last</bit></bitmask>
      </param>
    </parameters>
  </libraries>
</paramfile>
"""
)


@pytest.fixture
def spec() -> Spec:
    return ardupilot_pdef.import_xml(XML.encode(), version="4.5.6")


def test_a_vehicle_prefix_is_stripped_and_library_parameters_are_included(spec: Spec) -> None:
    assert (spec.family, spec.vehicle, spec.version) == ("ardupilot", "copter", "4.5.6")
    assert {"RTL_ALT", "BATT_MONITOR", "COMPASS_OFS_X"} <= set(spec.settings)
    assert not any(":" in name for name in spec.settings)


def test_range_increment_and_unit_are_read(spec: Spec) -> None:
    rtl = spec.settings["RTL_ALT"]
    assert (rtl.minimum, rtl.maximum, rtl.increment, rtl.unit) == (30, 300000, 0.5, "cm")
    assert spec.settings["AHRS_TRIM_X"].maximum == 0.1745  # written with a plus sign


def test_a_range_that_makes_no_sense_is_no_range(spec: Spec) -> None:
    assert spec.settings["BAD_RANGE"].minimum is None
    assert spec.settings["BAD_RANGE"].maximum is None


def test_value_labels_are_read(spec: Spec) -> None:
    assert spec.settings["BATT_MONITOR"].values == {0: "Disabled", 4: "Analog Voltage and Current"}


def test_a_value_table_with_fractions_is_no_enumeration(spec: Spec) -> None:
    assert spec.settings["FS_EKF_THRESH"].values == {}


def test_bits_are_read_from_text_and_from_elements_and_replace_example_sums(spec: Spec) -> None:
    assert spec.settings["FS_OPTIONS"].bits == {0: "Auto on RC", 1: "Guided, with comma", 4: "Pilot modes"}
    assert spec.settings["FS_OPTIONS"].values == {}
    assert spec.settings["NET_BITS"].bits == {0: "First", 31: "Last"}


def test_flags_are_read(spec: Spec) -> None:
    assert spec.settings["BATT_MONITOR"].reboot
    assert spec.settings["COMPASS_OFS_X"].calibration
    assert spec.settings["COMPASS_DEV_ID"].read_only
    assert not spec.settings["RTL_ALT"].reboot


def test_what_belongs_to_one_aircraft_is_marked_as_identity(spec: Spec) -> None:
    assert {n for n, s in spec.settings.items() if s.identity} == {"SYSID_THISMAV", "COMPASS_DEV_ID"}


def test_a_name_documented_twice_allows_what_either_allows(spec: Spec) -> None:
    gain = spec.settings["ATC_RAT_PIT_P"]
    assert (gain.minimum, gain.maximum, gain.read_only) == (0.0, 0.5, True)
    assert spec.settings["BATT_VOLT_PIN"].values == {-1: "Off", 2: "A board"}


def test_no_documentation_text_is_kept(spec: Spec) -> None:
    assert "PROSE" not in repr(list(spec.settings.values()))
    assert "title" not in repr(list(spec.settings.values()))


def test_json_metadata_gives_the_same_facts(spec: Spec) -> None:
    content = {
        "json": {"version": 0},
        "ArduCopter": {
            "ArduCopter:RTL_ALT": {
                "Description": "PROSE",
                "DisplayName": "PROSE",
                "Increment": ".5",
                "Range": {"high": "300000", "low": "30"},
                "Units": "cm",
            }
        },
        "BATT_": {
            "BATT_MONITOR": {
                "RebootRequired": "True",
                "Values": {"0": "Disabled", "4": "Analog Voltage and Current"},
            },
        },
        "NET_": {"NET_BITS": {"Bitmask": {"0": "First", "31": "Last"}}},
        "COMPASS_": {"COMPASS_OFS_X": {"Calibration": "1", "Range": {"low": "-400", "high": "400"}}},
    }
    found = ardupilot_pdef.import_json(json.dumps(content).encode(), version="4.5.6", vehicle="copter")
    assert len(found.settings) == 4
    for name, facts in found.settings.items():
        assert facts == spec.settings[name]


def test_json_needs_to_be_told_the_vehicle() -> None:
    with pytest.raises(MetadataError, match="which vehicle") as caught:
        ardupilot_pdef.import_json(b'{"X_": {"X_A": {}}}', version="4.5.6", vehicle="")
    assert "copter" in caught.value.hint


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<paramfile>&lol2;</paramfile>
"""
EXTERNAL = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<paramfile>&e;</paramfile>\n'


@pytest.mark.parametrize("text", [BOMB, EXTERNAL], ids=["entity bomb", "external entity"])
def test_entities_are_refused_with_the_line(text: str) -> None:
    with pytest.raises(MetadataError, match=r"bomb\.xml:2: .*entities") as caught:
        ardupilot_pdef.import_xml(text.encode(), version="4.5.6", file="bomb.xml")
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_truncated_xml_says_in_which_line_it_ends() -> None:
    cut = XML[: XML.index("<libraries>")]
    with pytest.raises(MetadataError, match=rf"cut\.xml:{cut.count(chr(10)) + 1}:\d+: ") as caught:
        ardupilot_pdef.import_xml(cut.encode(), version="4.5.6", file="cut.xml")
    assert "again" in caught.value.hint


def test_truncated_json_says_in_which_line_it_ends() -> None:
    with pytest.raises(MetadataError, match=r"cut\.json:2:\d+: "):
        ardupilot_pdef.import_json(b'{"X_":\n {"X_A"', version="4.5.6", vehicle="copter", file="cut.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html><body>Not found</body></html>", "<html>"),
        ("<paramfile><vehicles/><libraries/></paramfile>", "0 vehicles"),
        ('<paramfile><vehicles><parameters name="ArduCopter"/></vehicles></paramfile>', "no parameter"),
        ('<paramfile><vehicles><parameters name="ArduCopter"><param/></parameters></vehicles></paramfile>', "no name"),
    ],
)
def test_xml_that_is_something_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(MetadataError, match=said):
        ardupilot_pdef.import_xml(text.encode(), version="4.5.6")


def test_a_file_of_several_vehicles_needs_a_choice() -> None:
    both = XML.replace('<parameters name="ArduCopter">', '<parameters name="Rover"/><parameters name="ArduCopter">')
    with pytest.raises(MetadataError, match="2 vehicles"):
        ardupilot_pdef.import_xml(both.encode(), version="4.5.6")
    assert "RTL_ALT" in ardupilot_pdef.import_xml(both.encode(), version="4.5.6", vehicle="copter").settings
    assert "RTL_ALT" not in ardupilot_pdef.import_xml(both.encode(), version="4.5.6", vehicle="rover").settings
    with pytest.raises(MetadataError, match="not plane"):
        ardupilot_pdef.import_xml(both.encode(), version="4.5.6", vehicle="plane")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_a_file_is_recognised_by_its_content_packed_or_not(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "whatever.bin"
    assert callable(pack)
    path.write_bytes(pack(XML.encode()))
    found = import_spec(path, version="4.5.6")
    assert found.settings["BATT_VOLT_PIN"].enabled_by == "BATT_MONITOR"


def test_names_that_are_documented_beside_their_new_name_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "apm.pdef.xml"
    path.write_text(XML.replace("BAD_RANGE", "GPS_TYPE").replace("NET_BITS", "GPS1_TYPE"), encoding="utf-8")
    found = import_spec(path, version="4.7.0")
    assert "GPS1_TYPE" in found.settings
    assert "GPS_TYPE" not in found.settings


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_cut_packed_file_is_refused(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "cut"
    assert callable(pack)
    path.write_bytes(pack(XML.encode())[:-20])
    with pytest.raises(MetadataError, match="damaged or cut short"):
        import_spec(path, version="4.5.6")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_source, "LIMIT", 1 << 20)
    path = tmp_path / "huge.gz"
    path.write_bytes(gzip.compress(b" " * ((1 << 20) + 1)))
    with pytest.raises(MetadataError, match="larger than 1 MB"):
        import_spec(path, version="4.5.6")


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02binary", b"RTL_ALT,1500\n"])
def test_a_file_that_is_neither_xml_nor_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match="neither XML nor JSON"):
        import_spec(path, version="4.5.6")


def test_a_missing_file_is_a_metadata_error(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read"):
        import_spec(tmp_path / "nowhere.xml", version="4.5.6")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("RTL", "RTL"),
        ("two\n  lines", "two lines"),
        ("Keeps going (but only when something else that is long was said before it)", "Keeps going"),
        ("One sentence about it. Another sentence that nobody asked for, and more.", "One sentence about it"),
    ],
)
def test_labels_are_short(text: str, label: str) -> None:
    assert short_label(text) == label


def test_a_label_without_any_pause_is_cut_at_a_word() -> None:
    label = short_label("word " * 40)
    assert len(label) <= LONGEST
    assert label.endswith("word…")
