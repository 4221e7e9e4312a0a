"""Firmware versions compare by their numbers."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from dronekit_cfg.rules.version import parse_specifier, release, within


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("4.5.6", (4, 5, 6)),
        ("4.7.0.dev0", (4, 7, 0)),
        ("4.7.0-dev", (4, 7, 0)),
        ("v1.16.0", (1, 16, 0)),
        ("2026.12.0-alpha", (2026, 12, 0)),
        ("", None),
        ("unknown", None),
    ],
)
def test_a_version_is_its_numbers(text: str, numbers: tuple[int, ...] | None) -> None:
    assert release(text) == numbers


@pytest.mark.parametrize(
    "specifier", [">=4.5,<4.8", "==4.5.0", "!=4.5", ">4.5.6", "<=2025.12", ">= 4.6 , < 4.10", "<4.6.0"]
)
@pytest.mark.parametrize("version", ["4.5", "4.5.0", "4.5.6", "4.6", "4.7.3", "4.10", "2025.12.6", "2026.6"])
def test_ranges_of_release_versions_are_those_of_pep_440(specifier: str, version: str) -> None:
    numbers = release(version)
    assert numbers is not None
    assert within(numbers, specifier) is SpecifierSet(specifier).contains(version)


def test_a_development_version_counts_as_its_release() -> None:
    numbers = release("4.7.0.dev0")
    assert numbers is not None
    assert within(numbers, ">=4.7")


def test_an_empty_range_holds_every_version() -> None:
    assert within((1,), "")


@pytest.mark.parametrize("text", ["4.5", "~=4.5", ">=4.x", ">=4.5,", "==4.5.*", "newest"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version range"):
        parse_specifier(text)
