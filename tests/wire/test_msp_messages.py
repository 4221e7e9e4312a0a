"""Layouts of MSP messages, against replies of real firmware."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire import msp_messages as m
from dronekit_cfg.wire.msp import Direction, MspDecoder, MspFrame
from dronekit_cfg.wire.msp_arming import betaflight_reasons, inav_reasons

GOLDEN = Path(__file__).parents[1] / "golden"
BF46, BF2026, INAV9 = "betaflight/4.6.0/session", "betaflight/2026.12.0-alpha/session", "inav/9.0.0/session"


def replies(name: str) -> list[MspFrame]:
    found = []
    for pair in json.loads((GOLDEN / f"{name}.json").read_text()):
        if "msp" in pair:
            decoder = MspDecoder()
            decoder.receive_data(bytes.fromhex(pair["reply"]))
            frame = decoder.next_event()
            assert isinstance(frame, MspFrame)
            found.append(frame)
    return found


def reply(name: str, code: int) -> bytes:
    return next(f.payload for f in replies(name) if f.code == code)


@pytest.mark.parametrize(
    ("name", "api", "variant", "version", "target"),
    [
        (BF46, "1.47", "BTFL", "4.6.0", "SITL"),
        (BF2026, "1.49", "BTFL", "2026.12.0-alpha", "SITL"),
        (INAV9, "2.5", "INAV", "9.0.0", "SITL"),
    ],
)
def test_a_vehicle_says_who_it_is(name: str, api: str, variant: str, version: str, target: str) -> None:
    assert str(m.parse_api_version(reply(name, 1))) == api
    assert m.parse_variant(reply(name, 2)) == variant
    assert m.parse_firmware_version(reply(name, 3)).text == version
    assert m.parse_board_info(reply(name, 4)).target == target
    assert m.parse_uid(reply(name, 160)) == "000000000000000100000002"


def test_years_are_counted_from_2000_where_a_text_follows() -> None:
    assert m.parse_firmware_version(reply(BF2026, 3)).numbers == (2026, 12, 0)
    assert m.parse_firmware_version(b"\x04\x05\x01").numbers == (4, 5, 1)


def test_a_version_that_is_told_in_words_is_that_of_the_numbers() -> None:
    found = m.parse_firmware_version(b"\x1a\x06\x01\x09my-branch")
    assert (found.numbers, found.text) == ((2026, 6, 1), "2026.6.1")


def test_board_info_is_read_in_each_length_it_ever_had() -> None:
    full = reply(BF46, 4)
    assert m.parse_board_info(full).config_state == 1
    for length in range(6, len(full) + 1):
        assert m.parse_board_info(full[:length]).identifier == "SITL"
    assert m.parse_board_info(full + b"from the future").target == "SITL"
    with pytest.raises(ValueError, match="BOARD_INFO"):
        m.parse_board_info(full[:5])


def test_build_info_has_seven_or_eight_characters_of_revision() -> None:
    assert m.parse_build_info(reply(INAV9, 5)).revision == "a7932b92"
    assert m.parse_build_info(reply(BF2026, 5)).revision == "301d01a"
    assert m.parse_build_info(reply(BF46, 5)).date == "Nov 22 2026"


def test_status_ex_tells_flags_and_their_number() -> None:
    status = m.parse_status_ex(reply(BF46, 150))
    assert (status.flag_count, status.profile, status.reboot_required) == (29, 0, False)
    # The CLI of the same run printed RXLOSS ANGLE BOOTGRACE CLI some seconds later.
    assert set(betaflight_reasons(status.arming_flags, status.flag_count, 47)) <= {"RXLOSS", "ANGLE", "BOOTGRACE"}
    with pytest.raises(ValueError, match="STATUS_EX"):
        m.parse_status_ex(reply(BF46, 150)[:15])


def test_more_mode_bytes_belong_to_the_modes() -> None:
    raw = struct.pack("<HHHIBHBBB", 1, 0, 0, 1, 0, 0, 4, 0, 2) + b"\x05\x00" + struct.pack("<BIB", 26, 1 << 25, 1)
    status = m.parse_status_ex(raw)
    assert status.mode_bits == 1 | 5 << 32
    assert betaflight_reasons(status.arming_flags, status.flag_count, 46) == ("ARM_SWITCH",)
    assert status.reboot_required


def test_the_reasons_have_the_names_of_their_version() -> None:
    assert betaflight_reasons(1 << 3, 26, 45) == ("BADRX",)
    assert betaflight_reasons(1 << 3, 26, 46) == ("NOT_DISARMED",)
    assert betaflight_reasons(1 << 25, 29, 47) == ("FLIP_SWITCH",)
    assert betaflight_reasons(1 << 28, 30, 48) == ("AUTOPILOT_SW",)
    assert betaflight_reasons(1 << 28 | 1 << 2, 29, 47) == ("RXLOSS",)
    assert betaflight_reasons(1 << 31, 29, 47) == ("bit 31",)
    assert betaflight_reasons(0, 29, 47) == ()


def test_inav_status_tells_arming_flags() -> None:
    status = m.parse_inav_status(replies("inav/9.0.0/settings")[0].payload)
    # 0x8780 of the recording, bit by bit [INAV src/main/fc/runtime_config.h].
    assert status.arming_flags & 4 == 0
    assert inav_reasons(1 << 13 | 1 << 18 | 1 << 20) == ("ACC_CAL", "RC_LINK", "CLI")
    assert inav_reasons(1 << 2) == ()


def test_every_setting_of_inav_is_read_with_range_labels_and_value() -> None:
    every = [m.parse_setting_info(f.payload) for f in replies("inav/9.0.0/settings")[3 : 3 + 634]]
    assert [info.index for info in every] == list(range(634))
    by_name = {info.name: info for info in every}
    angle = by_name["small_angle"]
    assert (angle.type, angle.minimum, angle.maximum) == (m.SettingType.UINT8, 0, 180)
    assert m.decode_setting(angle, angle.value) == 25
    mode = by_name["gyro_filter_mode"]
    assert mode.labels == ("OFF", "STATIC", "DYNAMIC", "ADAPTIVE")
    assert m.decode_setting(mode, mode.value) == "STATIC"
    assert m.decode_setting(by_name["opflow_scale"], by_name["opflow_scale"].value) == 10.5
    assert by_name["mc_p_pitch"].profile_count == 3


def test_the_groups_cover_all_settings() -> None:
    groups = m.parse_pg_list(replies("inav/9.0.0/settings")[1].payload)
    covered = sorted(index for _, first, last in groups for index in range(first, last + 1))
    assert covered == list(range(634))
    with pytest.raises(ValueError):
        m.parse_pg_list(b"12345")


def test_a_value_of_the_wrong_size_is_refused() -> None:
    info = m.parse_setting_info(replies("inav/9.0.0/settings")[3].payload)
    with pytest.raises(ValueError, match=info.name):
        m.decode_setting(info, b"\1\2\3")


def test_refusals_are_no_settings() -> None:
    refused = [f for f in replies("inav/9.0.0/settings") if f.direction is Direction.REFUSAL]
    assert len(refused) == 3
    with pytest.raises(ValueError):
        m.parse_setting_info(refused[0].payload)


PARSERS = (
    m.parse_api_version,
    m.parse_variant,
    m.parse_firmware_version,
    m.parse_board_info,
    m.parse_build_info,
    m.parse_uid,
    m.parse_status_ex,
    m.parse_inav_status,
    m.parse_pg_list,
    m.parse_setting_info,
)


@given(st.sampled_from(PARSERS), st.binary(max_size=120))
def test_any_payload_is_read_or_refused_with_a_value_error(parser: object, payload: bytes) -> None:
    assert callable(parser)
    with contextlib.suppress(ValueError):
        parser(payload)
