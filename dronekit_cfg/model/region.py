"""Where something transmits: the words of `region:` and `--region`, and which of them are about which radio.

A word names a place and mostly a band (EU868, EU2G4). What is legal there, the rules say (pack `links`, rules that are
law). An aircraft with radios in two bands names both: "EU868,EU2G4".
"""

from __future__ import annotations

from collections.abc import Mapping

from dronekit_cfg.text import t

__all__ = ["REGIONS", "UNSET", "joined", "parse_region", "regions_of"]

UNSET = "unset"
_SUB, _HIGH = "below 1 GHz", "2.4 GHz"

REGIONS: Mapping[str, tuple[str, frozenset[str]]] = {
    "EU868": ("EU", frozenset({_SUB})),
    "EU2G4": ("EU", frozenset({_HIGH})),
    "US915": ("US", frozenset({_SUB})),
    "US2G4": ("US", frozenset({_HIGH})),
    "AU915": ("AU", frozenset({_SUB})),
    "JP": ("JP", frozenset({_SUB, _HIGH})),
}
"""Each word with its place and its bands."""

_HIGH_DOMAINS = ("2G4", "CE_LBT", "2400")
"""Parts of the names of ExpressLRS regulatory domains that are on 2.4 GHz (FHSS.cpp: ISM2G4, CE_LBT)."""


def parse_region(text: str) -> tuple[str, ...]:
    """Give the words of a region, () for "" and "unset". ValueError says what is wrong: a word, or two places."""
    words = tuple(dict.fromkeys(w.strip() for w in text.split(",") if w.strip() and w.strip() != UNSET))
    unknown = next((w for w in words if w not in REGIONS), None)
    if unknown is not None:
        known = ", ".join([*REGIONS, UNSET])
        raise ValueError(t("{word} is no region; there are {known}", word=unknown, known=known))
    places = {REGIONS[w][0] for w in words}
    if len(places) > 1:
        raise ValueError(t("{words} are not of one place", words=", ".join(words)))
    return words


def joined(first: str, second: str) -> str:
    """Give the region of two that were said, of which the second counts. ValueError when they are of two places.

    So nobody escapes the limits of a profile by naming another country on the command line.
    """
    words = parse_region(f"{first},{second}")
    return ",".join(parse_region(second) or words)


def regions_of(family: str, region: str, domain: str = "") -> tuple[str, ...]:
    """Give the words whose limits hold for a radio; all of them hold.

    A SiK radio is below 1 GHz. The band of an ExpressLRS module follows from its regulatory `domain`; without one, it
    may be in any band that was named. Where only another band of that place was named, its own band of it is meant.
    """
    words = parse_region(region)
    band = _SUB if family == "sik" else ""
    if family == "elrs" and domain:
        band = _HIGH if any(part in domain.upper() for part in _HIGH_DOMAINS) else _SUB
    if not band or not words:
        return words
    place = REGIONS[words[0]][0]
    return tuple(w for w in words if band in REGIONS[w][1]) or tuple(
        w for w, (its, bands) in REGIONS.items() if its == place and band in bands
    )
