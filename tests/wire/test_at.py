"""Lines and tables of SiK radios, as the SiK documentation prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.at import AtCodec, AtLine, Banner, command, parse_banner, parse_table

ATI5 = """S0:FORMAT=26
S1:SERIAL_SPEED=57
S2:AIR_SPEED=64
S3:NETID=25
S4:TXPOWER=20
S5:ECC=1
S6:MAVLINK=1
S7:OPPRESEND=1
S8:MIN_FREQ=915000
S9:MAX_FREQ=928000
S10:NUM_CHANNELS=50
S11:DUTY_CYCLE=100
S12:LBT_RSSI=0
S13:MANCHESTER=0
S14:RTSCTS=0
S15:MAX_WINDOW=131
""".splitlines()


def lines(data: bytes, size: int = 1000) -> list[str]:
    codec = AtCodec()
    found: list[AtLine] = []
    for start in range(0, len(data), size):
        codec.receive_data(data[start : start + size])
        while (line := codec.next_event()) is not None:
            found.append(line)
    return [line.text for line in found]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_lines_are_cut_at_any_line_end_in_any_split(size: int) -> None:
    assert lines(b"ATS3?\r\n25\r\nOK\nERROR\r", size) == ["ATS3?", "25", "OK", "ERROR"]


def test_a_table_is_read_by_name() -> None:
    table = parse_table(ATI5)
    assert table is not None
    assert len(table) == 16
    assert table["MIN_FREQ"] == (8, 915000)


@pytest.mark.parametrize("row", range(15))
def test_a_table_with_a_missing_row_is_none(row: int) -> None:
    assert parse_table(ATI5[:row] + ATI5[row + 1 :]) is None


@pytest.mark.parametrize("damaged", ["S3:NET", "S3:NETID=2x", "S4:NETID=25", "\ufffd3:NETID=25", "S3:FORMAT=25", "OK"])
def test_a_table_with_a_damaged_row_is_none(damaged: str) -> None:
    assert parse_table([*ATI5[:3], damaged, *ATI5[4:]]) is None
    assert parse_table([]) is None


def test_banners_are_read() -> None:
    assert parse_banner("SiK 1.9 on HM-TRP") == Banner("1.9", "HM-TRP")
    assert parse_banner("RFD SiK 2.60 on RFD900A") == Banner("2.60", "RFD900A")
    assert parse_banner("ATI") is None


@pytest.mark.parametrize("text", ["ATS3=12345678901234567", "AT\r", "ATé"])
def test_a_command_that_throws_the_radio_out_of_its_at_mode_is_never_sent(text: str) -> None:
    with pytest.raises(ValueError, match="no command"):
        command(text)
    assert command("ATS3=112") == b"ATS3=112\r"


@given(st.lists(st.binary(max_size=80), max_size=40))
def test_no_bytes_break_the_codec_and_nothing_grows(parts: list[bytes]) -> None:
    codec = AtCodec()
    for part in parts:
        codec.receive_data(part)
    assert len(codec._buffer) <= 160
    codec.receive_data(b"\rOK\r")
    last = None
    while (line := codec.next_event()) is not None:
        last = line
    assert last == AtLine("OK")
