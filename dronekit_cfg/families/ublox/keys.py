"""The settings of a u-blox receiver that profiles may set: names, keys, types, ranges, labels. A table of facts.

Names and keys are those of the u-blox interface descriptions (configuration interface), compared with the database of
pyubx2 1.4.0 by a test. `restart` settings change which signals are tracked: the receiver restarts for half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.model import INT_RANGES, Kind, SettingSpec, Value
from dronekit_cfg.text import t
from dronekit_cfg.wire.ubx_messages import key_size

__all__ = ["BAUD", "BY_KEY", "KEYS", "Key", "choose"]

BAUD = "CFG-UART1-BAUDRATE"
_SWITCH: Mapping[int, str] = {0: "off", 1: "on"}
_DYNMODEL = {
    0: "portable", 2: "stationary", 3: "pedestrian", 4: "automotive", 5: "sea", 6: "airborne 1g",
    7: "airborne 2g", 8: "airborne 4g", 9: "wrist", 10: "bike", 11: "mower", 12: "escooter",
}  # fmt: skip


_SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. A switch is 0 or 1; `values` are the only values where given, else `low` to `high`."""

    name: str
    key: int
    label: str
    unit: str = ""
    low: int | None = None
    high: int | None = None
    values: Mapping[int, str] = field(default_factory=dict)
    signed: bool = False
    restart: bool = False

    @property
    def kind(self) -> Kind:
        """The storage type."""
        size = key_size(self.key)
        return {1: Kind.INT8 if self.signed else Kind.UINT8, 2: Kind.UINT16, 4: Kind.UINT32}[size]

    def decode(self, raw: int) -> Value:
        """Give a raw unsigned value as it is meant."""
        bits = 8 * key_size(self.key)
        return Value(self.kind, raw - (1 << bits) if self.signed and raw >> (bits - 1) else raw)

    def encode(self, value: Value) -> int:
        """Give a value as raw unsigned number."""
        return int(value.number) % (1 << 8 * key_size(self.key))

    def spec(self, default: Value | None) -> SettingSpec:
        """Give the facts as metadata."""
        low, high = INT_RANGES[self.kind]
        return SettingSpec(
            self.name,
            self.kind,
            self.label,
            self.unit,
            minimum=None if self.values else float(low if self.low is None else self.low),
            maximum=None if self.values else float(high if self.high is None else self.high),
            values=self.values,
            default=None if default is None else default.number,
        )


def choose(key: Key, value: object) -> Value:
    """Turn a profile's value into the stored one: a number, on and off for switches, or a label. ValueError why not."""
    if isinstance(value, str):
        labels = {label: number for number, label in key.values.items()}
        if value.lower() not in labels:
            raise ValueError(_wrong(key, value))
        return Value(key.kind, labels[value.lower()])
    if not isinstance(value, int | float) or value != int(value):
        raise ValueError(_wrong(key, value))
    number = int(value)
    facts = key.spec(None)
    fits = number in key.values if key.values else (facts.minimum or 0) <= number <= (facts.maximum or 0)
    if not fits:
        raise ValueError(_wrong(key, value))
    return Value(key.kind, number)


def _wrong(key: Key, value: object) -> str:
    facts = key.spec(None)
    allowed = (
        ", ".join(f"{n} ({label})" for n, label in key.values.items())
        if key.values
        else t("a whole number from {low:g} to {high:g}", low=facts.minimum, high=facts.maximum)
    )
    return t("{name} cannot be {value!r}; it is {allowed}", name=key.name, value=value, allowed=allowed)


def _switch(name: str, key: int, label: str, *, restart: bool = False) -> Key:
    return Key(f"CFG-{name}", key, label, values=_SWITCH, restart=restart)


def _signal(name: str, key: int, label: str) -> Key:
    return _switch(f"SIGNAL-{name}_ENA", key, label, restart=True)


def _output(name: str, key: int) -> Key:
    return Key(f"CFG-MSGOUT-UBX_{name}_UART1", key, f"{name} on UART1, once per so many navigation epochs", high=255)


