"""Firmware ranges as people write them."""

from __future__ import annotations

import pytest

from dronekit_cfg.formats.firmware import allows, intersect, range_error


@pytest.mark.parametrize(
    ("text", "version", "allowed"),
    [
        (">=4.5,<4.8", "4.5.0", True),
        (">=4.5,<4.8", "4.7.9", True),
        (">=4.5,<4.8", "4.8.0", False),
        (">=4.5,<4.8", "4.4.4", False),
        (">=4.7", "4.7.0.dev0", True),
        ("<4.7", "4.7.0.dev0", False),
        (">=4.6", "4.6.0b2", True),
        ("==4.6.*", "4.6.3", True),
        ("", "1.0", True),
    ],
)
def test_a_version_is_in_a_range_or_not(text: str, version: str, allowed: bool) -> None:
    assert allows(text, version) is allowed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (">=4.5,<4.8", ""),
        ("4.5", "not a version range"),
        ("newer than 4.5", "not a version range"),
        (">4.5,<4.5", "no version is in the range"),
        ("===4.5", "not supported"),
    ],
)
def test_what_is_no_range_is_said(text: str, words: str) -> None:
    assert words in range_error(text)
    assert bool(words) == bool(range_error(text))


def test_ranges_are_intersected_and_repeat_nothing() -> None:
    assert intersect(["", ">=4.5", ">=4.5,<4.8"]) == ">=4.5,<4.8"
    assert intersect([]) == ""
    assert intersect(["<4.5", ">=4.5"]) is None
