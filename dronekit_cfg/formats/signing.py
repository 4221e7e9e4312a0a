"""Signed locks: who vouches for a configuration, and that not a byte of it was changed since.

A signature is a DSSE envelope (Dead Simple Signing Envelope v1, secure-systems-lab/dsse) whose payload is the lock as
canonical JSON (RFC 8785), signed with Ed25519 (RFC 8032) over the pre-authentication encoding. It lies beside the lock
(`x.lock.json.sig`) or stands alone: the payload is the whole lock. Key ids are the SHA-256 of the raw public key.
`cryptography` and `rfc8785` come with the extra `dronekit-cfg[sign]` and are imported when needed; the tests check the
envelopes with `securesystemslib`, which is not ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.lock import load_lock
from dronekit_cfg.formats.machine_json import sealed_text
from dronekit_cfg.model import Resolved
from dronekit_cfg.text import t

__all__ = [
    "PAYLOAD_TYPE",
    "Signed",
    "canonical_json",
    "key_id",
    "library",
    "sign_lock",
    "verify_envelope",
    "verify_lock",
]

PAYLOAD_TYPE = "application/vnd.dronekit-cfg.lock.v1+json"
_ENVELOPE_KEYS = {"payload", "payloadType", "signatures"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A lock whose signature holds: the profile, and the names of the keys (of the key ring) that signed it."""

    resolved: Resolved
    signers: tuple[str, ...]


def library(name: str) -> Any:
    """Import a library of the extra `sign`. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = t("signing needs {name}, which is not installed", name=name.partition(".")[0])
        raise UsageError(message, hint=t('install it with: pip install "dronekit-cfg[sign]"')) from error


def canonical_json(data: Any) -> bytes:
    """Give RFC 8785 canonical JSON. Raises UsageError for numbers that it cannot hold."""
    rfc8785 = library("rfc8785")
    try:
        encoded: bytes = rfc8785.dumps(data)
    except rfc8785.CanonicalizationError as error:
        raise UsageError(t("this cannot be signed: {why}", why=error), hint=t("use smaller numbers")) from error
    return encoded


def _encoding(payload_type: str, payload: bytes) -> bytes:
    """Give what is signed: the pre-authentication encoding of DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_lock(text: str, private_key: bytes, *, file: str = "lock") -> str:
    """Sign the text of a lock with a raw Ed25519 private key (32 bytes) and give the envelope.

    Raises FileProblems when the lock is damaged.
    """
    load_lock(text, file)
    payload = canonical_json(json.loads(text))
    ed25519 = library("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(private_key)
    signature = {
        "keyid": key_id(key.public_key().public_bytes_raw()),
        "sig": _b64(key.sign(_encoding(PAYLOAD_TYPE, payload))),
    }
    envelope = {"payload": _b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    return json.dumps(envelope, indent=1) + "\n"


def key_id(public_key: bytes) -> str:
    """Give the id of a raw public key."""
    return hashlib.sha256(public_key).hexdigest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def verify_lock(lock: str, envelope: str, keyring: Mapping[str, bytes], *, file: str = "lock") -> Signed:
    """Check that `envelope` signs exactly this lock. `keyring` maps names to raw public keys.

    Raises FileProblems for tampering, an unknown signer, and an envelope of another lock.
    """
    signed = verify_envelope(envelope, keyring, file=file)
    load_lock(lock, file.removesuffix(".sig"))
    if canonical_json(json.loads(lock)) != _payload(_parse(envelope, file), file):
        _refuse(
            file, t("the signature is that of another lock"), t("use the lock and the signature that belong together")
        )
    return signed


def verify_envelope(envelope: str, keyring: Mapping[str, bytes], *, file: str = "signature") -> Signed:
    """Check a signature and give the profile that it carries. Raises FileProblems; nothing unsigned gets through."""
    data = _parse(envelope, file)
    payload = _payload(data, file)
    encoding = _encoding(data["payloadType"], payload)
    signers = tuple(_signers(data["signatures"], encoding, keyring))
    if not signers:
        known = {key_id(key) for key in keyring.values()}
        ids = [str(s.get("keyid", ""))[:16] for s in data["signatures"] if s.get("keyid") not in known]
        if len(ids) == len(data["signatures"]):
            message = t("the signer is not in the key ring (key {ids})", ids=", ".join(ids))
            _refuse(file, message, t("add the public key of somebody you trust, or have the profile signed by one"))
        hint = t("use an undamaged copy, or have the profile signed again")
        _refuse(file, t("the signature does not fit: the profile or its signature was changed"), hint)
    return Signed(load_lock(_lock_text(payload, file), file), signers)


def _lock_text(payload: bytes, file: str) -> str:
    """Give the lock of a payload in its usual layout."""
    try:
        data = json.loads(payload)
        body = {k: v for k, v in data.items() if k != "seal"}
        text = sealed_text({"format": body.pop("format"), **body})
    except (ValueError, AttributeError, KeyError):
        _refuse(file, t("what was signed is not a lock"), t("sign a lock: profile lock, then profile sign"))
    if json.loads(text)["seal"] != data.get("seal"):
        _refuse(file, t("what was signed is a damaged lock"), t("make the lock again, and sign it again"))
    return text


def _signers(signatures: Iterable[Mapping[str, Any]], encoding: bytes, keyring: Mapping[str, bytes]) -> Iterable[str]:
    """Give the names of the keys of the ring that signed; a key id only says which key to try."""
    ed25519 = library("cryptography.hazmat.primitives.asymmetric.ed25519")
    invalid = library("cryptography.exceptions").InvalidSignature
    by_id = {key_id(key): (name, key) for name, key in keyring.items()}
    for signature in signatures:
        found = by_id.get(str(signature.get("keyid", "")))
        if found is None:
            continue
        try:
            raw = base64.b64decode(str(signature.get("sig", "")), validate=True)
            ed25519.Ed25519PublicKey.from_public_bytes(found[1]).verify(raw, encoding)
        except (invalid, binascii.Error, ValueError):
            continue
        yield found[0]


def _parse(envelope: str, file: str) -> dict[str, Any]:
    hint = t("name the file that `profile sign` wrote")
    try:
        data = json.loads(envelope)
    except ValueError:
        _refuse(file, t("this is not a signature file"), hint)
    signatures = data.get("signatures") if isinstance(data, dict) else None
    shaped = (
        isinstance(data, dict)
        and set(data) == _ENVELOPE_KEYS
        and isinstance(data["payload"], str)
        and isinstance(signatures, list)
        and signatures
        and all(isinstance(s, dict) for s in signatures)
    )
    if not shaped:
        _refuse(file, t("this is not a signature file"), hint)
    if data["payloadType"] != PAYLOAD_TYPE:
        _refuse(file, t("this signs something else: {kind}", kind=str(data["payloadType"])[:60]), hint)
    return dict(data)


def _payload(data: Mapping[str, Any], file: str) -> bytes:
    try:
        return base64.b64decode(data["payload"], validate=True)
    except (binascii.Error, ValueError):
        _refuse(file, t("the signature file is damaged"), t("use an undamaged copy"))


def _refuse(file: str, message: str, hint: str) -> NoReturn:
    raise FileProblems((Problem(file, 0, 0, message, hint),))
