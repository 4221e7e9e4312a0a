"""Key files for signing profiles: Ed25519 keys as PEM, and key rings of public keys that are trusted.

A private key is PKCS #8 PEM, readable by its owner only; one that others can read is refused, as ssh does. A public key
is SubjectPublicKeyInfo PEM. A key ring is a folder of `.pub` files (the name of the file is the name of the signer),
or one such file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import StateError, UsageError
from dronekit_cfg.formats.files import read_bytes, write_atomic
from dronekit_cfg.formats.signing import library
from dronekit_cfg.text import t

__all__ = ["generate_key", "load_keyring", "load_private_key", "load_public_key"]

_SERIALIZATION = "cryptography.hazmat.primitives.serialization"
_ED25519 = "cryptography.hazmat.primitives.asymmetric.ed25519"


def generate_key(path: Path) -> Path:
    """Make a key pair: `path` (private, for its owner only) and `path` + ".pub"; give the latter.

    Raises StateError when a file is there already or cannot be written.
    """
    public = path.with_name(path.name + ".pub")
    for file in (path, public):
        if file.exists():
            message = t("{file} is there already, and a key is never written over", file=file)
            raise StateError(message, hint=t("choose another name"))
    serialization = library(_SERIALIZATION)
    key = library(_ED25519).Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_private(path, pem)
    write_atomic(
        public,
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    return public


def _write_private(path: Path, pem: bytes) -> None:
    """Write a file that nobody else could read at any time."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StateError(
            t("cannot write {path}: {why}", path=path, why=error.strerror or error),
            hint=t("choose another folder or change its permissions"),
        ) from error


def load_private_key(path: Path) -> bytes:
    """Read a private key as its 32 raw bytes. Raises UsageError when others can read the file, or it is no such key."""
    pem = read_bytes(path, limit=10_000)
    _refuse_shared(path)
    serialization = library(_SERIALIZATION)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, library("cryptography.exceptions").UnsupportedAlgorithm) as error:
        raise _not_a_key(path, t("private")) from error
    if not isinstance(key, library(_ED25519).Ed25519PrivateKey):
        raise _not_a_key(path, t("private"))
    raw: bytes = key.private_bytes_raw()
    return raw


def _refuse_shared(path: Path) -> None:
    """Refuse a key that others can read. Windows keeps access in lists that these bits do not show."""
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            t("others can read the private key {path}", path=path),
            hint=t("take their access away: chmod 600 {path}", path=path),
        )


def load_public_key(path: Path) -> bytes:
    """Read a public key as its 32 raw bytes. Raises UsageError when the file is no such key."""
    pem = read_bytes(path, limit=10_000)
    if b"PRIVATE KEY" in pem:
        message = t("{path} is a private key", path=path)
        raise UsageError(message, hint=t("a key ring holds public keys (.pub); keep the private key to yourself"))
    try:
        key: Any = library(_SERIALIZATION).load_pem_public_key(pem)
    except (ValueError, library("cryptography.exceptions").UnsupportedAlgorithm) as error:
        raise _not_a_key(path, t("public")) from error
    if not isinstance(key, library(_ED25519).Ed25519PublicKey):
        raise _not_a_key(path, t("public"))
    raw: bytes = key.public_bytes_raw()
    return raw


def load_keyring(path: Path) -> dict[str, bytes]:
    """Read a key ring: names and raw public keys. Raises UsageError when there is no key in it."""
    files = sorted(path.glob("*.pub")) if path.is_dir() else [path]
    if not files:
        raise UsageError(
            t("there is no public key (.pub) in {path}", path=path),
            hint=t("copy the .pub files of those you trust into it"),
        )
    return {file.stem: load_public_key(file) for file in files}


def _not_a_key(path: Path, kind: str) -> UsageError:
    message = t("{path} is not an Ed25519 {kind} key", path=path, kind=kind)
    return UsageError(message, hint=t("make one with: dronekit-cfg keys generate FILE"))
