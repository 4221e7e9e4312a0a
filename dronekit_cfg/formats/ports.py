"""The serial ports of each family: what a role's port is called, and which settings give it its function.

ArduPilot numbers its ports and sets each by itself (`serial(rc).PROTOCOL`). Betaflight and INAV have one line for each
UART, PX4 tells each function its port: there a role says what it does (`serial(rc).FUNCTION: RX`) and how fast
(`serial(telemetry).BAUD: 57600`). A setting that only clears a port (`PROTOCOL: -1`, `FUNCTION: NONE`) is `optional`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import Scalar, Wanted
from dronekit_cfg.text import t

__all__ = ["FAMILIES", "Port", "Ports"]

Port = int | str
Keys = Mapping[str, Wanted]
"""What layers want of one port, by the part of the setting's name behind the role."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a family. `lowest` and `highest` bound numbered ports, `choices` are the names of others.

    `settings` gives what is set for a role on a port, `cleared` what for a port with nothing on it. `functions` are the
    words that FUNCTION may have, none where the family has no such word.
    """

    about: str
    settings: Callable[[Port, Keys], Iterator[Wanted]]
    cleared: Callable[[Port], Iterator[tuple[str, Scalar]]]
    lowest: int = 1
    highest: int = 9
    choices: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    def read(self, text: str) -> Port | None:
        """Give the port that was typed, None when there is none of that name."""
        if self.choices:
            return text if text in self.choices else None
        return int(text) if text.isdecimal() and self.lowest <= int(text) <= self.highest else None

    def objection(self, key: str, value: Scalar | None) -> tuple[str, str] | None:
        """Say what is wrong with `serial(role).KEY: value` whatever the port: message and remedy."""
        if not self.functions:
            return None
        if key not in {"FUNCTION", "BAUD"}:
            return t("a port has no {key}", key=key), t("write FUNCTION or BAUD")
        if key == "FUNCTION" and value is not None and value not in self.functions:
            names = ", ".join(self.functions)
            message = t("{value} is no function of a port", value=value)
            return message, did_you_mean(str(value), self.functions, otherwise=t("write one of {names}", names=names))
        if key == "BAUD" and isinstance(value, str):
            return t("{value} is no baud rate", value=value), t("write a number, such as 57600")
        return None


def _numbered(port: Port, keys: Keys) -> Iterator[Wanted]:
    for key, wanted in keys.items():
        yield replace(wanted, name=f"SERIAL{port}_{key}")


def _numbered_cleared(port: Port) -> Iterator[tuple[str, Scalar]]:
    yield f"SERIAL{port}_PROTOCOL", -1  # "None" of AP_SerialManager::SerialProtocol


_BETAFLIGHT_BITS = {"NONE": 0, "MSP": 1, "GPS": 2, "SMARTPORT": 32, "RX": 64, "BLACKBOX": 128, "MAVLINK": 512}
# Function bits of src/main/io/serial.h at 4.5 to 2026.6; the columns of a line are the baud rates of MSP, GPS,
# telemetry and black box. Master has a setting for each function instead (`gps_uart`), and no such line.
_BETAFLIGHT_BAUD = {"MSP": 0, "GPS": 1, "SMARTPORT": 2, "MAVLINK": 2, "BLACKBOX": 3}
_BETAFLIGHT_BAUDS = ("115200", "57600", "0", "115200")
_BETAFLIGHT_MASTER = {"GPS": "gps_uart", "RX": "rx_uart", "BLACKBOX": "blackbox_uart"}
_INAV_BITS = {"NONE": 0, "MSP": 1, "GPS": 2, "RX": 64, "BLACKBOX": 128, "MAVLINK": 256, "FLOW": 16384}
_INAV_BITS |= {"RANGEFINDER": 65536}
_INAV_BAUD = {"MSP": 0, "GPS": 1, "MAVLINK": 2, "FLOW": 3, "RANGEFINDER": 3}
# Bits and columns (MSP, GPS, telemetry, peripheral) of INAV's src/main/io/serial.h.
_INAV_BAUDS = ("115200", "115200", "0", "115200")


def _line(keys: Keys, bits: Mapping[str, int], columns: Mapping[str, int], bauds: tuple[str, ...]) -> str:
    """Give the text of a `serial` line: function bits and four baud rates."""
    function = str(keys["FUNCTION"].value)
    rates = list(bauds)
    if "BAUD" in keys and function in columns:
        rates[columns[function]] = str(keys["BAUD"].value)
    return " ".join([str(bits[function]), *rates])


def _betaflight(port: Port, keys: Keys) -> Iterator[Wanted]:
    """Name the line as 4.6 to 2026.6 do (older numbers are renamed by the catalog), and the setting that master has."""
    if "FUNCTION" not in keys:
        return
    wanted = keys["FUNCTION"]
    text = _line(keys, _BETAFLIGHT_BITS, _BETAFLIGHT_BAUD, _BETAFLIGHT_BAUDS)
    yield replace(wanted, name=f"serial.UART{port}", value=text, optional=True)
    if name := _BETAFLIGHT_MASTER.get(str(wanted.value)):
        yield replace(wanted, name=name, value=f"UART{port}", optional=True)


def _betaflight_cleared(port: Port) -> Iterator[tuple[str, Scalar]]:
    yield f"serial.UART{port}", " ".join(["0", *_BETAFLIGHT_BAUDS])


def _inav(port: Port, keys: Keys) -> Iterator[Wanted]:
    if "FUNCTION" in keys:
        text = _line(keys, _INAV_BITS, _INAV_BAUD, _INAV_BAUDS)
        yield replace(keys["FUNCTION"], name=f"serial.{int(port) - 1}", value=text)


def _inav_cleared(port: Port) -> Iterator[tuple[str, Scalar]]:
    yield f"serial.{int(port) - 1}", " ".join(["0", *_INAV_BAUDS])


_PX4_PORTS = MappingProxyType(
    # Name on the board, tag in the names of settings, and number (PX4 Tools/serial/generate_config.py, serial_ports).
    {
        "telem1": ("TEL1", 101),
        "telem2": ("TEL2", 102),
        "telem3": ("TEL3", 103),
        "telem4": ("TEL4", 104),
        "gps1": ("GPS1", 201),
        "gps2": ("GPS2", 202),
        "gps3": ("GPS3", 203),
        "rc": ("RC", 300),
        "uart6": ("URT6", 6),
    }
)
_PX4_FUNCTIONS = {
    # Names of the settings (module.yaml of the drivers: gps, mavlink, crsf_rc, sbus_rc).
    "GPS": "GPS_1_CONFIG",
    "GPS2": "GPS_2_CONFIG",
    "MAVLINK": "MAV_0_CONFIG",
    "MAVLINK2": "MAV_1_CONFIG",
    "CRSF": "RC_CRSF_PRT_CFG",
    "SBUS": "RC_SBUS_PRT_CFG",
}


def _px4(port: Port, keys: Keys) -> Iterator[Wanted]:
    """Tell a function its port. Boards differ in the drivers that they were built with, so all are optional."""
    tag, number = _PX4_PORTS[str(port)]
    if "FUNCTION" in keys:
        wanted = keys["FUNCTION"]
        yield replace(wanted, name=_PX4_FUNCTIONS[str(wanted.value)], value=number, optional=True)
    if "BAUD" in keys:
        yield replace(keys["BAUD"], name=f"SER_{tag}_BAUD", optional=True)


def _nothing(port: Port) -> Iterator[tuple[str, Scalar]]:
    """A port of PX4 holds no setting of its own: what was on it is told that it has no port any more."""
    del port
    yield from ()


FAMILIES: Mapping[str, Ports] = MappingProxyType(
    {
        # SERIAL0 is the USB port, over which the vehicle is configured; 1 to 9 are the others (AP_SerialManager.h).
        "ardupilot": Ports(t("number of the serial port, as SERIALn counts"), _numbered, _numbered_cleared),
        "betaflight": Ports(
            t("number of the UART"), _betaflight, _betaflight_cleared, 1, 10, functions=tuple(_BETAFLIGHT_BITS)
        ),
        "inav": Ports(t("number of the UART"), _inav, _inav_cleared, 1, 8, functions=tuple(_INAV_BITS)),
        "px4": Ports(
            t("name of the port, as it stands on the board"),
            _px4,
            _nothing,
            choices=tuple(_PX4_PORTS),
            functions=tuple(_PX4_FUNCTIONS),
        ),
    }
)
