"""A writer of HTML and SVG that escapes everything it is given: texts in reports come from vehicles and files."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "el"]


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


_EMPTY = frozenset({"br", "meta", "line", "rect", "path", "circle"})


def el(tag: str, /, *children: str | None, **attributes: object) -> Markup:
    """Give an element. Children that are not Markup are escaped; None is left out; `class_` is the class attribute."""
    inner = "".join(c if isinstance(c, Markup) else escape(c) for c in children if c is not None)
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY and not inner:
        return Markup(f"<{tag}{given}/>" if tag not in ("br", "meta") else f"<{tag}{given}>")
    return Markup(f"<{tag}{given}>{inner}</{tag}>")
