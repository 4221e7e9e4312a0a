"""Suites: which checks run, with which parameters. YAML of the user or shipped ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.hil.check import Check, Parameter
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.documents import read_document
from dronekit_cfg.text import t

__all__ = ["Suite", "SuiteEntry", "find_suite", "known_suite", "load_suite", "quantity", "shipped_suites"]

DEFAULT_SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """One check of a suite with all its parameters."""

    check: Check
    params: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite; `seconds` is the length of the one window in which all passive checks watch."""

    name: str
    title: str
    family: str
    seconds: float
    entries: tuple[SuiteEntry, ...]
    about: str = ""


def shipped_suites() -> Mapping[str, Mapping[str, Path]]:
    """Give the shipped suites by family, then by name: `hil/NAME.yaml` for ArduPilot, `hil/FAMILY/NAME.yaml` else."""
    folder = shipped("hil")
    places = {"ardupilot": folder, **{family: folder / family for family in ("px4", "betaflight", "inav")}}
    return {family: {path.stem: path for path in sorted(place.glob("*.yaml"))} for family, place in places.items()}


def find_suite(name: str, family: str = "ardupilot") -> Suite:
    """Load the suite of a family by its name, or by the path of a file. Raises UsageError, FileProblems."""
    known = shipped_suites()
    if path := known.get(family, {}).get(name):
        return load_suite(path)
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.exists():
        return load_suite(path)
    others = [other for other, suites in known.items() if name in suites]
    if others:
        raise UsageError(
            t("there is no suite {name!r} for {family}", name=name, family=family),
            hint=t(
                "it is for {others}; for {family} there are: {names}",
                others=", ".join(others),
                family=family,
                names=", ".join(known.get(family, ())) or t("none"),
            ),
        )
    names = dict.fromkeys(suite for suites in known.values() for suite in suites)
    raise UsageError(
        t("there is no suite {name!r}", name=name),
        hint=did_you_mean(name, names, otherwise=t("there are {names}, or give a file", names=", ".join(names))),
    )


def known_suite(name: str) -> None:
    """Refuse a name that no family has, before a vehicle is opened. Raises UsageError, FileProblems for a bad file."""
    if not any(name in suites for suites in shipped_suites().values()):
        find_suite(name)


def load_suite(path: Path) -> Suite:
    """Load a suite file. Raises FileProblems with every mistake's place, UsageError when it cannot be read."""
    document = read_document(path, "suite.v1")
    data = document.data
    entries: list[SuiteEntry] = []
    problems: list[Problem] = []

    def wrong(place: tuple[str | int, ...], error: UsageError) -> None:
        line, column = document.where(place)
        problems.append(Problem(str(path), line, column, error.message, error.hint))

    for i, item in enumerate(data["checks"]):
        place: tuple[str | int, ...] = ("checks", i)
        name, given = (item, {}) if isinstance(item, str) else (item["check"], item.get("with", {}))
        try:
            check = _once(find_check(name, data["family"]), entries)
        except UsageError as error:
            wrong(place, error)
            continue
        by_name = {p.name: p for p in check.parameters}
        params = check.params({})
        found = len(problems)
        for key, value in given.items():
            try:
                params |= check.params({key: quantity(value, by_name.get(key))}, only=True)
            except UsageError as error:
                wrong((*place, "with", key), error)
        try:
            if found == len(problems):
                _can_pass(check, params)
        except UsageError as error:
            wrong(place, error)
        entries.append(SuiteEntry(check, params))
    if problems:
        raise FileProblems(tuple(problems))
    return Suite(
        data["name"],
        data.get("title", data["name"]),
        data["family"],
        float(data.get("seconds", DEFAULT_SECONDS)),
        tuple(entries),
        data.get("about", ""),
    )


def _once(check: Check, entries: Sequence[SuiteEntry]) -> Check:
    """Give a check that is not among the entries yet. Raises UsageError."""
    if any(e.check is check for e in entries):
        raise UsageError(t("{name} stands here twice", name=check.name), hint=t("leave one of the two out"))
    return check


def quantity(value: float | str, parameter: Parameter | None) -> float:
    """Read a number, or a text with a number and the parameter's unit. Raises UsageError for another unit."""
    if not isinstance(value, str):
        return float(value)
    number, _, unit = value.strip().partition(" ")
    try:
        read = float(number)
    except ValueError:
        raise UsageError(t("{value!r} is no number", value=value), hint=t('write 2 or "2 deg"')) from None
    if parameter is not None and not parameter.unit and unit.strip():
        raise UsageError(
            t("{name} has no unit, and {wrong!r} stands behind it", name=parameter.name, wrong=unit.strip()),
            hint=t("write the number alone"),
        )
    if parameter is not None and unit.strip() != parameter.unit:
        raise UsageError(
            t("{name} is in {right}, not in {wrong!r}", name=parameter.name, right=parameter.unit, wrong=unit.strip()),
            hint=t("convert the number, and write {unit} behind it or nothing", unit=parameter.unit),
        )
    return read


def _can_pass(check: Check, params: Mapping[str, float]) -> None:
    """Refuse limits that leave no room between them."""
    for name, low in params.items():
        if name.endswith("low"):
            high_name = name[: -len("low")] + "high"
            if high_name in params and params[high_name] <= low:
                raise UsageError(
                    t(
                        "{check} could never pass: {a} {low:g} is not below {b} {high:g}",
                        check=check.name,
                        a=name,
                        low=low,
                        b=high_name,
                        high=params[high_name],
                    ),
                    hint=t("leave room between the two"),
                )
