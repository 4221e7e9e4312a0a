"""A run of checks or scenarios as data for machines. Numbers that JSON cannot carry (infinite, unknown) are null."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from dronekit_cfg.model.checked import Measure, Result, RunResult

__all__ = ["run_data"]


def run_data(run: RunResult, *, series: bool = False) -> dict[str, Any]:
    """Give the run as JSON-ready data; `series` adds the samples of all plots."""
    return {
        "suite": run.suite,
        "title": run.title,
        "verdict": str(run.verdict),
        "started": run.started,
        "seconds": round(run.seconds, 3),
        "tool": run.tool,
        "link": run.link,
        "profile": run.profile,
        "profile_digest": run.profile_digest,
        "identity": asdict(run.identity) if run.identity else None,
        "results": [_result(r, series) for r in run.results],
    }


def _result(result: Result, series: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": result.name,
        "title": result.title,
        "verdict": str(result.verdict),
        "reason": result.reason,
        "remedy": result.remedy,
        "about": result.about,
        "seconds": round(result.seconds, 3),
        "measures": [_measure(m) for m in result.measures],
        "notes": list(result.notes),
        "marks": [asdict(m) for m in result.marks],
        "modes": [asdict(b) for b in result.bands],
        "files": list(result.files),
    }
    if result.base:
        data["scenario"] = result.base
    if result.seed is not None:
        data |= {"seed": result.seed, "drawn": dict(result.drawn)}
    if result.subject is not None:
        data["subject"] = asdict(result.subject)
    if result.differs is not None:
        data["differs"] = [asdict(d) for d in result.differs]
    if series:
        data["series"] = [asdict(s) for s in result.series]
    return data


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "value": _finite(measure.value),
        "unit": measure.unit,
        "low": _finite(measure.low),
        "high": _finite(measure.high),
        "ok": measure.ok,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
