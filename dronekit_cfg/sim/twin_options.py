"""The options of a simulated device, `sim:target?id=2&fresh&seed=7`: read once for all twins.

Every method raises UsageError for a value that cannot be used, with what the option means as the hint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.text import t

__all__ = ["FIRST_ID", "TwinOptions", "check_target"]

FIRST_ID = "1"
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FLAGS = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

T = TypeVar("T")


def check_target(family: str, target: str, known: str) -> None:
    """Refuse any other target than the one that the family simulates."""
    if target != known:
        raise UsageError(
            t("there is no simulated vehicle {target!r} in the family {family}", target=target, family=family),
            hint=t("use sim:{known}", known=known),
        )


class TwinOptions:
    """What was typed behind the `?`, and what may be typed there: names with their meaning."""

    def __init__(self, target: str, given: Mapping[str, str], known: Mapping[str, str]) -> None:
        self._target, self._given, self._known = target, given, known
        if unknown := next((name for name in given if name not in known), None):
            raise UsageError(
                t("sim:{target} has no option {name!r}", target=target, name=unknown),
                hint=t("the options are {known}", known=", ".join(known)),
            )

    def text(self, name: str, default: str = "") -> str:
        """Give an option as it was typed."""
        return self._given.get(name, default)

    def wrong(self, name: str) -> UsageError:
        """Make the error for an option whose value cannot be used."""
        return UsageError(
            t("option {name} of sim:{target} cannot be {value!r}", name=name, target=self._target,
              value=self.text(name)),
            hint=t("{name}: {meaning}", name=name, meaning=self._known[name]),
        )  # fmt: skip

    def choice(self, name: str, default: str, known: Mapping[str, T]) -> T:
        """Give what the word stands for, whatever its case."""
        word = self.text(name, default).lower()
        if word not in known:
            raise self.wrong(name)
        return known[word]

    def whole(self, name: str, default: int, least: int | None = None) -> int:
        """Give a whole number."""
        try:
            number = int(self.text(name, str(default)))
        except ValueError:
            raise self.wrong(name) from None
        if least is not None and number < least:
            raise self.wrong(name)
        return number

    def number(self, name: str, default: float, most: float) -> float:
        """Give a number from 0 to `most`."""
        try:
            number = float(self.text(name, str(default)))
        except ValueError:
            number = -1.0
        if not 0 <= number <= most:
            raise self.wrong(name)
        return number

    @property
    def identifier(self) -> str:
        """Which of several like devices it is."""
        text = self.text("id", FIRST_ID)
        if not _ID.fullmatch(text):
            raise self.wrong("id")
        return text

    @property
    def seed(self) -> int:
        """What random faults and noise begin with."""
        return self.whole("seed", 0)

    def memory(self, state_dir: Path | None, name: str) -> Memory:
        """Give the memory of the device: a file of this name in `state_dir`, or RAM where that is None.

        Raises StateError for a file that cannot be read or written.
        """
        path = None if state_dir is None else state_dir / f"{name}-{self.identifier}.log"
        return Memory(path, fresh=self.choice("fresh", "0", _FLAGS))