_SIGNALS = (
    _signal("GPS", 0x1031001F, "GPS"),
    _signal("GPS_L1CA", 0x10310001, "GPS L1C/A"),
    _signal("GPS_L2C", 0x10310003, "GPS L2C"),
    _signal("GPS_L5", 0x10310004, "GPS L5"),
    _signal("SBAS", 0x10310020, "SBAS"),
    _signal("SBAS_L1CA", 0x10310005, "SBAS L1C/A"),
    _signal("GAL", 0x10310021, "Galileo"),
    _signal("GAL_E1", 0x10310007, "Galileo E1"),
    _signal("GAL_E5A", 0x10310009, "Galileo E5a"),
    _signal("GAL_E5B", 0x1031000A, "Galileo E5b"),
    _signal("BDS", 0x10310022, "BeiDou"),
    _signal("BDS_B1", 0x1031000D, "BeiDou B1I"),
    _signal("BDS_B1C", 0x1031000F, "BeiDou B1C"),
    _signal("BDS_B2", 0x1031000E, "BeiDou B2I"),
    _signal("BDS_B2A", 0x10310028, "BeiDou B2a"),
    _signal("QZSS", 0x10310024, "QZSS"),
    _signal("QZSS_L1CA", 0x10310012, "QZSS L1C/A"),
    _signal("QZSS_L1S", 0x10310014, "QZSS L1S"),
    _signal("GLO", 0x10310025, "GLONASS"),
    _signal("GLO_L1", 0x10310018, "GLONASS L1"),
    _signal("GLO_L2", 0x1031001A, "GLONASS L2"),
    _signal("NAVIC", 0x10310026, "NavIC"),
    _signal("NAVIC_L5", 0x1031001D, "NavIC L5"),
    Key("CFG-SIGNAL-HEALTH_L5", 0x10320001, "L5 signals count as healthy though they say they are not", values=_SWITCH),
)
_NAVIGATION = (
    Key("CFG-NAVSPG-DYNMODEL", 0x20110021, "how the receiver expects to be moved", values=_DYNMODEL),
    Key("CFG-NAVSPG-FIXMODE", 0x20110011, "kind of fix", values={1: "2d only", 2: "3d only", 3: "auto"}),
    Key("CFG-NAVSPG-INFIL_MINSVS", 0x201100A1, "fewest satellites of a fix", low=1, high=64),
    Key("CFG-NAVSPG-INFIL_MAXSVS", 0x201100A2, "most satellites of a fix", low=1, high=64),
    Key("CFG-NAVSPG-INFIL_MINCNO", 0x201100A3, "weakest signal that is used", "dBHz", high=60),
    Key("CFG-NAVSPG-INFIL_MINELEV", 0x201100A4, "lowest elevation that is used", "deg", low=-90, high=90, signed=True),
    Key("CFG-NAVSPG-INFIL_NCNOTHRS", 0x201100AA, "satellites that must reach the signal threshold", high=64),
    Key("CFG-NAVSPG-INFIL_CNOTHRS", 0x201100AB, "signal threshold for a fix at all", "dBHz", high=60),
    Key("CFG-NAVSPG-OUTFIL_PDOP", 0x301100B1, "worst position DOP of a fix", "0.1"),
    Key("CFG-NAVSPG-OUTFIL_TDOP", 0x301100B2, "worst time DOP of a fix", "0.1"),
    Key("CFG-NAVSPG-OUTFIL_PACC", 0x301100B3, "worst position accuracy of a fix", "m"),
    Key("CFG-NAVSPG-OUTFIL_TACC", 0x301100B4, "worst time accuracy of a fix", "m"),
    Key("CFG-NAVSPG-SIGATTCOMP", 0x201100D6, "compensation of attenuated signals"),
    _switch("NAVSPG-ONLY_AUTHDATA", 0x101100DD, "authenticated navigation data only"),
    _switch("NAVSPG-PL_ENA", 0x101100D7, "protection level"),
    Key("CFG-RATE-MEAS", 0x30210001, "time between measurements", "ms", low=25, high=65535),
    Key("CFG-RATE-NAV", 0x30210002, "measurements per fix", low=1, high=127),
    Key("CFG-RATE-TIMEREF", 0x20210003, "time that measurements are aligned to",
        values={0: "utc", 1: "gps", 2: "glonass", 3: "beidou", 4: "galileo", 5: "navic"}),
)  # fmt: skip
_GUARD = (
    _switch("ITFM-ENABLE", 0x1041000D, "interference monitor"),
    Key("CFG-ITFM-BBTHRESHOLD", 0x20410001, "broadband jamming threshold", "dB", high=15),
    Key("CFG-ITFM-CWTHRESHOLD", 0x20410002, "CW jamming threshold", "dB", high=31),
    Key("CFG-ITFM-ANTSETTING", 0x20410010, "antenna", values={0: "unknown", 1: "passive", 2: "active"}),
    _switch("ITFM-ENABLE_AUX", 0x10410013, "interference monitor of the second front end"),
    _switch("SEC-JAMDET_SENSITIVITY_HI", 0x10F60051, "jamming detection at high sensitivity"),
    _switch("SEC-SPOOFDET_SIM_SIG_DIS", 0x10F6005D, "no spoofing alarm for simulated signals"),
    _switch("HW-ANT_CFG_VOLTCTRL", 0x10A3002E, "antenna supply"),
    _switch("HW-ANT_CFG_SHORTDET", 0x10A3002F, "antenna short circuit detection"),
    _switch("HW-ANT_CFG_OPENDET", 0x10A30031, "open antenna detection"),
    _switch("HW-ANT_CFG_PWRDOWN", 0x10A30033, "antenna supply off while shorted"),
    _switch("HW-ANT_CFG_RECOVER", 0x10A30035, "antenna supply on again after a short circuit"),
    Key("CFG-HW-RF_LNA_MODE", 0x20A30057, "internal amplifier", values={0: "normal", 1: "low gain", 2: "bypass"}),
)
_OUTPUT = (
    _output("NAV_PVT", 0x20910007),
    _output("NAV_DOP", 0x20910039),
    _output("NAV_STATUS", 0x2091001B),
    _output("NAV_SAT", 0x20910016),
    _output("MON_RF", 0x2091035A),
    _output("MON_HW", 0x209101B5),
    _output("SEC_SIG", 0x20910635),
    Key(BAUD, 0x40520001, "baud rate of UART1", "bit/s", values={n: str(n) for n in _SPEEDS}),
)
KEYS: Mapping[str, Key] = {k.name: k for k in (*_SIGNALS, *_NAVIGATION, *_GUARD, *_OUTPUT)}
"""By name, in the order in which a snapshot lists them."""
BY_KEY: Mapping[int, Key] = {k.key: k for k in KEYS.values()}
