"""The one translation function that every user-facing text goes through (gettext catalogues can follow later)."""

from __future__ import annotations

__all__ = ["t"]


def t(template: str, /, **fields: object) -> str:
    """Translate `template` and fill in its `{fields}`.

    The template is the message id, so it must be a literal. Until catalogues are shipped the text stays English.
    """
    return template.format(**fields) if fields else template
