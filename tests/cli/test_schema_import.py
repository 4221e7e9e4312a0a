"""`schema import`: CLI output, trees, vendor files and live vehicles; and whatever else may be given to it."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

VERSION_LINE = "# Betaflight / STM32F7X2 (S7X2) 4.5.1 Apr 19 2024 / 13:44:30 (77d01ba3b) MSP API: 1.46\n"
GET = """\
gyro_lpf1_type = PT1
Allowed values: PT1, BIQUAD, PT2, PT3

gyro_lpf1_static_hz = 300
Allowed range: 0 - 1000
Default value: 250

craft_name = OTTER
String length: 1 - 16
Default value: -

failsafe_off_delay = 10
Allowed range: 0 - 200
"""
INAV_GET = """\
# INAV/SITL 9.0.0 Nov 22 2026 / 19:09:37 (a7932b92)
looptime = 500
Allowed range: 0 - 9000

nav_extra_arming_safety = ALLOW_BYPASS
Allowed values: ON, ALLOW_BYPASS
"""
TREE = {
    "elrs": "3.5.1",
    "vehicle": "tx",
    "parameters": [
        {"number": 1, "name": "Packet Rate", "type": "SELECTION", "options": ["50Hz(-115dBm)", "150Hz(-112dBm)"]},
        {"number": 2, "name": "TX Power (100 Dyn)", "type": "FOLDER"},
        {"number": 3, "parent": 2, "name": "Max Power", "type": "SELECTION", "options": ["10", "100"], "unit": "mW"},
        {"number": 4, "name": "Channel", "type": "UINT8", "low": 1, "high": 8},
        {"number": 5, "name": "Bind", "type": "COMMAND"},
    ],
}


def shown(cli: Run, name: str, firmware: str) -> dict[str, Any]:
    found: dict[str, Any] = cli("schema", "show", name, "--firmware", firmware, "--json").document["setting"]
    return found


def test_what_get_prints_becomes_metadata_that_files_are_judged_by(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "get.txt").write_text(VERSION_LINE + GET)
    said = cli("schema", "import", tmp_path / "get.txt", "--json")
    assert (said.code, said.document["firmware"], said.document["settings"]) == (0, "betaflight 4.5.1", 4)
    hz = shown(cli, "gyro_lpf1_static_hz", "betaflight@4.5.1")
    assert (hz["kind"], hz["minimum"], hz["maximum"], hz["default"]) == ("UINT16", 0, 1000, 250)
    assert shown(cli, "gyro_lpf1_type", "betaflight@4.5.1")["options"] == ["PT1", "BIQUAD", "PT2", "PT3"]

    diff = tmp_path / "diff.txt"
    lines = "set gyro_lpf1_type = PT9\nset gyro_lpf1_static_hz = 2000\nset gyro_lpf1_statik_hz = 1\n"
    diff.write_text(f"\n# version\n{VERSION_LINE}\nbatch start\ndefaults nosave\nboard_name X\n{lines}\nsave\n")
    found = cli("validate", diff, "--json").document["files"][0]
    assert found["judged"] == "judged as betaflight copter 4.5.1"
    told = [(f["id"], f["severity"], f["name"]) for f in found["findings"]]
    assert told == [
        ("VALUE-ENUM", "error", "gyro_lpf1_type"),
        ("VALUE-RANGE", "error", "gyro_lpf1_static_hz"),
        ("NAME-UNKNOWN", "warning", "gyro_lpf1_statik_hz"),
    ]


def test_names_of_another_version_are_no_mistake_while_only_the_nearest_metadata_is_there(
    cli: Run, tmp_path: Path
) -> None:
    (tmp_path / "get.txt").write_text(
        VERSION_LINE.replace("4.5.1", "2026.6.1") + GET.replace("off_delay", "landing_time")
    )
    assert cli("schema", "import", tmp_path / "get.txt").code == 0
    diff = tmp_path / "diff.txt"
    diff.write_text(f"# version\n{VERSION_LINE}\ndefaults nosave\nset failsafe_off_delay = 10\nsave\n")
    found = cli("validate", diff, "--json").document["files"][0]
    assert "the nearest to 4.5.1" in found["judged"]
    assert found["findings"] == []
    diff.write_text(diff.read_text().replace("4.5.1", "2026.6.2"))
    ids = {f["id"] for f in cli("validate", diff, "--json").document["files"][0]["findings"]}
    assert "NAME-GENERATION" in ids


def test_inav_tells_no_defaults_so_none_are_made_up(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "get.txt").write_text(INAV_GET)
    assert cli("schema", "import", tmp_path / "get.txt").code == 0
    assert "default" not in shown(cli, "looptime", "inav@9.0.0")


def test_a_dump_gives_names_and_a_diff_is_refused(cli: Run, tmp_path: Path) -> None:
    dump = tmp_path / "dump_all.txt"
    dump.write_text(
        f"# version\n{VERSION_LINE}\nbatch start\nmixer QUADX\nset small_angle = 25\nset gyro_hz = 1\nsave\n"
    )
    said = cli("schema", "import", dump, "--json")
    assert (said.document["firmware"], said.document["settings"]) == ("betaflight 4.5.1", 2)
    assert "maximum" not in shown(cli, "small_angle", "betaflight@4.5.1")
    dump.write_text(f"# version\n{VERSION_LINE}\ndefaults nosave\nset small_angle = 25\nsave\n")
    said = cli("schema", "import", dump)
    assert said.code == 2
    assert "leaves out what is at its default" in said.err


def test_output_without_its_version_line_says_what_to_add(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "get.txt").write_text(GET.replace("gyro_", "x_").replace("failsafe_", "y_"))
    said = cli("schema", "import", tmp_path / "get.txt")
    assert (said.code, "--family betaflight" in said.err) == (2, True)
    said = cli("schema", "import", tmp_path / "get.txt", "--family", "betaflight")
    assert (said.code, "--version" in said.err) == (2, True)
    said = cli("schema", "import", tmp_path / "get.txt", "--family", "betaflight", "--version", "4.5.1")
    assert said.code == 0


def test_an_elrs_tree_becomes_metadata_with_the_paths_that_profiles_use(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text(json.dumps(TREE))
    said = cli("schema", "import", tmp_path / "tree.json", "--json")
    assert (said.code, said.document["firmware"], said.document["settings"]) == (0, "elrs tx 3.5.1", 3)
    power = shown(cli, "TX_Power/Max_Power", "elrs-tx@3.5")
    assert (power["options"], power["unit"]) == (["10", "100"], "mW")
    assert shown(cli, "Channel", "elrs-tx@3.5")["maximum"] == 8


@pytest.mark.parametrize(("url", "firmware"), [("sim:betaflight", "betaflight 2026.12"), ("sim:elrs-tx", "elrs tx 4")])
def test_a_live_vehicle_tells_its_own_metadata(cli: Run, url: str, firmware: str) -> None:
    said = cli("schema", "import", "--link", f"{url}?fresh", "--json")
    assert said.code == 0, said.err
    assert said.document["firmware"].startswith(firmware)
    assert cli("schema", "list").out.count("your own") == 1


def test_a_vehicle_without_metadata_says_which_file_to_import(cli: Run) -> None:
    said = cli("schema", "import", "--link", "sim:ardupilot-copter?fresh")
    assert said.code == 2
    assert "apm.pdef.xml --version" in said.err


PDEF = b'<?xml version="1.0"?><paramfile><vehicles><parameters name="ArduCopter">'
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><paramfile>&b;</paramfile>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><paramfile>&a;</paramfile>'
# (name, content, what the message has to say)
HOSTILE: list[tuple[str, bytes, str]] = [
    ("truncated.xml", PDEF + b'<param name="A"', "truncated.xml:1:"),
    ("truncated.json", b'{"A_": {"A_B": {"Range": {"low": "1"', "truncated.json:1:"),
    ("bomb.xml", BOMB, "DTD or entities is refused"),
    ("outside.xml", OUTSIDE, "DTD or entities is refused"),
    ("html.xml", b"<html><body>404</body></html>", "not PX4 parameter metadata"),
    ("empty.xml", b"", "neither XML nor JSON"),
    ("none.xml", PDEF + b"</parameters></vehicles></paramfile>", "documents no parameter"),
    (
        "boat.xml",
        PDEF.replace(b"ArduCopter", b"Submarine") + b"</parameters></vehicles></paramfile>",
        "has no vehicle",
    ),
    ("noname.xml", PDEF + b"<param/></parameters></vehicles></paramfile>", "has no name"),
    ("binary.bin", bytes(range(256)) * 40, "neither XML nor JSON"),
    ("binary.txt", b"x = 1\nAllowed range: 0 - 1\n\xff\xfe\x00", "binary.txt:3:1: byte"),
    ("cut.json.gz", gzip.compress(b'{"parameters": []}' * 9)[:-9], "damaged or cut short"),
    ("cut.json.xz", lzma.compress(b'{"parameters": []}' * 9)[:-9], "damaged or cut short"),
    ("list.json", b"[1, 2]", "neither XML nor JSON"),
    ("px4.json", b'{"parameters": [], "version": 99}', "not PX4 parameter metadata"),
    ("deep.json", b'{"a":' + b"[" * 100_000, "not valid JSON"),
    ("word.json", b'{"A_": 5}', "documents no parameter"),
    ("tree.json", b'{"elrs": "3.5", "parameters": {}}', "no list"),
    ("tree2.json", b'{"elrs": "3.5", "parameters": [{"number": 1, "name": "A", "type": "MAGIC"}]}', "parameter 1"),
    ("tree3.json", b'{"elrs": "3.5", "parameters": [5]}', "parameter 1"),
    ("tree4.json", b'{"elrs": "3.5", "parameters": [{"number": 1, "name": 5, "type": "UINT8"}]}', "parameter 1"),
    ("tree5.json", b'{"elrs": "3.5", "parameters": []}', "no setting"),
]


@pytest.mark.parametrize(("name", "content", "message"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_file_that_is_no_metadata_is_refused_with_its_place(
    cli: Run, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    said = cli("schema", "import", path, "--version", "4.6.0", "--vehicle", "copter")
    assert said.code == 2
    assert message in said.err, said.err
    assert "what to do:" in said.err
    assert "Traceback" not in said.err
    assert cli("schema", "list").out.count("your own") == 0


def test_a_hundred_megabytes_are_refused_without_being_read_whole(cli: Run, tmp_path: Path) -> None:
    for name in ("big.xml", "big.json.gz"):
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(b" " * (100 << 20), compresslevel=1))
        else:
            with path.open("wb") as file:
                file.truncate(100 << 20)
        said = cli("schema", "import", path, "--version", "4.6.0")
        assert said.code == 2
        assert "larger than 64 MB" in said.err


def test_a_version_that_nobody_knows_is_kept_and_used_for_that_version_only(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "apm.pdef.xml").write_bytes(
        PDEF + b'<param name="ArduCopter:NEW_ONE"><field name="Range">0 5</field></param>'
        b'<param name="FUTURE"><field name="Colour">blue</field><whatever/></param></parameters></vehicles></paramfile>'
    )
    said = cli("schema", "import", tmp_path / "apm.pdef.xml", "--version", "9.9.9", "--json")
    assert (said.document["firmware"], said.document["settings"]) == ("ardupilot copter 9.9.9", 2)
    (tmp_path / "a.param").write_text("NEW_ONE,9\n")
    assert "VALUE-RANGE" in cli("validate", tmp_path / "a.param", "--firmware", "copter@9.9.9").out
    assert "NAME-UNKNOWN" in cli("validate", tmp_path / "a.param", "--firmware", "copter@4.6").out
    for version in ("4.6 beta", "../../x", "latest"):
        assert cli("schema", "import", tmp_path / "apm.pdef.xml", "--version", version).code == 2
