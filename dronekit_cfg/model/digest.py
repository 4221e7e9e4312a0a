"""Digests of plain data: SHA-256 over canonical JSON."""

from __future__ import annotations

import hashlib
import json

__all__ = ["digest"]


def digest(data: object) -> str:
    """Give `sha256:<hex>` of `data` (dicts, lists, strings, numbers, None) in canonical JSON.

    Canonical means sorted keys, no spaces, no NaN. Raises ValueError on NaN and TypeError on other objects.
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
