"""Labels of values and bits: a few words to tell one from another; sentences stay with the vendor."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "short_label"]

LONGEST = 60
"""Longest label that is kept, in characters."""


def short_label(text: str) -> str:
    """Give `text` in one line of at most `LONGEST` characters: without remarks in brackets, the first sentence, cut."""
    text = " ".join(text.split())
    if len(text) > LONGEST:
        text = re.sub(r"\s*\([^)]*\)?", "", text)
        text = re.split(r"\. |: |, ", text)[0]
    if len(text) > LONGEST:
        text = text[: LONGEST - 1].rpartition(" ")[0].rstrip(",;:-") + "…"
    return text.strip()
