"""No file and no screen ever holds a secret: not after an apply, a failure, a rollback, a kill or a recover."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.sim.memory import Memory

pytestmark = pytest.mark.usefixtures("virtual_time")

Run = Callable[..., Any]

OLD = "0123456789abcdef0123456789ABCDEF"
NEW = "A5C3F00DBADCAFE5A5C3F00DBADCAFE5"
OTHER = "00FF00FF00FF00FF11EE11EE11EE11EE"
RADIO = ("--link", "sim:sik-pair-aes")
TWIN = "sik-pair-aes-1.log"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "secret.yaml"
    head = "format: dronekit-cfg/profile/v1\nname: secret\nversion: 1.0.0\nfamily: sik\nsettings:\n"
    ends = [f'  {e}ENCRYPTION_LEVEL: 1\n  {e}ENCRYPTION_KEY: "<secret:sik-key>"\n' for e in ("", "remote.")]
    path.write_text(head + "".join(ends), encoding="utf-8")
    return path


def keys(state_dir: Path) -> set[str]:
    """Give the keys that the two ends hold; the memory of the twin stands for their flash."""
    with Memory(state_dir / TWIN) as memory:
        return {str(memory.values[f"{end}/key"]) for end in ("local", "remote")}


def forms(secret: str) -> list[bytes]:
    """Give what a secret could look like in a file or on a screen."""
    found = [secret, secret.upper(), secret.lower()]
    return [
        form
        for text in found
        for form in (
            text.encode(),
            text.encode().hex().encode(),
            base64.b64encode(text.encode())[:-4],
            bytes.fromhex(text),
        )
    ]


def leaks(folder: Path, said: list[Any]) -> list[str]:
    """Name the places that hold a secret, but for the twin's own memory and what the test gave."""
    files = {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in {TWIN, "given"}}
    screens = {f"output {n}": (s.out + s.err).encode() for n, s in enumerate(said)}
    marks = [form for secret in (OLD, NEW, OTHER) for form in forms(secret)]
    return [place for place, data in (files | screens).items() if any(mark in data for mark in marks)]


def test_nothing_that_a_run_leaves_behind_holds_a_secret(
    cli: Run, profile: Path, tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []

    def run(*words: object, code: int) -> None:
        said.append(cli(*words))
        assert said[-1].code == code, said[-1].out + said[-1].err

    record = iter(range(100))

    def recorded() -> tuple[object, ...]:
        return (*RADIO, "--record", tmp_path / f"{next(record)}.jsonl")

    monkeypatch.setenv("DRONEKIT_CFG_DEBUG", "1")
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", OLD)
    run("apply", profile, *recorded(), "--yes", code=0)
    assert keys(state_dir) == {OLD.upper()}

    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", NEW)
    run("plan", profile, *recorded(), "--output", tmp_path / "plan.json", "--json", code=1)
    run("verify", profile, *recorded(), code=1)
    broken = ("--link", "sim:sik-pair-aes?fault=ram-only", "--record", tmp_path / "broken.jsonl")
    run("apply", profile, *broken, "--yes", "--json", code=5)
    assert keys(state_dir) == {OLD.upper()}

    run("apply", profile, *recorded(), "--yes", "--json", "--receipt", tmp_path / "receipt.json", code=0)
    assert keys(state_dir) == {NEW}
    run("verify", profile, *recorded(), "--json", code=0)
    run("snapshot", *recorded(), "--output", tmp_path / "now.json", code=0)
    run("verify", profile, "--against", tmp_path / "now.json", code=0)

    class Cut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise Cut

    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", OTHER)
    run("verify", profile, "--against", tmp_path / "now.json", code=1)
    with monkeypatch.context() as patch:
        patch.setattr("dronekit_cfg.engine.work.Work.reboot", cut)
        patch.setattr("dronekit_cfg.engine.connection.Connection.reconnect", cut)
        with pytest.raises(Cut):
            cli("apply", profile, *RADIO, "--yes")
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", NEW)
    run("recover", *recorded(), "--json", code=0 if keys(state_dir) == {OTHER} else 5)
    assert len(keys(state_dir)) == 1

    assert len(list(tmp_path.glob("*.jsonl"))) > 5
    assert leaks(tmp_path, said) == []
    assert any("<secret:sik_key>" in s.out for s in said)
    assert any(b"bytes with a secret, left out" in p.read_bytes() for p in tmp_path.glob("*.jsonl"))


def test_a_snapshot_restores_a_key_that_is_given_again_and_says_so_where_it_is_not(
    cli: Run, profile: Path, tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", OLD)
    assert cli("apply", profile, *RADIO, "--yes").code == 0
    saved = tmp_path / "old.json"
    assert cli("snapshot", *RADIO, "--output", saved).code == 0
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", NEW)
    assert cli("apply", profile, *RADIO, "--yes").code == 0
    refused = cli("restore", saved, *RADIO, "--yes")
    assert (refused.code, "never stored" in refused.err) == (2, True), refused.err
    assert keys(state_dir) == {NEW}
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_OLD", OLD)
    assert cli("restore", saved, *RADIO, "--yes").code == 0
    assert keys(state_dir) == {OLD.upper()}


def test_an_aircraft_takes_its_secrets_from_a_file_and_leaves_none_behind(
    cli: Run, profile: Path, tmp_path: Path, state_dir: Path
) -> None:
    given = tmp_path / "given"
    given.write_text(f"sik-key={NEW}\n", encoding="utf-8")
    given.chmod(0o600)
    stack = f"heavy-lift+base/sik+radio:{profile}"
    words = (stack, "-i", "cells=6", "-i", "netid=7", "--link", "sim:ardupilot-copter", "--secrets", given)
    said = [cli("apply", *words, "--module-link", "radio=sim:sik-pair-aes", "--yes", "--json")]
    assert said[0].code == 0, said[0].out + said[0].err
    assert keys(state_dir) == {NEW}
    broken = "radio=sim:sik-pair-aes?fault=deny:NETID"
    said.append(cli("apply", *words, "-i", "radio.netid=8", "--module-link", broken, "--yes"))
    assert said[1].code == 5, said[1].out + said[1].err
    assert leaks(tmp_path, said) == []


def test_a_missing_or_wrong_secret_is_said_before_anything_is_written(
    cli: Run, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = cli("apply", profile, *RADIO, "--yes")
    assert missing.code == 2
    assert "the secret sik_key is not given" in missing.err
    assert "DRONEKIT_CFG_SECRET_SIK_KEY" in missing.err
    monkeypatch.setenv("DRONEKIT_CFG_SECRET_SIK_KEY", "too short to be a key")
    short = cli("apply", profile, *RADIO, "--yes")
    assert short.code == 2
    assert "it takes 32, 48 or 64 hexadecimal digits" in short.err
    assert "too short to be a key" not in short.err
    typed = cli("apply", profile, *RADIO, "--set", f"ENCRYPTION_KEY={NEW}", "--yes")
    assert typed.code == 2
    assert NEW not in typed.err
