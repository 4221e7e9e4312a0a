"""Who makes what sits behind a USB serial port, from its USB vendor and product ids.

Sources: the USB-IF and pid.codes vendor lists (0x1209/0x5740 and 0x5741 are registered there for ArduPilot), the device
tables that QGroundControl publishes (src/Comms/USBBoardInfo.json), and the STM32 and AT32 virtual COM port example
ids that Betaflight and INAV boards keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum

__all__ = ["Kind", "judge"]


class Kind(IntEnum):
    """What a port probably is; the smaller, the more likely it is the one that is meant."""

    FLIGHT_CONTROLLER = 0
    BOOTLOADER = 1
    ADAPTER = 2
    GNSS = 3
    OTHER_USB = 4
    BUILT_IN = 5
    BLUETOOTH = 6


_FC, _ADAPTER = Kind.FLIGHT_CONTROLLER, Kind.ADAPTER

_PRODUCTS: Mapping[tuple[int, int], tuple[Kind, str]] = {
    (0x1209, 0x5740): (_FC, "ArduPilot board"),
    (0x1209, 0x5741): (_FC, "ArduPilot board"),
    (0x0483, 0x5740): (_FC, "STM32 board (Betaflight, INAV, ArduPilot)"),
    (0x2E3C, 0x5740): (_FC, "AT32 board (Betaflight)"),
    (0x0483, 0xA32F): (_FC, "ModalAI Flight Core v1"),
    (0x0483, 0xA330): (_FC, "ModalAI Flight Core v2"),
    (0x0483, 0x0037): (_FC, "SmartAP AIRLink"),
    (0x1FC9, 0x001C): (_FC, "NXP FMUK66"),
    (0x1008, 0x0001): (_FC, "UVify Core"),
    (0x0A8E, 0x006E): (_FC, "JFB110"),
    (0x10C4, 0xEA60): (_ADAPTER, "CP210x adapter (SiK radio, ELRS module, older boards)"),
    (0x0403, 0x6001): (_ADAPTER, "FTDI adapter (SiK radio)"),
    (0x0403, 0x6015): (_ADAPTER, "FTDI adapter (SiK radio)"),
    (0x152A, 0x85C0): (Kind.GNSS, "Septentrio GNSS"),
}
_VENDORS: Mapping[int, tuple[Kind, str]] = {
    0x26AC: (_FC, "PX4 board"),
    0x2DAE: (_FC, "CubePilot board"),
    0x3162: (_FC, "Holybro board"),
    0x3163: (_FC, "CUAV board"),
    0x3185: (_FC, "Pixhawk standard board (Auterion, ARK)"),
    0x1B8C: (_FC, "Pixhawk standard board (v6U)"),
    0x3643: (_FC, "Pixhawk standard board (v6X-RT, ZeroOne)"),
    0x35A7: (_FC, "ThePeach board"),
    0x0403: (_ADAPTER, "FTDI adapter"),
    0x10C4: (_ADAPTER, "Silicon Labs adapter"),
    0x1A86: (_ADAPTER, "CH340 adapter"),
    0x067B: (_ADAPTER, "Prolific adapter"),
    0x303A: (_ADAPTER, "Espressif chip (ELRS module, WiFi bridge)"),
    0x1546: (Kind.GNSS, "u-blox GNSS"),
}
_MAKERS = re.compile(r"^(ArduPilot|Betaflight|INAV|PX4|Hex/ProfiCNC|Holybro|mRo|3DR|CubePilot|CUAV)\b", re.IGNORECASE)
# a name that ends in -BL is ArduPilot's bootloader, "PX4 BL FMU v5.x" is PX4's
_BOOTLOADER = re.compile(r"(?<![A-Za-z])BL(?![A-Za-z])|bootloader", re.IGNORECASE)
# other things that use the STM32 example ids
_STRANGERS = re.compile(
    r"EdgeTX|OpenTX|Taranis|RadioMaster|Flipper|NanoVNA|tinySA|ST-?Link|Black ?Magic|3D ?printer|Marlin|Klipper",
    re.IGNORECASE,
)


def judge(vid: int | None, pid: int | None, manufacturer: str, product: str) -> tuple[Kind, str]:
    """Give the kind and a short guess in words, from USB ids and the texts the device carries."""
    if vid is None:
        return Kind.BUILT_IN, "port of this machine"
    words = f"{manufacturer} {product}"
    kind, guess = _PRODUCTS.get((vid, pid or 0)) or _VENDORS.get(vid, (Kind.OTHER_USB, "USB serial device"))
    if kind is Kind.OTHER_USB and (_MAKERS.search(manufacturer) or _MAKERS.search(product)):
        kind, guess = Kind.FLIGHT_CONTROLLER, f"{manufacturer or product} board"
    if kind is Kind.FLIGHT_CONTROLLER and _STRANGERS.search(words):
        return Kind.OTHER_USB, "USB serial device"
    if kind is Kind.FLIGHT_CONTROLLER and _BOOTLOADER.search(product):
        return Kind.BOOTLOADER, f"{guess}, in its bootloader"
    return kind, guess
