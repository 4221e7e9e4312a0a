"""The person at the bench: asked on a terminal, or answered for by --assume; silence is never a yes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from dronekit_cfg.text import t

__all__ = ["PROPS_OFF", "Operator", "nobody"]

PROPS_OFF = "props off"
"""What the operator types before a motor turns."""


def nobody(question: str, seconds: float) -> str | None:
    """Answer for a bench with no person: never."""
    del question, seconds
    return None


@dataclass(frozen=True, slots=True)
class Operator:
    """`ask` puts a question and gives what was typed, or None after so many seconds.

    `assumed` is what an unattended bench promises: "sky", "props-off", "operator" (steps are done by a machine),
    "reboot" (the vehicle may be rebooted).
    """

    ask: Callable[[str, float], str | None] = nobody
    assumed: frozenset[str] = frozenset()
    attended: bool = False

    def has(self, need: str, granted: Collection[str] = ()) -> bool:
        """Whether a need can be met without asking."""
        return need in self.assumed or need in granted

    def done(self, question: str, seconds: float = 60.0) -> bool:
        """Ask for a step to be done; only an Enter (or "y") within the time is a yes."""
        if "operator" in self.assumed:
            return True
        answer = self.ask(t("{question} Then press Enter (s skips).", question=question), seconds)
        return answer is not None and answer.strip().lower() in {"", "y", "yes"}

    def props_are_off(self, seconds: float = 60.0, *, warning: str = "") -> bool:
        """Have the operator type that the props are off; anything else, or silence, is a no. `warning` comes first."""
        if "props-off" in self.assumed:
            return True
        question = t('Motors will turn. Take all propellers off and type "{words}".', words=PROPS_OFF)
        answer = self.ask(f"{warning} {question}".strip(), seconds)
        return answer is not None and answer.strip().lower() == PROPS_OFF
