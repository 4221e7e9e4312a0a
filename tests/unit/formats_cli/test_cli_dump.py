"""`diff all` and `dump all` files: nothing is lost, values end up under the right names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.formats.cli_dump import Dump, LineKind, detect_family, parse, parse_header, told_defaults
from dronekit_cfg.formats.cli_dump_checks import foreign, problems
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_get import parse_get, typed
from dronekit_cfg.formats.cli_dump_settings import address, commands, in_writing_order, render
from dronekit_cfg.model import Identity, Kind, Value

GOLDEN = Path(__file__).parents[2] / "golden"
REAL = ("betaflight/4.6.0", "betaflight/2026.12.0-alpha", "inav/9.0.0")
SAMPLES = tuple(sorted(str(p.relative_to(GOLDEN)) for p in GOLDEN.glob("*/samples/*.txt")))
BF, INAV = load_dialect("betaflight"), load_dialect("inav")


def recorded(name: str, command: str) -> str:
    """What real firmware answered, echo and prompt removed."""
    for pair in json.loads((GOLDEN / name / "session.json").read_text()):
        if pair.get("cli", "").startswith(f"{command}\n#tok"):
            text: str = pair["reply"]
            return text.removeprefix(f"{command}\r\n")[: text.rindex("# #tok") - len(command) - 2]
    raise LookupError(command)


def files() -> list[tuple[str, str, str]]:
    """Every dump there is: (family, name, text)."""
    found = [(n.split("/")[0], f"{n} {c}", recorded(n, c)) for n in REAL for c in ("diff all", "dump all")]
    return found + [(name.split("/")[0], name, (GOLDEN / name).read_bytes().decode()) for name in SAMPLES]


@pytest.mark.parametrize(("family", "name", "text"), files(), ids=[name for _, name, _ in files()])
def test_every_file_prints_as_it_was_read(family: str, name: str, text: str) -> None:
    dump = parse(text, load_dialect(family))
    assert str(dump) == text
    assert not [line.text for line in dump.lines if line.kind in (LineKind.UNKNOWN, LineKind.ERROR)]
    assert problems(dump) == ()
    assert detect_family(text) == family


@pytest.mark.parametrize(("family", "name", "text"), files(), ids=[name for _, name, _ in files()])
def test_settings_survive_being_written_as_a_new_file(family: str, name: str, text: str) -> None:
    dialect = load_dialect(family)
    settings = parse(text, dialect).settings
    again = parse(render(settings, dialect, header=["made by a test"]), dialect)
    assert again.settings == settings
    assert problems(again) == ()


def test_samples_of_all_promised_versions_are_there() -> None:
    headers = [parse_header((GOLDEN / name).read_text()) for name in SAMPLES]
    found = {(h.family, ".".join(h.version.split(".")[:2])) for h in headers if h}
    assert found == {
        ("betaflight", "4.3"), ("betaflight", "4.4"), ("betaflight", "4.5"), ("betaflight", "2025.12"),
        ("inav", "7.1"), ("inav", "8.0"), ("inav", "9.0"),
    }  # fmt: skip


def test_lines_become_settings_by_object() -> None:
    found = parse((GOLDEN / "betaflight/samples/4.5_diff_all.txt").read_text(), BF).settings
    expected = {
        "resource.MOTOR.1": "B05",
        "timer.B05": "AF2",
        "dma.pin.B05": "0",
        "feature.RX_PARALLEL_PWM": "OFF",
        "feature.RX_SERIAL": "ON",
        "serial.0": "64 115200 57600 0 115200",
        "beeper.RX_LOST": "OFF",
        "beacon.RX_SET": "ON",
        "map": "TAER1234",
        "led.0": "7,7::C:0",
        "mode_color.0.0": "1",
        "aux.1": "46 2 900 1300 0 0",
        "vtxtable.bands": "2",
        "vtxtable.band.1": "BOSCAM_A A FACTORY 5865 5845 5825 5805 5785 5765 5745 5725",
        "vtx.0": "4 0 0 1 900 1200",
        "rxfail.4": "s 1800",
        "gyro_lpf1_static_hz": "0",
        "profile.0.p_pitch": "54",
        "rateprofile.0.roll_rc_rate": "15",
        "profile": "1",
        "mcu_id": "002c00353036510c31393937",
    }
    assert {name: found[name] for name in expected} == expected


def test_lists_that_are_rewritten_as_a_whole_are_one_setting() -> None:
    found = parse((GOLDEN / "inav/samples/8.0_diff_all.txt").read_text(), INAV).settings
    assert found["mmix"] == "0  1.000 -1.000  1.000 -1.000 | 1  1.000 -1.000 -1.000  1.000".replace("  ", " ")
    assert commands("mmix", found["mmix"], INAV) == (
        "mmix reset",
        "mmix 0 1.000 -1.000 1.000 -1.000",
        "mmix 1 1.000 -1.000 -1.000 1.000",
    )
    assert found["geozone.vertex.0.0"] == "501234567 301234567"
    assert found["mixer_profile.1.platform_type"] == "AIRPLANE"


def test_numbers_of_profiles_are_the_firmwares_own() -> None:
    real = parse(recorded("inav/9.0.0", "dump all"), INAV).settings
    assert {n.split(".")[1] for n in real if n.startswith("control_profile.")} == {"1", "2", "3"}
    assert real["mixer_profile.1.mmix"] == ""
    bf = parse(recorded("betaflight/4.6.0", "dump all"), BF).settings
    assert {n.split(".")[1] for n in bf if n.startswith("profile.")} == {"0", "1", "2", "3"}
    assert bf["profile"] == "0"


def test_the_last_of_several_lines_for_one_setting_counts() -> None:
    assert parse("feature -GPS\nset a = 1\nfeature GPS\nset a = 2\n", BF).settings == {"feature.GPS": "ON", "a": "2"}


def test_lines_nobody_knows_are_kept() -> None:
    text = "set a = 1\nfuture 1 2 3\nfuture 4\n"
    dump = parse(text, BF)
    assert dump.settings == {"a": "1", "line.1": "future 1 2 3", "line.2": "future 4"}
    assert "future 1 2 3" in render(dump.settings, BF)


def test_writing_selects_each_profile_once_and_the_active_one_last() -> None:
    names = ["profile", "rateprofile.1.b", "a", "profile.1.p", "feature.GPS", "profile.0.p", "serial.0", "profile.1.q"]
    assert in_writing_order(names, BF) == (
        "feature.GPS", "serial.0", "a", "profile.0.p", "profile.1.p", "profile.1.q", "rateprofile.1.b", "profile",
    )  # fmt: skip
    text = render({"profile": "1", "profile.0.p": "1", "profile.1.p": "2", "a": "3"}, BF, reset=True)
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    assert lines == [
        "batch start", "defaults nosave", "set a = 3", "profile 0", "set p = 1", "profile 1", "set p = 2", "profile 1",
        "save",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["profile.x.p_pitch", "profile.1", "some.thing", "a b", "feature", "serial.1.2", ""])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        address(name, BF)


def test_a_flag_takes_on_and_off_only() -> None:
    assert commands("feature.GPS", "off", BF) == ("feature -GPS",)
    with pytest.raises(ValueError, match="ON or OFF"):
        commands("feature.GPS", "1", BF)


@pytest.mark.parametrize("name", REAL)
def test_get_agrees_with_the_dump_of_the_same_run(name: str) -> None:
    family = name.split("/", maxsplit=1)[0]
    dump = parse(recorded(name, "dump all"), load_dialect(family)).settings
    got = parse_get(recorded(name, "get"))
    assert len(got) == {"betaflight/4.6.0": 347, "betaflight/2026.12.0-alpha": 416, "inav/9.0.0": 634}[name]
    plain = {n.rsplit(".", 1)[-1] for n in dump}
    assert set(got) <= plain
    for base, fact in got.items():
        full = f"{fact.scope}.{fact.number}.{base}" if fact.scope else base
        if full in dump:
            assert dump[full] == fact.value


def test_get_tells_range_labels_default_and_length() -> None:
    got = parse_get(recorded("betaflight/4.6.0", "get"))
    assert (got["small_angle"].minimum, got["small_angle"].maximum, got["small_angle"].kind) == (0, 180, Kind.UINT8)
    assert got["failsafe_procedure"].options == ("AUTO-LAND", "DROP", "GPS-RESCUE")
    assert got["craft_name"].longest == 16
    assert got["acc_calibration"].kind is Kind.TEXT
    changed = parse_get("small_angle = 32\nAllowed range: 0 - 180\nDefault value: 25\n")
    assert (changed["small_angle"].value, changed["small_angle"].default) == ("32", "25")
    array = parse_get("x = 1,2,3\nArray length: 3\n")["x"]
    assert (array.array_length, array.kind) == (3, Kind.TEXT)


def test_a_text_that_looks_like_another_line_stays_a_value() -> None:
    got = parse_get("craft_name = Allowed range: 0 - 5\nString length: 1 - 16\n")
    assert got["craft_name"].value == "Allowed range: 0 - 5"
    assert got["craft_name"].minimum is None


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [(0, 255, Kind.UINT8), (-1, 100, Kind.INT8), (0, 256, Kind.UINT16), (-500, 3, Kind.INT16), (0, 70000, Kind.UINT32)],
)
def test_the_kind_is_the_smallest_that_holds_the_range(low: int, high: int, kind: Kind) -> None:
    got = parse_get(f"x = {high}\nAllowed range: {low} - {high}\n")["x"]
    assert typed(str(high), got) == Value(kind, high)


def test_labels_come_out_in_the_firmwares_spelling() -> None:
    got = parse_get(recorded("betaflight/4.6.0", "get"))
    assert typed("gps-rescue", got["failsafe_procedure"]) == Value(Kind.TEXT, "GPS-RESCUE")
    assert typed("999", got["small_angle"]) == Value(Kind.TEXT, "999")


def test_told_defaults_belong_to_their_profile() -> None:
    # The form that `diff all defaults` of the Betaflight 4.6.0 SITL has.
    text = "# feature\n#feature GPS\nfeature -GPS\n#aux 0 0 0 900 900 0 0\nprofile 1\n\n"
    text += "#set p_pitch = 47\nset p_pitch = 50\n"
    assert told_defaults(text, BF) == {"feature.GPS": "ON", "aux.0": "0 0 900 900 0 0", "profile.1.p_pitch": "47"}
    assert told_defaults("#map AETR'V\n#set name = FOO\n#serial 2 0 1 1 0 1\n", INAV) == {"serial.2": "0 1 1 0 1"}


class TestBadFiles:
    def check(self, text: str, word: str, line: int = 0) -> None:
        found = problems(parse(text, BF), "x.txt")
        assert found, text[:60]
        assert any(word in p.message and p.hint and (not line or p.line == line) for p in found), found

    def test_a_dump_cut_in_half(self) -> None:
        text = recorded("betaflight/4.6.0", "dump all")
        self.check(text[: len(text) // 2], "cut off")

    def test_save_twice(self) -> None:
        self.check(recorded("betaflight/4.6.0", "diff all") + "save\n", "second `save`")

    def test_lines_behind_save(self) -> None:
        self.check("batch start\nset a = 1\nsave\nset b = 2\n", "follow the first `save`", 3)

    def test_a_long_line(self) -> None:
        found = problems(parse("set a = 1\nset craft_name = " + "x" * 300 + "\n", BF))
        assert (found[0].line, found[0].column) == (2, 256)

    def test_no_ascii(self) -> None:
        found = problems(parse("set craft_name = Сокіл\n", BF))
        assert (found[0].line, found[0].column) == (1, 18)

    def test_a_corrupted_config(self) -> None:
        self.check("set a = 1\n###ERROR IN diff: CORRUPTED CONFIG: x = 196###\n", "CORRUPTED CONFIG", 2)

    @pytest.mark.parametrize("text", ["", "<html><body>Not found</body></html>\n", "ACRO_YAW_RATE,202.5\n", "\0\1\2"])
    def test_no_dump_at_all(self, text: str) -> None:
        self.check(text, "no diff or dump")

    def test_comments_are_free(self) -> None:
        assert problems(parse("# Сокіл " + "x" * 400 + "\nset a = 1\n", BF)) == ()


IDENTITY = Identity("betaflight", "copter", "4.6.0", "4.6.0 (abc)", "SITL", "00")


def test_a_dump_of_another_firmware_or_board_is_noticed() -> None:
    dump = parse(recorded("betaflight/4.6.0", "diff all"), BF)
    assert foreign(dump, IDENTITY) == ()
    assert "board" in foreign(dump, replace(IDENTITY, board="TMOTORF7"))[0]
    assert "4.6.0" in foreign(dump, replace(IDENTITY, version="4.5.1", version_text="4.5.1"))[0]
    assert "inav" in foreign(dump, replace(IDENTITY, family="inav"))[0]
    assert foreign(parse("set a = 1\n", BF), replace(IDENTITY, board="X")) == ()


def per_unit(dump: Dump) -> dict[str, str]:
    bases = {n: n if n.startswith("line.") else address(n, dump.dialect).base for n in dump.settings}
    return {name: kind for name, base in bases.items() if (kind := dump.dialect.protected_kind(base))}


def test_what_belongs_to_one_unit_is_found() -> None:
    found = per_unit(parse((GOLDEN / "betaflight/samples/4.5_diff_all.txt").read_text(), BF))
    assert found == {
        "board_name": "identity", "manufacturer_id": "identity", "mcu_id": "read-only", "signature": "identity",
        "craft_name": "identity", "acc_calibration": "calibration",
    }  # fmt: skip
    inav = per_unit(parse((GOLDEN / "inav/samples/7.1_diff_all.txt").read_text(), INAV))
    assert inav == {
        "acczero_x": "calibration", "accgain_x": "calibration", "magzero_x": "calibration",
        "ins_gravity_cmss": "calibration", "name": "identity",
    }  # fmt: skip


@given(st.text())
def test_any_text_is_kept(text: str) -> None:
    for dialect in (BF, INAV):
        dump = parse(text, dialect)
        assert str(dump) == text
        problems(dump)
        detect_family(text)
        parse_get(text)


WORDS = st.sampled_from([
    "set", "a", "=", "1", "profile", "rateprofile", "feature", "-GPS", "mmix", "reset", "vtxtable", "band", "#", "save",
    "batch", "start", "dma", "pin", "geozone", "vertex", "line.1", "mixer_profile", "name", "", "-",
])  # fmt: skip


@given(st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=12).map("\n".join))
def test_any_words_are_kept_and_written_again(text: str) -> None:
    for dialect in (BF, INAV):
        dump = parse(text, dialect)
        assert str(dump) == text
        assert parse(render(dump.settings, dialect), dialect).settings == dump.settings
