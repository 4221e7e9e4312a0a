"""What a check is: what it watches, its parameters with units, and the judge that turns evidence into an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.evidence import Evidence
from dronekit_cfg.model.checked import Outcome
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.hil.bench import Bench

__all__ = ["Act", "Check", "Judge", "Needs", "Parameter", "Params"]

Params = Mapping[str, float]
"""Parameters of a check by name, all of them, as the suite set them."""

Judge = Callable[[Evidence, Params], Outcome]
Act = Callable[["Bench", Params], Outcome]


class Needs:
    """What a check may need beyond a link. An unattended bench says which of them it has (--assume)."""

    OPERATOR = "operator"
    PROPS_OFF = "props-off"
    SKY = "sky"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a check: its default, unit, and the range in which it makes sense at all."""

    name: str
    default: float
    unit: str
    meaning: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a vehicle at rest.

    A passive check has a `judge` and says what to watch: message names with the rate in Hz to ask for. All passive
    checks of a suite share one window of observation. An active check has an `act` that does something to the vehicle.
    `explains` are patterns of items ("bit:3D_MAG", "text:Compass*", "flag:*") that come with this check's failure: a
    `residual` check, judged last, does not count them again.
    """

    name: str
    number: str
    title: str
    remedy: str
    families: frozenset[str] = frozenset({"ardupilot"})
    watches: Mapping[str, float] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    explains: tuple[str, ...] = ()
    residual: bool = False
    judge: Judge | None = None
    act: Act | None = None

    def params(self, given: Mapping[str, float], *, only: bool = False) -> dict[str, float]:
        """Give all parameters, `given` over the defaults; with `only`, those given.

        Raises UsageError for unknown ones and senseless values.
        """
        known = {p.name: p for p in self.parameters}
        for name, value in given.items():
            if name not in known:
                raise UsageError(
                    t("check {check} has no parameter {name!r}", check=self.name, name=name),
                    hint=t("its parameters: {names}", names=", ".join(known) or t("none")),
                )
            p = known[name]
            if not p.low <= value <= p.high:
                raise UsageError(
                    t(
                        "check {check}: {name} = {value:g} {unit} makes no sense; {low:g} to {high:g} does",
                        check=self.name,
                        name=name,
                        value=value,
                        unit=p.unit,
                        low=p.low,
                        high=p.high,
                    ),
                    hint=p.meaning,
                )
        return {**({} if only else {p.name: p.default for p in self.parameters}), **given}
