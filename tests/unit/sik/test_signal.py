"""The signal of a pair, and a radio at an unknown speed."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.families.sik.driver import _carries_mavlink
from dronekit_cfg.wire.at import Rssi, parse_rssi
from dronekit_cfg.wire.mavlink import MavlinkCodec

Bench = Any
LINE = "L/R RSSI: 190/188  L/R noise: 50/48 pkts: 12  txe=0 rxe=0 stx=0 srx=0 ecc=0/0 temp=30 dco=0"
"""As the facts of this project have it from the firmware."""


def test_a_report_is_read_and_its_margin_is_that_of_the_weaker_end() -> None:
    assert parse_rssi(LINE) == Rssi(190, 188, 50, 48, 12)
    assert Rssi(190, 188, 50, 48, 12).margin == 70.0
    assert Rssi(190, 60, 50, 48, 12).margin == 6.0
    for line in ("", "OK", LINE[:30], "x" + LINE):
        assert parse_rssi(line) is None


@pytest.mark.parametrize(("fault", "margin"), [("", 69.0), ("?fault=weak", 5.5)])
def test_a_pair_reports_until_it_is_told_to_stop(bench: Bench, twin: Any, fault: str, margin: float) -> None:
    with bench.connect(f"sim:sik-pair{fault}") as connection:
        found = connection.run(connection.driver.rssi(5))
        assert len(found) >= 8
        assert min(r.margin for r in found) == margin
        assert not twin(connection)._reporting
        assert connection.snapshot().value("NETID").raw == 25


@pytest.mark.parametrize("host", [9600, 115200])
def test_a_radio_at_an_unknown_speed_is_found(bench: Bench, twin: Any, host: int) -> None:
    with bench.connect(f"sim:sik-pair?host={host}") as connection:
        assert connection.identity.capabilities == ("pair",)
        assert twin(connection).host_baud == 57600


def test_a_radio_that_is_nowhere_is_said_to_be_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dronekit_cfg.families.sik.simulated.SikPair._say", lambda *_: None)
    with pytest.raises(NoAnswer), bench.connect("sim:sik-pair"):
        pass


def test_what_an_aircraft_sends_through_the_pair_is_known_for_mavlink() -> None:
    beat = MavlinkCodec(1, 1).encode(
        "HEARTBEAT", type=2, autopilot=3, base_mode=81, custom_mode=0, system_status=3, mavlink_version=3
    )
    assert _carries_mavlink(b"\0\xff" + beat)
    assert not _carries_mavlink(bytes(b ^ 0x80 for b in beat))
