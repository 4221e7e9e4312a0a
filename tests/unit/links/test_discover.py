from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.discover import Candidate, Kind, list_candidates, one_per_board, same_device, wait_for
from dronekit_cfg.links.usb_ids import judge


@dataclass
class Info:
    """What pyserial tells of a port."""

    device: str
    vid: int | None = None
    pid: int | None = None
    product: str | None = None
    manufacturer: str | None = None
    serial_number: str | None = None
    location: str | None = None
    description: str = "n/a"
    hwid: str = "n/a"


CUBE = Info("/dev/ttyACM1", 0x2DAE, 0x1016, "CubeOrange", "CubePilot", "3E0037", "1-2:1.0", "CubeOrange")
CUBE_SLCAN = replace(CUBE, device="/dev/ttyACM2", location="1-2:1.2")
BETAFLIGHT = Info("/dev/ttyACM0", 0x0483, 0x5740, "Betaflight STM32F405", "Betaflight", "0x8000000", "1-3:1.0")
SIK = Info("/dev/ttyUSB0", 0x10C4, 0xEA60, "CP2102 USB to UART Bridge", "Silicon Labs", "0001", "1-4")
GNSS = Info("/dev/ttyACM10", 0x1546, 0x01A9, "u-blox GNSS receiver", "u-blox AG", None, "1-5:1.0")
BUILT_IN = Info("/dev/ttyS0", description="ttyS0")
BLUETOOTH = Info("/dev/rfcomm0")


def listed(*infos: Info, by_id: Path = Path("nowhere")) -> tuple[Candidate, ...]:
    return list_candidates(lambda: infos, by_id)


def test_the_most_likely_flight_controller_comes_first() -> None:
    found = listed(BLUETOOTH, BUILT_IN, SIK, GNSS, CUBE, BETAFLIGHT)
    assert [c.device for c in found] == [
        "/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyUSB0", "/dev/ttyACM10", "/dev/ttyS0", "/dev/rfcomm0",
    ]  # fmt: skip
    assert [c.kind for c in found] == [
        Kind.FLIGHT_CONTROLLER, Kind.FLIGHT_CONTROLLER, Kind.ADAPTER, Kind.GNSS, Kind.BUILT_IN, Kind.BLUETOOTH,
    ]  # fmt: skip


def test_numbers_in_names_sort_as_numbers() -> None:
    ports = [replace(BETAFLIGHT, device=f"COM{n}") for n in (10, 3, 1)]
    assert [c.device for c in listed(*ports)] == ["COM1", "COM3", "COM10"]


@pytest.mark.parametrize(
    ("vid", "pid", "manufacturer", "product", "kind"),
    [
        (0x1209, 0x5740, "ArduPilot", "MatekH743", Kind.FLIGHT_CONTROLLER),
        (0x1209, 0x5741, "ArduPilot", "MatekH743-BL", Kind.BOOTLOADER),
        (0x26AC, 0x0032, "3D Robotics", "PX4 FMU v5.x", Kind.FLIGHT_CONTROLLER),
        (0x26AC, 0x0032, "3D Robotics", "PX4 BL FMU v5.x", Kind.BOOTLOADER),
        (0x3162, 0x0050, "Holybro", "KakuteH7", Kind.FLIGHT_CONTROLLER),
        (0x0483, 0x5740, "INAV", "STM32 Virtual ComPort in FS Mode", Kind.FLIGHT_CONTROLLER),
        (0x0483, 0x5740, "EdgeTX", "Radiomaster TX16S", Kind.OTHER_USB),
        (0x0483, 0x5740, "nanovna.com", "NanoVNA-H", Kind.OTHER_USB),
        (0x0483, 0x374B, "STMicroelectronics", "ST-Link", Kind.OTHER_USB),
        (0x0403, 0x6001, "FTDI", "FT232R USB UART", Kind.ADAPTER),
        (0x0403, 0x9999, "FTDI", "something new", Kind.ADAPTER),
        (0x303A, 0x1001, "Espressif", "USB JTAG/serial debug unit", Kind.ADAPTER),
        (0xABCD, 0x0001, "ArduPilot", "NewBoard", Kind.FLIGHT_CONTROLLER),
        (0xABCD, 0x0001, "Acme", "Label printer", Kind.OTHER_USB),
        (None, None, "", "", Kind.BUILT_IN),
    ],
)
def test_usb_ids_and_names_tell_what_a_device_is(
    vid: int | None, pid: int | None, manufacturer: str, product: str, kind: Kind
) -> None:
    got, guess = judge(vid, pid, manufacturer, product)
    assert got is kind
    assert guess


