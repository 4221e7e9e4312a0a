"""Secrets come from the environment or from a file that nobody else can read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dronekit_cfg.engine.secrets import load_vault, read_secrets
from dronekit_cfg.errors import FileProblems, StateError, UsageError
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.record import RecordLink


def secrets_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = secrets_file(tmp_path / "s", "# keys of the fleet\n\nsik-key=from the file = with blanks \nother=x\n")
    vault = load_vault(tmp_path / "state", file, {"DRONEKIT_CFG_SECRET_OTHER": "env", "DRONEKIT_CFG_SECRETS": "path"})
    assert vault.open(vault.wanted("<secret:sik_key>")) == "from the file = with blanks "
    assert vault.open(vault.wanted("<secret:other>")) == "env"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="can be read by others") as caught:
        read_secrets(secrets_file(tmp_path / "s", "a=b\n", mode))
    assert "chmod 600" in caught.value.hint


def test_a_wrong_line_is_named_by_its_number_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match="this line is not NAME=text") as caught:
        read_secrets(secrets_file(tmp_path / "s", "a=b\nhunter2\n"))
    assert caught.value.problems[0].line == 2
    assert "hunter2" not in str(caught.value)


def test_the_key_of_the_fingerprints_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    key = tmp_path / "secrets.key"
    one = load_vault(tmp_path, None, {"DRONEKIT_CFG_SECRET_A": "text"})
    assert not key.exists()
    value = one.wanted("<secret:a>")
    if os.name == "posix":
        assert key.stat().st_mode & 0o077 == 0
    assert load_vault(tmp_path, None, {"DRONEKIT_CFG_SECRET_B": "text"}).wanted("<secret:b>").same(value)
    assert [p.name for p in tmp_path.iterdir()] == ["secrets.key"]


def test_a_damaged_key_is_said_and_never_replaced_silently(tmp_path: Path) -> None:
    (tmp_path / "secrets.key").write_bytes(b"short")
    with pytest.raises(StateError, match="damaged"):
        load_vault(tmp_path, None, {}).seal("text")


class Echo:
    """A link that gives back what it was sent."""

    url = "echo:"
    place = ""
    baud = 0

    def __init__(self) -> None:
        self.data = b""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self.data = data

    def read(self, timeout: float) -> bytes:
        return self.data


def test_a_recording_leaves_out_the_bytes_of_a_hushed_exchange_in_both_directions(tmp_path: Path) -> None:
    vault = load_vault(tmp_path, None, {})
    link = RecordLink(Echo(), tmp_path / "r.jsonl", VirtualClock(), hushed=lambda: vault.hushed)  # type: ignore[arg-type]  # the parts of a link that a recording uses
    link.open()
    link.write(b"ATI")
    with vault.hush():
        link.write(b"AT&E=00112233")
        assert link.read(0) == b"AT&E=00112233"
    link.write(b"ATO")
    link.close()
    text = (tmp_path / "r.jsonl").read_text(encoding="ascii")
    assert b"ATI".hex() in text
    assert b"ATO".hex() in text
    assert b"00112233".hex() not in text
    assert text.count("13 bytes with a secret, left out") == 2
