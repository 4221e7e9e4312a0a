"""Where secrets come from: the environment and a file that only its owner can read. They go nowhere from here."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, StateError, UsageError
from dronekit_cfg.formats.files import lines_of, read_text
from dronekit_cfg.model import Vault
from dronekit_cfg.text import t

__all__ = ["PREFIX", "load_vault", "read_secrets"]

PREFIX = "DRONEKIT_CFG_SECRET_"
_LINE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]{0,39})\s*=(.*)")
_KEY_BYTES = 32


def load_vault(root: Path, file: Path | None = None, environment: Mapping[str, str] | None = None) -> Vault:
    """Give the vault of this run: secrets of `file`, then those of the environment, which win.

    `root` is the state folder, where the key of the fingerprints lives; it is made when the first one is needed.
    Raises UsageError and FileProblems for a file that others can read or that is no secrets file.
    """
    found = read_secrets(file) if file is not None else {}
    for name, text in (os.environ if environment is None else environment).items():
        if name.startswith(PREFIX) and len(name) > len(PREFIX):
            found[name.removeprefix(PREFIX).lower()] = text
    return Vault(found, lambda: _key(root / "secrets.key"))


def read_secrets(file: Path) -> dict[str, str]:
    """Read lines `NAME=text`; everything after the `=` is the text, blanks included. `#` begins a remark line.

    Raises UsageError when others than its owner may read it (where the platform knows modes), FileProblems for a line
    that is neither; no message shows the line.
    """
    if os.name == "posix" and file.is_file() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            t("the secrets file {file} can be read by others", file=file), hint=t("run: chmod 600 {file}", file=file)
        )
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines_of(read_text(file)), 1):
        match = _LINE.fullmatch(line)
        if match:
            found[match[1]] = match[2]
        elif line.strip() and not line.lstrip().startswith("#"):
            message = t("this line is not NAME=text")
            problems.append(Problem(str(file), number, 1, message, t("write one secret a line: sik_key=...")))
    if problems:
        raise FileProblems(tuple(problems))
    return found


def _key(path: Path) -> bytes:
    """Give the key of the fingerprints, made on first use. Raises StateError."""
    import secrets

    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            spare = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
            handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was quicker: its key counts
                os.link(spare, path)
            spare.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise StateError(
            t("cannot use {path}: {error}", path=path, error=error),
            hint=t("make the state folder writable, or name another one with --state-dir"),
        ) from error
    if len(key) != _KEY_BYTES:
        raise StateError(
            t("{path} is damaged", path=path),
            hint=t("remove it; secrets in older snapshots and receipts can then not be compared any more"),
        )
    return key
