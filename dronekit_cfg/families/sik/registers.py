"""What is known about the registers of SiK radios: ranges, and which must be the same on both ends. A table of facts.

Names and numbers are read from the radio; a register that is not here may be anything its 32 bits hold.
Sources: SiK Firmware/radio/parameters.c (checks and defaults), main.c (air rates), radio_443x.c (power levels).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dronekit_cfg.model import Kind, SettingSpec, Value
from dronekit_cfg.text import t

__all__ = ["KEY", "LEVEL", "PAIR", "READ_ONLY", "REGISTERS", "REMOTE", "Register", "base", "choose", "key_text", "spec"]

REMOTE = "remote."
"""What the names of the far end's settings begin with."""
READ_ONLY = frozenset({"FORMAT", "SERIAL_SPEED", "OPPRESEND"})
"""FORMAT and OPPRESEND do nothing; our own link hangs on SERIAL_SPEED."""
KEY = "ENCRYPTION_KEY"
"""Name of the setting that is the key of the encryption, a secret; only radios with LEVEL have it."""
LEVEL = "ENCRYPTION_LEVEL"
PAIR = frozenset(
    {
        *("NETID", "AIR_SPEED", "ECC", "MANCHESTER", "MIN_FREQ", "MAX_FREQ", "NUM_CHANNELS", "MAX_WINDOW", "LBT_RSSI"),
        *(LEVEL, KEY),
    }
)
"""Registers in which the two ends must agree, or they do not hear each other (MAX_WINDOW, LBT_RSSI: or not well)."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register: its range, or the only values that stay as they are written."""

    label: str
    low: int = 0
    high: int = 0xFFFFFFFF
    unit: str = ""
    only: tuple[int, ...] = ()


REGISTERS: Mapping[str, Register] = {
    "FORMAT": Register("layout of the registers"),
    "SERIAL_SPEED": Register("speed of the serial port", unit="kbit/s", only=(1, 2, 4, 9, 19, 38, 57, 115, 230)),
    "AIR_SPEED": Register(
        "speed over the air", unit="kbit/s", only=(2, 4, 8, 16, 19, 24, 32, 48, 64, 96, 128, 192, 250)
    ),
    "NETID": Register("number of the pair; seeds its hopping", high=65535),
    "TXPOWER": Register("transmit power; snapped to the levels of the board", high=30, unit="dBm"),
    "ECC": Register("error correction; halves the throughput", high=1),
    "MAVLINK": Register("MAVLink framing: 0 off, 1 on, 2 low latency", high=2),
    "OPPRESEND": Register("unused", high=1),
    "MIN_FREQ": Register("lower end of the band", low=0, high=935000, unit="kHz"),
    "MAX_FREQ": Register("upper end of the band", low=0, high=935000, unit="kHz"),
    "NUM_CHANNELS": Register("hopping channels", low=1, high=50),
    "DUTY_CYCLE": Register("share of time on the air", high=100, unit="%"),
    "LBT_RSSI": Register("listen before talk threshold, 0 is off", high=220),
    "MANCHESTER": Register("Manchester encoding", high=1),
    "RTSCTS": Register("hardware flow control", high=1),
    "MAX_WINDOW": Register("longest transmit window", low=33, high=131, unit="ms"),
    LEVEL: Register(
        "encryption: 0 off; 1, 2, 3 are AES with 128, 192, 256 bits (CBC), 17, 18, 19 the same (CTR)", high=19
    ),
    KEY: Register("key of the encryption, a secret"),
}


def base(name: str) -> str:
    """Give the register of a setting of either end."""
    return name.removeprefix(REMOTE)


def key_text(text: str) -> str:
    """Give a key in the form in which a radio holds it. ValueError for one that it would silently replace or change.

    Too short ones become a default, digits that are not hexadecimal become 0 [SiK Firmware/radio/at.c].
    """
    key = text.strip().upper()
    if len(key) not in {32, 48, 64} or not set(key) <= set("0123456789ABCDEF"):
        raise ValueError(
            t("the key is {length} characters; it takes 32, 48 or 64 hexadecimal digits", length=len(text.strip()))
        )
    return key


def spec(name: str) -> SettingSpec:
    """Give the facts about a setting of either end."""
    if base(name) == KEY:
        return SettingSpec(name, Kind.SECRET, REGISTERS[KEY].label, reboot=True)
    facts = REGISTERS.get(base(name), Register(""))
    return SettingSpec(
        name,
        Kind.UINT32,
        facts.label,
        facts.unit,
        minimum=float(facts.only[0] if facts.only else facts.low),
        maximum=float(facts.only[-1] if facts.only else facts.high),
        values={number: str(number) for number in facts.only},
        reboot=True,
        read_only=base(name) in READ_ONLY,
    )


def choose(name: str, value: object) -> Value:
    """Turn a profile's value into what the radio keeps. ValueError says what it would make of it."""
    facts = REGISTERS.get(base(name), Register(""))
    if isinstance(value, str) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(t("{name} is a whole number, not {value!r}", name=name, value=value))
    number = int(value)
    if facts.only and number not in facts.only:
        raise ValueError(
            t(
                "{name}: the radio would make another value of {value}; it knows {known}",
                name=name,
                value=number,
                known=", ".join(map(str, facts.only)),
            )
        )
    if base(name) == "LBT_RSSI" and 0 < number < 25:
        raise ValueError(t("{name} is 0 or 25 to 220, not {value}", name=name, value=number))
    if not facts.low <= number <= facts.high:
        raise ValueError(
            t("{name} is {low} to {high}, not {value}", name=name, low=facts.low, high=facts.high, value=number)
        )
    return Value(Kind.UINT32, number)
