"""What the simulated receivers are: version texts, and the settings of each generation with their defaults.

Which generation knows which setting is from the interface descriptions of the named firmware, in short: M10 SPG 5.10
has L1 signals, no flash and no interference monitor; F9 HPG 1.32 has L1 and L2; M9 SPG 4.04 has L1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MODELS", "Model"]


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of receiver. `defaults` are by the setting's name; a setting that is not there, it does not know."""

    software: str
    hardware: str
    extensions: tuple[str, ...]
    uid_bytes: int
    flash: bool
    multi_valget: bool
    defaults: Mapping[str, int]
    legacy: bool = False


_COMMON = {
    "CFG-NAVSPG-DYNMODEL": 0,
    "CFG-NAVSPG-FIXMODE": 3,
    "CFG-NAVSPG-INFIL_MINSVS": 3,
    "CFG-NAVSPG-INFIL_MAXSVS": 32,
    "CFG-NAVSPG-INFIL_MINCNO": 6,
    "CFG-NAVSPG-INFIL_MINELEV": 5,
    "CFG-NAVSPG-INFIL_NCNOTHRS": 0,
    "CFG-NAVSPG-INFIL_CNOTHRS": 0,
    "CFG-NAVSPG-OUTFIL_PDOP": 250,
    "CFG-NAVSPG-OUTFIL_TDOP": 250,
    "CFG-NAVSPG-OUTFIL_PACC": 100,
    "CFG-NAVSPG-OUTFIL_TACC": 350,
    "CFG-RATE-MEAS": 1000,
    "CFG-RATE-NAV": 1,
    "CFG-RATE-TIMEREF": 1,
    "CFG-HW-ANT_CFG_VOLTCTRL": 1,
    "CFG-HW-ANT_CFG_SHORTDET": 0,
    "CFG-HW-ANT_CFG_OPENDET": 0,
    "CFG-HW-ANT_CFG_PWRDOWN": 0,
    "CFG-HW-ANT_CFG_RECOVER": 0,
    "CFG-MSGOUT-UBX_NAV_PVT_UART1": 0,
    "CFG-MSGOUT-UBX_NAV_DOP_UART1": 0,
    "CFG-MSGOUT-UBX_NAV_STATUS_UART1": 0,
    "CFG-MSGOUT-UBX_NAV_SAT_UART1": 0,
    "CFG-UART1-BAUDRATE": 38400,
}
_ITFM = {
    "CFG-ITFM-ENABLE": 0,
    "CFG-ITFM-BBTHRESHOLD": 3,
    "CFG-ITFM-CWTHRESHOLD": 15,
    "CFG-ITFM-ANTSETTING": 0,
    "CFG-ITFM-ENABLE_AUX": 0,
}
_MONITORS = {"CFG-MSGOUT-UBX_MON_RF_UART1": 0, "CFG-NAVSPG-SIGATTCOMP": 255}


def _signals(**enabled: int) -> dict[str, int]:
    return {f"CFG-SIGNAL-{name}_ENA": value for name, value in enabled.items()}


_L1 = _signals(
    GPS=1, GPS_L1CA=1, SBAS=1, SBAS_L1CA=1, GAL=1, GAL_E1=1, BDS=1, QZSS=1, QZSS_L1CA=1, GLO=1, GLO_L1=1
)  # fmt: skip

MODELS: Mapping[str, Model] = {
    "ublox-m10": Model(
        "ROM SPG 5.10 (7b202e)",
        "000A0000",
        ("FWVER=SPG 5.10", "PROTVER=34.10", "GPS;GLO;GAL;BDS", "SBAS;QZSS"),
        uid_bytes=6,
        flash=False,
        multi_valget=False,
        defaults=_COMMON
        | _MONITORS
        | _L1
        | _signals(BDS_B1=0, BDS_B1C=1, QZSS_L1S=0)
        | {"CFG-MSGOUT-UBX_SEC_SIG_UART1": 0, "CFG-SEC-JAMDET_SENSITIVITY_HI": 0, "CFG-SEC-SPOOFDET_SIM_SIG_DIS": 0},
    ),
    "ublox-m9": Model(
        "EXT CORE 4.04 (7f89f7)",
        "00190000",
        ("ROM BASE 0x118B2060", "FWVER=SPG 4.04", "PROTVER=32.01", "MOD=NEO-M9N", "GPS;GLO;GAL;BDS", "SBAS;QZSS"),
        uid_bytes=5,
        flash=True,
        multi_valget=True,
        defaults=_COMMON | _MONITORS | _ITFM | _L1 | _signals(BDS_B1=1),
    ),
    "ublox-f9": Model(
        "EXT CORE 1.00 (500086)",
        "00190000",
        ("ROM BASE 0x118B2060", "FWVER=HPG 1.32", "PROTVER=27.31", "MOD=ZED-F9P", "GPS;GLO;GAL;BDS", "SBAS;QZSS"),
        uid_bytes=5,
        flash=True,
        multi_valget=True,
        defaults=_COMMON
        | _MONITORS
        | _ITFM
        | _L1
        | _signals(GPS_L2C=1, GAL_E5B=1, BDS_B1=1, BDS_B2=1, GLO_L2=1, QZSS_L1S=0)
        | {"CFG-MSGOUT-UBX_SEC_SIG_UART1": 0},
    ),
    "ublox-m8": Model(
        "EXT CORE 3.01 (107900)",
        "00080000",
        (
            "ROM BASE 2.01 (75331)",
            "FWVER=SPG 3.01",
            "PROTVER=18.00",
            "MOD=NEO-M8N-0",
            "GPS;GLO;GAL;BDS",
            "SBAS;IMES;QZSS",
        ),
        uid_bytes=5,
        flash=True,
        multi_valget=False,
        defaults=_COMMON
        | _ITFM
        | _signals(GPS=1, SBAS=1, GAL=0, BDS=0, QZSS=1, GLO=1)
        | {"CFG-MSGOUT-UBX_MON_HW_UART1": 0, "CFG-UART1-BAUDRATE": 9600},
        legacy=True,
    ),
}
"""Everything behind `sim:ublox-...`."""