def test_the_stable_name_is_found_and_used_in_the_url(tmp_path: Path) -> None:
    device, by_id = tmp_path / "ttyACM0", tmp_path / "by-id"
    device.touch()
    by_id.mkdir()
    (by_id / "usb-CubePilot_CubeOrange-if00").symlink_to(device)
    (found,) = listed(replace(CUBE, device=str(device)), by_id=by_id)
    assert found.by_id == str(by_id / "usb-CubePilot_CubeOrange-if00")
    assert found.url == f"serial:{found.by_id}"


def test_a_candidate_reads_well() -> None:
    (found,) = listed(CUBE)
    assert str(found) == "/dev/ttyACM1 (CubePilot board: CubeOrange)"
    assert (found.url, found.location, found.interface) == ("serial:/dev/ttyACM1", "1-2", "1.0")


def test_a_board_with_two_ports_counts_once_and_its_first_port_is_taken() -> None:
    assert [c.device for c in one_per_board(listed(CUBE_SLCAN, BETAFLIGHT, CUBE))] == ["/dev/ttyACM0", "/dev/ttyACM1"]


def test_two_boards_of_one_type_are_two() -> None:
    other = replace(CUBE, device="/dev/ttyACM5", serial_number="4F0011", location="1-7:1.0")
    assert len(one_per_board(listed(CUBE, other))) == 2
    twins = [replace(BETAFLIGHT, serial_number=None, location=None, device=f"COM{n}") for n in (1, 2)]
    assert len(one_per_board(listed(*twins))) == 2


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (replace(CUBE, device="/dev/ttyACM7"), True),
        (replace(CUBE, location="1-9:1.0"), True),  # another socket, the same serial number
        (replace(CUBE, serial_number="4F0011"), False),
        (CUBE_SLCAN, False),
        (replace(CUBE, product="CubeOrange-BL"), False),
        (replace(CUBE, pid=0x1017), False),
    ],
)
def test_a_board_is_known_again_by_its_serial_number_and_port(now: Info, same: bool) -> None:
    assert same_device(listed(CUBE)[0], listed(now)[0]) is same


def test_a_board_without_serial_number_is_known_again_by_its_socket() -> None:
    (before,) = listed(replace(CUBE, serial_number=None))
    assert same_device(before, listed(replace(CUBE, serial_number=None, device="/dev/ttyACM9"))[0])
    assert not same_device(before, listed(replace(CUBE, serial_number=None, location="1-9:1.0"))[0])
    (nameless,) = listed(replace(CUBE, serial_number=None, location=None))
    assert not same_device(nameless, nameless)


def test_a_port_that_is_plugged_in_is_seen_within_a_quarter_second(clock: VirtualClock) -> None:
    def ports() -> tuple[Candidate, ...]:
        return listed(CUBE) if clock.now() >= 1025.1 else ()

    found = wait_for(lambda c: c.kind is Kind.FLIGHT_CONTROLLER, clock, 10.0, ports=ports)
    assert found is not None
    assert found.device == "/dev/ttyACM1"
    assert clock.now() == 1025.25


def test_waiting_for_a_port_ends(clock: VirtualClock) -> None:
    assert wait_for(lambda c: c.kind is Kind.GNSS, clock, 0.6, ports=lambda: listed(CUBE)) is None
    assert clock.now() == pytest.approx(1024.6)


def test_the_ports_of_this_machine_can_be_listed() -> None:
    assert isinstance(list_candidates(), tuple)
