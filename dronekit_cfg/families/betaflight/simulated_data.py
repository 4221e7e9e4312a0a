"""Facts about the firmware that a simulated text CLI vehicle is a twin of, as measured on the real simulator.

`twin-<version>.json.gz` beside the family's modules holds what a freshly wiped SITL answered to MSP requests and to
`dump all`, `diff all`, `get`, `version`, `status` and `feature`: names, ranges, labels, values, order.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dronekit_cfg.formats.cli_dump import Dump, parse
from dronekit_cfg.formats.cli_dump_dialect import Dialect, load_dialect
from dronekit_cfg.formats.cli_dump_get import Got, parse_get
from dronekit_cfg.formats.cli_dump_settings import address
from dronekit_cfg.wire.msp import MspDecoder, MspFrame

__all__ = ["TwinData", "load_twin"]


_PROMPT = "\r\n"
"""The line end in front of every prompt; it is no part of a reply."""


@dataclass(frozen=True)
class TwinData:
    """One firmware. `values` is a fresh configuration by setting name, `odd` what its own `diff all` shows of it.

    `facts` are by plain setting name, in the firmware's order; `scopes` tells the scope of each. `msp` maps (number,
    payload) to the reply. `unavailable` are features that this build lacks.
    """

    dialect: Dialect
    dump: Dump
    diff: Dump
    values: Mapping[str, str]
    odd: frozenset[str]
    facts: Mapping[str, Got]
    scopes: Mapping[str, str]
    msp: Mapping[tuple[int, bytes], MspFrame]
    version: str
    status: str
    unavailable: frozenset[str]


@cache
def load_twin(family: str, version: str) -> TwinData:
    """Load the facts of one firmware version that is shipped. Raises FileNotFoundError for another."""
    path = Path(__file__).parents[1] / family / f"twin-{version}.json.gz"
    data = json.loads(gzip.decompress(path.read_bytes()))
    dialect = load_dialect(family)
    cli = data["cli"]
    dump, diff = parse(cli["dump all"].removesuffix(_PROMPT), dialect), parse(cli["diff all"], dialect)
    scopes: dict[str, str] = {}
    for name in dump.settings:
        where = address(name, dialect)
        if where.kind == "set":
            scopes.setdefault(where.base, where.scope)
    return TwinData(
        dialect,
        dump,
        diff,
        dump.settings,
        frozenset(name for name in diff.settings if name not in dialect.scope_names),
        parse_get(cli["get"]),
        scopes,
        {(f.code, f.payload): r for f, r in (_pair(a, b) for a, b in data["msp"].items())},
        cli["version"].removesuffix(_PROMPT),
        cli["status"].removesuffix(_PROMPT),
        frozenset(cli["feature"].partition("Unavailable:")[2].split()),
    )


def _pair(request: str, reply: str) -> tuple[MspFrame, MspFrame]:
    frames = []
    for raw in (request, reply):
        decoder = MspDecoder()
        decoder.receive_data(bytes.fromhex(raw))
        frame = decoder.next_event()
        assert isinstance(frame, MspFrame)
        frames.append(frame)
    return frames[0], frames[1]
