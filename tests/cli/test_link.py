"""`link sign`: the vehicle takes a key, signs with it, and refuses what is not signed."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.cli.session import clock_in_use
from dronekit_cfg.families.ardupilot.simulated import make_simulated
from dronekit_cfg.wire.mavlink_signing import make_signing_key, read_signing_key

Run = Callable[..., Any]
USB, RADIO = "sim:ardupilot-copter", "sim:ardupilot-copter?port=radio"
KEY = "aircraft-7.key"


pytestmark = pytest.mark.usefixtures("virtual_time")


def test_a_vehicle_is_given_a_key_that_is_made_for_it_and_shows_that_it_signs(cli: Run, tmp_path: Path) -> None:
    said = cli("link", "sign", KEY, "--make", "--link", USB, "--yes")
    assert said.code == 0, said.err
    assert "PASS  the vehicle signs with the key" in said.out
    assert "takes unsigned messages too" in said.out
    mode = stat.S_IMODE((tmp_path / KEY).stat().st_mode)
    assert sys.platform == "win32" or mode == 0o600
    assert read_signing_key(tmp_path / KEY).hex() not in said.out + said.err


def test_a_telemetry_port_then_refuses_whoever_has_not_the_key(cli: Run, tmp_path: Path) -> None:
    cli("link", "sign", KEY, "--make", "--link", USB, "--yes")
    said = cli("link", "sign", KEY, "--check", "--link", RADIO, "--json")
    assert (said.code, said.document["signs"], said.document["refuses_unsigned"]) == (0, True, True)
    keyless = cli("info", "--link", RADIO)
    assert keyless.code == 3
    assert "--signing-key" in keyless.err
    assert cli("info", "--link", RADIO, "--signing-key", KEY).code == 0
    make_signing_key(tmp_path / "other.key")
    wrong = cli("info", "--link", RADIO, "--signing-key", "other.key")
    assert wrong.code == 3
    assert "not signed with this key" in wrong.err


def test_the_key_is_changed_only_by_who_has_the_old_one_where_unsigned_messages_are_refused(cli: Run) -> None:
    cli("link", "sign", KEY, "--make", "--link", USB, "--yes")
    assert cli("link", "sign", "new.key", "--make", "--link", RADIO, "--yes").code == 3
    assert cli("link", "sign", "new.key", "--link", RADIO, "--signing-key", KEY, "--yes").code == 0
    assert cli("info", "--link", RADIO, "--signing-key", KEY).code == 3
    assert cli("info", "--link", RADIO, "--signing-key", "new.key").code == 0


def test_the_key_is_taken_away_again(cli: Run) -> None:
    cli("link", "sign", KEY, "--make", "--link", USB, "--yes")
    said = cli("link", "sign", "--off", "--link", RADIO, "--signing-key", KEY, "--yes")
    assert said.code == 0, said.err
    assert cli("info", "--link", RADIO).code == 0
    assert cli("link", "sign", KEY, "--check", "--link", USB).code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "give a KEYFILE"),
        ((KEY, "--off"), 2, "give a KEYFILE"),
        ((KEY, "--link", "sim:betaflight"), 4, "does not speak MAVLink"),
        ((KEY, "--link", USB, "--record", "session.jsonl"), 2, "a recording would hold the key"),
        ((KEY, "--link", USB + "?fault=armed"), 4, "armed"),
        ((KEY, "--make", "--link", USB), 2, "cannot make the signing key"),
        (("zeros.key", "--link", USB), 2, "a key of zeros means no signing"),
        (("open.key", "--link", USB), 2, "chmod 600"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_sent(
    arguments: tuple[str, ...], code: int, words: str, cli: Run, tmp_path: Path
) -> None:
    if words == "chmod 600" and sys.platform == "win32":
        pytest.skip("Windows has no file modes")
    make_signing_key(tmp_path / KEY)
    for name, mode in (("zeros.key", 0o600), ("open.key", 0o644)):
        (tmp_path / name).write_text("00" * 32)
        (tmp_path / name).chmod(mode)
    said = cli("link", "sign", *arguments, "--yes")
    assert said.code == code, said.err
    assert words in said.err
    assert cli("info", "--link", RADIO).code == 0  # it takes unsigned messages: no key was set


def test_a_key_that_nobody_confirmed_is_not_sent(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_signing_key(tmp_path / KEY)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    said = cli("link", "sign", KEY, "--link", USB)
    assert said.code == 2
    assert "nothing was sent" in said.err
    assert cli("info", "--link", RADIO).code == 0


def test_the_twin_signs_as_an_independent_implementation_checks() -> None:
    """pymavlink packs the request and judges the signature of what the vehicle says then."""
    vehicle: Any = make_simulated("ardupilot-copter", {}, state_dir=None)
    vehicle.connected(0.0)
    key, ticks = bytes(range(32)), 10**12
    sender, judge = mavlink.MAVLink(None, srcSystem=255, srcComponent=190), mavlink.MAVLink(None)
    vehicle.receive(sender.setup_signing_encode(1, 1, list(key), ticks).pack(sender), 0.1)
    judge.signing.secret_key, judge.signing.timestamp = key, ticks
    judge.robust_parsing = True
    now = 0.1
    heard: list[Any] = []
    while now < 3:
        now += 0.05
        heard += judge.parse_buffer(vehicle.poll(now)) or []
    beats = [m for m in heard if m.get_type() == "HEARTBEAT"]
    assert len(beats) >= 2
    assert all(m.get_signed() for m in beats)
    assert judge.signing.badsig_count == judge.signing.reject_count == 0


@contextmanager
def arducopter(folder: Path) -> Iterator[int]:
    """Start the real simulator; its second port opens once somebody is on the first one."""
    program = shutil.which("arducopter")
    if program is None:
        pytest.skip("arducopter is not on PATH: signing on the real firmware needs it")
    instance = next(n for n in range(200, 400) if _free(5760 + 10 * n))
    command = [program, "-w", "--model", "+", "--speedup", "1", f"-I{instance}"]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 20
        while _free(5760 + 10 * instance) and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.5)  # the probe was its one client; let it listen again
        yield 5760 + 10 * instance
    finally:
        process.kill()
        process.wait()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def somebody_on(port: int) -> Iterator[None]:
    with socket.create_connection(("127.0.0.1", port)) as client:

        def listen() -> None:
            with suppress(OSError):
                while client.recv(65536):
                    pass

        reader = threading.Thread(target=listen)
        reader.start()
        try:
            yield
        finally:
            client.shutdown(socket.SHUT_RDWR)
            reader.join()


@pytest.mark.sitl
def test_the_real_firmware_takes_the_key_signs_and_refuses_unsigned_messages(cli: Run, tmp_path: Path) -> None:
    clock_in_use.set(None)  # this vehicle lives in real time
    with arducopter(tmp_path) as port:
        first, second = f"tcp:127.0.0.1:{port}", f"tcp:127.0.0.1:{port + 2}"
        said = cli("link", "sign", KEY, "--make", "--link", first, "--yes", "--json")
        assert (said.code, said.document["refuses_unsigned"]) == (0, False), said.err
        with somebody_on(port):
            said = cli("link", "sign", KEY, "--check", "--link", second, "--json")
            assert (said.code, said.document["refuses_unsigned"]) == (0, True), said.err
            assert cli("info", "--link", second).code == 3
            assert cli("link", "sign", "--off", "--link", second, "--signing-key", KEY, "--yes").code == 0
            assert cli("info", "--link", second).code == 0
