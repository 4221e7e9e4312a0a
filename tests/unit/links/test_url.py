from __future__ import annotations

import subprocess
import sys

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.chaos import ChaosLink
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.record import RecordLink
from dronekit_cfg.links.replay import ReplayLink
from dronekit_cfg.links.rfc2217 import Rfc2217Link
from dronekit_cfg.links.serial_port import SerialLink
from dronekit_cfg.links.tcp import TcpLink
from dronekit_cfg.links.udp import UdpListenLink, UdpOutLink
from dronekit_cfg.links.url import LinkUrl, make_link, parse


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("serial:/dev/ttyACM0@115200", "serial", "/dev/ttyACM0@115200"),
        ("serial:COM3@115200", "serial", "COM3@115200"),
        ("serial:auto", "serial", "auto"),
        ("serial:auto@57600", "serial", "auto@57600"),
        ("serial:/dev/serial/by-id/usb-ArduPilot_CubeOrange_1234-if00", "serial",
         "/dev/serial/by-id/usb-ArduPilot_CubeOrange_1234-if00"),
        ("/dev/ttyACM0", "serial", "/dev/ttyACM0"),
        ("/dev/cu.usbmodem101@57600", "serial", "/dev/cu.usbmodem101@57600"),
        ("COM3", "serial", "COM3"),
        ("com12@57600", "serial", "com12@57600"),
        (r"\\.\COM12", "serial", r"\\.\COM12"),
        ("udp:14550", "udp", "14550"),
        ("udp:0.0.0.0:14550", "udp", "0.0.0.0:14550"),
        ("udpout:192.168.4.1:14555", "udpout", "192.168.4.1:14555"),
        ("tcp:127.0.0.1:5760", "tcp", "127.0.0.1:5760"),
        ("TCP:localhost:5760", "tcp", "localhost:5760"),
        ("tcp:[::1]:5760", "tcp", "[::1]:5760"),
        ("rfc2217:bench1:4000@57600", "rfc2217", "bench1:4000@57600"),
        (r"replay:C:\logs\flight.jsonl", "replay", r"C:\logs\flight.jsonl"),
        ("sim:ardupilot-copter", "sim", "ardupilot-copter"),
        ("sitl:betaflight", "sitl", "betaflight"),
        ("labgrid:bench1", "labgrid", "bench1"),
        ("  tcp:127.0.0.1:5760\n", "tcp", "127.0.0.1:5760"),
    ],
)  # fmt: skip
def test_a_link_url_is_taken_apart(text: str, scheme: str, target: str) -> None:
    url = parse(text)
    assert (url.scheme, url.target, url.wrappers, dict(url.options)) == (scheme, target, (), {})
    assert url.text == text.strip()


