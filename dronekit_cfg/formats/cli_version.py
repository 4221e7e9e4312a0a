"""Version texts of Betaflight and INAV as PEP 440 versions."""

from __future__ import annotations

import re

__all__ = ["pep440"]

_TEXT = re.compile(r"(\d+(?:\.\d+)*)(?:-?(alpha|beta|rc|a|b)[.-]?(\d*))?", re.IGNORECASE)
_STAGE = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "rc": "rc"}


def pep440(text: str) -> str:
    """Give "2026.12.0-alpha" as "2026.12.0a0", "4.5.0-RC2" as "4.5.0rc2", "4.5.1" as it is.

    Raises ValueError for a text that holds no version.
    """
    match = _TEXT.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no version")
    numbers, stage, count = match.groups()
    return f"{numbers}{_STAGE[stage.lower()]}{count or 0}" if stage else str(numbers)
