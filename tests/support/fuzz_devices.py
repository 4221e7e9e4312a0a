"""Devices that say anything at all, for the fuzzer: what talks to them ends in a result or in a promised error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import DronekitError, LinkLost
from dronekit_cfg.families.betaflight.driver import BetaflightDriver
from dronekit_cfg.families.elrs.driver import ElrsDriver
from dronekit_cfg.families.elrs.web import ElrsWebDriver
from dronekit_cfg.families.sik.driver import SikDriver
from dronekit_cfg.families.ublox.driver import UbloxDriver
from dronekit_cfg.hil.monitor_gnss import Watch
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Phase, Value
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.talk.ubx_signals import SignalCalls
from dronekit_cfg.wire import crsf, ubx
from dronekit_cfg.wire.http import END as HTTP_END

GOLDEN = Path(__file__).parents[1] / "golden"
WEB = b'{"config": {"product_name": "TX 2.4", "version": "v3.5.1-rc1", "module-type": "TX"}}'
OPTIONS = b'{"uid": [1, 2, 3, 4, 5, 6], "domain": 1, "fan-runtime": 30, "wifi-on-interval": 60}'

READS = 400


class Babble:
    """A device that gives what the fuzzer chose, whenever it is read, and then is silent for a while and gone."""

    def __init__(self, data: bytes, clock: VirtualClock) -> None:
        self.data, self.clock, self.reads = data, clock, 0
        self.baud, self.url = 115200, "fuzz"

    def write(self, data: bytes) -> None:
        del data

    def set_baud(self, baud: int) -> bool:
        self.baud = baud
        return True

    def reopen(self) -> None:
        """It is there again."""

    def read(self, timeout: float) -> bytes:
        self.reads += 1
        if self.reads > READS:
            raise LinkLost("enough")
        self.clock.sleep(min(timeout, 0.01))
        size = 1 + (self.data[0] % 50 if self.data else 0)
        piece, self.data = self.data[1 : size + 1], self.data[size + 1 :]
        if not piece:
            self.clock.sleep(timeout)
        return piece


def device(make: Callable[[Session], Any], data: bytes) -> None:
    clock = VirtualClock()
    link: Any = Babble(data, clock)
    driver = make(Session(clock.now))
    runner = Runner(link, driver.codec, clock, Stop())
    for flow in (driver.identify, lambda: driver.snapshot(taken=""), driver.arm_state, driver.discard):
        try:
            runner.run(flow(), limit=300)
        except DronekitError:
            continue


def web_module(data: bytes) -> None:
    """A web server that answers every request with what the fuzzer chose, which may be JSON."""
    clock = VirtualClock()
    link: Any = Pages(data, clock)
    driver = ElrsWebDriver(Session(clock.now))
    runner = Runner(link, driver.codec, clock, Stop())
    wanted = (Change("Fan_Runtime", None, Value(Kind.UINT32, 5), Phase.SET),)
    for flow in (driver.identify, lambda: driver.snapshot(taken=""), driver.spec, lambda: driver.write(wanted)):
        try:
            runner.run(flow(), limit=300)
        except DronekitError:
            continue


class Pages(Babble):
    """Gives one page after the other, with the head that a server would send, and closes."""

    def read(self, timeout: float) -> bytes:
        self.reads += 1
        self.clock.sleep(min(timeout, 0.01))
        page, _, self.data = self.data.partition(b"\n---\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page)
        return head + page + HTTP_END


class Receiver(Babble):
    """A GNSS receiver that answers what it is asked, with a payload that the fuzzer chose."""

    asked = (0, 0)

    def write(self, data: bytes) -> None:
        if len(data) > 4:
            self.asked = (data[2], data[3])

    def read(self, timeout: float) -> bytes:
        payload = super().read(timeout)
        return ubx.encode(*self.asked, payload) if payload else b""


def ubx_signals_heard(data: bytes) -> None:
    """What a receiver tells about jamming, whatever the layout that it tells it in."""
    clock = VirtualClock()
    link: Any = Receiver(data, clock)
    codec = ubx.UbxCodec()
    calls = SignalCalls(UbxCalls(Session(clock.now), codec))
    runner = Runner(link, codec, clock, Stop())
    for _ in range(3):
        try:
            heard = runner.run(calls.look(), limit=300)
        except DronekitError:
            continue
        Watch().feed(1.0, heard)


DEVICES: Mapping[str, Callable[[bytes], None]] = {
    "device_betaflight": partial(device, BetaflightDriver),
    "device_elrs": partial(device, ElrsDriver),
    "device_sik": partial(device, SikDriver),
    "device_ublox": partial(device, UbloxDriver),
    "ubx_signals": ubx_signals_heard,
    "web_module": web_module,
}


def device_seeds(target: str) -> tuple[bytes, ...]:
    """Give what a real device of this kind says."""
    dumps = [p.read_bytes()[:3000] for p in sorted(GOLDEN.glob("*/samples/*.txt"))[:2]]
    told = crsf.encode(crsf.CrsfFrame(0x29, crsf.Address.USB, crsf.Address.MODULE, b"TX\0" + bytes(14)))
    known: dict[str, tuple[bytes, ...]] = {
        "device_betaflight": (*(b"\x31" + d for d in dumps), b"\x0c$M>\x03\x01\x00\x01\x2e\x2d"),
        "device_elrs": (b"\x20" + told,),
        "device_sik": (b"\x20OK\r\nSiK 2.0 on HM-TRP\r\nS0:FORMAT=25\r\n",),
        "ubx_signals": (b"".join(bytes([len(p)]) + p + b"\0" for p in (bytes(16), bytes(28), bytes(8), bytes(12))),),
        "web_module": (b"\n---\n".join((WEB, OPTIONS, WEB, OPTIONS, OPTIONS, b"{}", OPTIONS)),),
    }
    return known.get(target, (bytes(range(64)),))