def test_options_go_to_the_outermost_wrapper_that_knows_them_and_the_rest_stays_with_the_link() -> None:
    url = parse("chaos+record+sim:ardupilot-copter?loss=0.05&fresh&file=a+b%20c.jsonl&id=2&seed=7&fault=drop-echo")
    assert [(w.name, dict(w.options)) for w in url.wrappers] == [
        ("chaos", {"loss": "0.05", "seed": "7"}),
        ("record", {"file": "a+b c.jsonl"}),
    ]
    assert dict(url.options) == {"fresh": "", "id": "2", "fault": "drop-echo"}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", '"" is not a link URL', "serial:/dev/ttyACM0@115200"),
        ("ttyACM0", "ttyACM0 is not a link URL", "serial:COM3"),
        ("tpc:127.0.0.1:5760", "unknown link tpc:", "did you mean tcp:127.0.0.1:5760?"),
        ("seriel:/dev/ttyACM0", "unknown link seriel:", "did you mean serial:/dev/ttyACM0@115200?"),
        ("udpin:0.0.0.0:14550", "unknown link udpin:", "did you mean udp:14550?"),
        ("qqqqqq:1", "unknown link qqqqqq:", "udpout:"),
        ("tcp:127.0.0.1", "127.0.0.1 is not a port", "tcp:127.0.0.1:5760"),
        ("tcp:127.0.0.1:99999", "99999 is not a port", "tcp:127.0.0.1:5760"),
        ("tcp:127.0.0.1:0", "0 is not a port", "tcp:127.0.0.1:5760"),
        ("tcp:5760", "the host is missing", "tcp:127.0.0.1:5760"),
        ("udpout::14550", "the host before the port is missing", "udpout:"),
        ("tcp:::1:5760", "IPv6 address in brackets", "tcp:"),
        ("udp:", '"" is not a port', "udp:14550"),
        ("serial:", "the device is missing", "serial:/dev/ttyACM0@115200"),
        ("serial:/dev/ttyACM0@fast", "fast is not a baud rate", "serial:/dev/ttyACM0@115200"),
        ("serial:/dev/ttyACM0@0", "0 is not a baud rate", "serial:/dev/ttyACM0@115200"),
        ("rfc2217:bench:4000@", '"" is not a baud rate', "rfc2217:"),
        ("replay:", "something must follow replay:", "replay:session.jsonl"),
        ("chaso+tcp:127.0.0.1:5760", "unknown prefix chaso+", "chaos+"),
        ("chaos+tcp:127.0.0.1:5760?los=0.05", "unknown option los", "did you mean loss, for example loss=0.05?"),
        ("chaos+tcp:127.0.0.1:5760?loss=5", "loss=5 is not valid", "loss=0.05"),
        ("chaos+tcp:127.0.0.1:5760?loss=nan", "loss=nan is not valid", "loss=0.05"),
        ("chaos+tcp:127.0.0.1:5760?baud=57.6k", "baud=57.6k is not valid", "baud=57600"),
        ("chaos+tcp:127.0.0.1:5760?latency=-1", "latency=-1 is not valid", "latency=0.02"),
        ("chaos+tcp:127.0.0.1:5760?seed=--1", "seed=--1 is not valid", "seed=7"),
        ("chaos+tcp:127.0.0.1:5760?cut_for=3", "cut_for needs cut_after", "cut_after=5&cut_for=3"),
        ("chaos+tcp:127.0.0.1:5760?loss=0.1&loss=0.2", "option loss is given twice", "once"),
        ("record+tcp:127.0.0.1:5760", "record+ needs a file", "file=session.jsonl"),
        ("record+tcp:127.0.0.1:5760?file=", "file= is not valid", "file=session.jsonl"),
        ("tcp:127.0.0.1:5760?loss=0.05", "unknown option loss", "takes no options"),
        ("udp:14550?pear=10.0.0.1", "unknown option pear", "did you mean peer"),
        ("udp:14550?peer=10.0.0.1:0", "peer=10.0.0.1:0 is not valid", "peer="),
    ],
)
def test_a_wrong_url_names_what_is_wrong_and_gives_an_example(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_scheme_of_the_caller_is_known_and_suggested() -> None:
    assert parse("bench:7?any=thing", extra=["bench"]).options["any"] == "thing"
    with pytest.raises(UsageError) as caught:
        parse("bensh:7", extra=["bench"])
    assert caught.value.hint == "did you mean bench:?"


@pytest.mark.parametrize(
    ("text", "kind", "baud"),
    [
        ("serial:COM3", SerialLink, 115200),
        ("/dev/ttyUSB0@57600", SerialLink, 57600),
        ("udp:14550", UdpListenLink, 0),
        ("udp:14550?peer=10.0.0.1:14550", UdpListenLink, 0),
        ("udpout:127.0.0.1:14550", UdpOutLink, 0),
        ("tcp:127.0.0.1:5760", TcpLink, 0),
        ("tcp://127.0.0.1:5760", TcpLink, 0),
        ("rfc2217:127.0.0.1:4000@57600", Rfc2217Link, 57600),
        ("replay:x.jsonl?strict", ReplayLink, 0),
    ],
)
def test_each_scheme_makes_its_link_unopened(text: str, kind: type, baud: int) -> None:
    link = make_link(text, clock=VirtualClock())
    assert type(link) is kind
    assert (link.url, link.baud) == (text, baud)


def test_wrappers_are_put_around_in_the_order_they_are_written() -> None:
    text = "chaos+record+serial:COM3@115200?baud=57600&file=x.jsonl"
    link = make_link(text, clock=VirtualClock())
    assert isinstance(link, ChaosLink)
    assert isinstance(link._inner, RecordLink)
    assert isinstance(link._inner._inner, SerialLink)
    assert (link.url, link.baud, link._inner.baud) == (text, 57600, 115200)


def test_a_foreign_scheme_is_made_by_its_maker() -> None:
    seen: list[LinkUrl] = []

    def make(url: LinkUrl, clock: Clock) -> Link:
        seen.append(url)
        return TcpLink(url.text, "127.0.0.1", 1)

    link = make_link("chaos+sim:betaflight?fresh&loss=1", clock=VirtualClock(), extra={"sim": make})
    assert isinstance(link, ChaosLink)
    assert (seen[0].target, dict(seen[0].options)) == ("betaflight", {"fresh": ""})


def test_a_scheme_that_nobody_makes_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not available here"):
        make_link("sim:betaflight", clock=VirtualClock())


def test_reading_urls_loads_no_port_library() -> None:
    code = (
        "import sys; from dronekit_cfg.links import url; url.parse('chaos+tcp:127.0.0.1:5760?loss=0.1');"
        "print([m for m in ('serial', 'socket', 'selectors', 'json', 'difflib', 'urllib') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
