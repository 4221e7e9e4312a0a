"""Flight controllers that are plugged in and have no serial port: in DFU mode, or shown as a disk.

Only Linux tells without a library which USB devices there are; elsewhere nothing is found, and the hints say it.
"""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.text import t

__all__ = ["WITHOUT_PORT", "portless_board"]

SYSFS = Path("/sys/bus/usb/devices")
_DFU = (
    t("a board is in DFU mode, where it only takes new firmware and has no port"),
    t("unplug it and plug it in without pressing its boot button; if it comes back like this, it has no firmware"),
)
_DISK = (
    t("a flight controller shows itself as a disk (mass storage mode), so it has no port"),
    t("eject the disk, unplug the flight controller and plug it in again"),
)
_MODES = {
    ("0483", "df11"): _DFU,  # STM32, boot ROM [ST AN2606, AN3156]
    ("2e3c", "df11"): _DFU,  # AT32, boot ROM
    ("28e9", "0189"): _DFU,  # GD32, boot ROM
    ("0483", "5720"): _DISK,  # `msc` of Betaflight on F4 [src/platform/STM32/usbd_msc_desc.c]
    ("0483", "572a"): _DISK,  # the same on F7, G4 and H7 [src/platform/STM32/vcp_hal/usbd_desc.c]
    ("2e3c", "5720"): _DISK,  # the same on AT32 [src/platform/AT32/msc_desc.h]
}
WITHOUT_PORT = t("a board in DFU or mass storage mode has no port: plug it in again without its boot button")


def portless_board() -> tuple[str, str] | None:
    """Give what is said of a board that is plugged in without a port, and the remedy; None when there is none."""
    for device in sorted(SYSFS.glob("*/idVendor")):
        try:
            ids = device.read_text().strip().lower(), (device.parent / "idProduct").read_text().strip().lower()
        except OSError:
            continue
        if ids in _MODES:
            return _MODES[ids]
    return None
