"""Signed locks: an independent reader accepts them, and nothing that was touched gets through."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="signing needs the extra dronekit-cfg[sign]")
pytest.importorskip("rfc8785", reason="signing needs the extra dronekit-cfg[sign]")

from dronekit_cfg.errors import DronekitError, FileProblems, StateError, UsageError
from dronekit_cfg.formats import signing
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.keys import generate_key, load_keyring, load_private_key, load_public_key
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import lock_text
from dronekit_cfg.formats.signing import canonical_json, sign_lock, verify_envelope, verify_lock


@pytest.fixture(scope="module")
def lock() -> str:
    return lock_text(resolve("fpv-7in+gnss-resilient", Library(), family="ardupilot", inputs={"cells": "6"}))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "workshop"
    generate_key(path)
    return path


@pytest.fixture(scope="module")
def ring(key: Path) -> dict[str, bytes]:
    return load_keyring(key.parent)


@pytest.fixture(scope="module")
def envelope(lock: str, key: Path) -> str:
    return sign_lock(lock, load_private_key(key))


def test_a_signed_lock_is_the_profile_that_was_signed(lock: str, envelope: str, ring: dict[str, bytes]) -> None:
    for signed in (verify_lock(lock, envelope, ring), verify_envelope(envelope, ring)):
        assert signed.signers == ("workshop",)
        assert signed.resolved.digest == json.loads(lock)["digest"]
        assert {w.name: w.value for w in signed.resolved.settings} == {
            n: s["value"] for n, s in json.loads(lock)["settings"].items()
        }


def test_an_independent_reader_accepts_the_envelope(envelope: str, key: Path) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="the independent reader is not installed")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = json.loads(envelope)
    public: Any = load_pem_public_key((key.parent / "workshop.pub").read_bytes())
    keys: Any = pytest.importorskip("securesystemslib.signer", reason="the independent reader is not installed")
    trusted = keys.SSlibKey.from_crypto(public, keyid=data["signatures"][0]["keyid"])
    found = dsse.Envelope.from_dict(data)
    assert found.verify([trusted], 1)


def test_the_payload_is_canonical_json_as_rfc_8785_gives_it() -> None:
    # RFC 8785 section 3.2.2 and 3.2.3: shortest numbers, sorted keys, no spaces
    given = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001], "a": "\u20ac$"}
    assert canonical_json(given) == '{"a":"€$","numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'.encode()


def test_the_signed_text_is_the_one_of_the_dsse_specification() -> None:
    # the example of the protocol's own page: secure-systems-lab/dsse, protocol.md
    assert signing._encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def _flip(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice([c for c in "abcXYZ019+/{" if c != text[at]]) + text[at + 1 :]


def _value(rng: random.Random, data: dict[str, Any]) -> None:
    payload = json.loads(base64.b64decode(data["payload"]))
    name = rng.choice(list(payload["settings"]))
    payload["settings"][name]["value"] = rng.randrange(1, 10**6) + 0.5
    data["payload"] = base64.b64encode(canonical_json(payload)).decode()


def _keyid(rng: random.Random, data: dict[str, Any]) -> None:
    data["signatures"][0]["keyid"] = f"{rng.getrandbits(256):064x}"


def _signature(rng: random.Random, data: dict[str, Any]) -> None:
    raw = bytearray(base64.b64decode(data["signatures"][0]["sig"]))
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    data["signatures"][0]["sig"] = base64.b64encode(bytes(raw)).decode()


def _type(rng: random.Random, data: dict[str, Any]) -> None:
    data["payloadType"] = _flip(rng, data["payloadType"])


def _none(rng: random.Random, data: dict[str, Any]) -> None:
    data["signatures"] = rng.choice([[], [{}], [{"keyid": data["signatures"][0]["keyid"]}], None])


def _payload(rng: random.Random, data: dict[str, Any]) -> None:
    data["payload"] = _flip(rng, data["payload"])


TAMPERINGS: tuple[Callable[[random.Random, dict[str, Any]], None], ...] = (
    _value,
    _keyid,
    _signature,
    _type,
    _none,
    _payload,
)


@pytest.mark.parametrize("seed", range(120))
def test_every_tampering_is_refused(seed: int, envelope: str, ring: dict[str, bytes]) -> None:
    rng = random.Random(seed)
    data = json.loads(envelope)
    TAMPERINGS[seed % len(TAMPERINGS)](rng, data)
    with pytest.raises(FileProblems) as caught:
        verify_envelope(json.dumps(data), ring)
    assert caught.value.problems[0].hint


@pytest.mark.parametrize("seed", range(60))
def test_any_other_character_in_the_lock_is_refused(
    seed: int, lock: str, envelope: str, ring: dict[str, bytes]
) -> None:
    rng = random.Random(seed)
    with pytest.raises(DronekitError):
        verify_lock(_flip(rng, lock), envelope, ring)


def test_a_signature_of_another_lock_is_refused(envelope: str, ring: dict[str, bytes]) -> None:
    other = lock_text(resolve("fpv-7in", Library(), family="ardupilot", inputs={"cells": "6"}))
    with pytest.raises(FileProblems, match="that of another lock"):
        verify_lock(other, envelope, ring)


def test_a_signer_that_nobody_knows_is_refused(lock: str, ring: dict[str, bytes], tmp_path: Path) -> None:
    generate_key(tmp_path / "stranger")
    foreign = sign_lock(lock, load_private_key(tmp_path / "stranger"))
    with pytest.raises(FileProblems, match="not in the key ring"):
        verify_envelope(foreign, ring)
    data = json.loads(foreign)
    data["signatures"][0]["keyid"] = signing.key_id(ring["workshop"])  # pretends to be ours
    with pytest.raises(FileProblems, match="does not fit"):
        verify_envelope(json.dumps(data), ring)


def test_a_key_file_that_others_can_read_is_refused(key: Path, tmp_path: Path) -> None:
    import os

    if os.name != "posix":
        pytest.skip("file modes are those of POSIX systems")
    assert key.stat().st_mode & 0o777 == 0o600
    loose = tmp_path / "loose"
    loose.write_bytes(key.read_bytes())
    for mode in (0o644, 0o640, 0o604, 0o620):
        loose.chmod(mode)
        with pytest.raises(UsageError, match="others can read") as caught:
            load_private_key(loose)
        assert "chmod 600" in caught.value.hint
    loose.chmod(0o400)
    assert load_private_key(loose) == load_private_key(key)


def test_a_key_is_never_written_over(key: Path) -> None:
    before = key.read_bytes()
    with pytest.raises(StateError, match="is there already"):
        generate_key(key)
    assert key.read_bytes() == before


def test_what_is_no_key_is_refused(key: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pub"
    bad.write_text("ssh-ed25519 AAAA")
    bad.chmod(0o600)
    with pytest.raises(UsageError, match="not an Ed25519 public key"):
        load_public_key(bad)
    with pytest.raises(UsageError, match="not an Ed25519 private key"):
        load_private_key(bad)
    with pytest.raises(UsageError, match="is a private key"):
        load_public_key(key)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no public key"):
        load_keyring(tmp_path / "empty")


def test_signing_without_its_libraries_says_what_to_install() -> None:
    with pytest.raises(UsageError, match="not installed") as caught:
        signing.library("no_such_library_at_all")
    assert "dronekit-cfg[sign]" in caught.value.hint
