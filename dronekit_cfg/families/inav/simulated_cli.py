"""The command line of the simulated INAV, where it differs from Betaflight's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dronekit_cfg.families.betaflight.simulated_cli import EOL, BetaflightCli, Leaving
from dronekit_cfg.formats.cli_dump_get import Got

__all__ = ["InavCli", "as_inav_prints"]

_NUMBER = re.compile(r"[0-9.+-]+")


class InavCli(BetaflightCli):
    """INAV's own ways: other error texts, floats with three decimals, texts in capitals and without a reply.

    Selecting another profile stores everything at once. `batch end` or `save` after an error kills the real firmware
    (a text of 65 characters goes into a buffer of 59), so the twin reboots without a word.
    """

    LEAVING = f"{EOL}Leaving CLI mode, unsaved changes lost.{EOL}{EOL}Rebooting"
    SAVING = f"Saving{EOL}Rebooting"

    def error(self, command: str, text: str, *, end: str = EOL) -> str:
        """Give an error reply in INAV's form."""
        super().error(command, text)
        words = {"INVALID VALUE": "Invalid value.", "UNKNOWN COMMAND, TRY 'HELP'": "Unknown command, try 'help'"}
        name = "Invalid name" if text.startswith("INVALID NAME") else text
        return f"### ERROR: {words.get(text, name)}{end}"

    def get(self, part: str) -> str:
        """`get`: entries end in a blank line, and no default is told."""
        found = []
        for base, fact in self.data.facts.items():
            if part.lower() in base.lower():
                value = self.state.values[self.full_name(base)]
                shown = as_inav_prints(float(value)) if fact.real else value
                lines = [f"{base} = {shown}", *self.allowed(fact), ""]
                found.append("".join(f"{line}{EOL}" for line in lines))
        return "".join(found) if found else self.error("get", "INVALID NAME")

    def allowed(self, fact: Got) -> Iterator[str]:
        """Give the lines that tell what is allowed."""
        if fact.longest:
            yield f"Max. length: {fact.longest}"
            return
        yield from super().allowed(fact)

    def set(self, rest: str) -> str:
        """`set name = value`; a text is stored in capitals and not answered."""
        reply = super().set(rest)
        base = rest.partition("=")[0].strip().lower()
        fact = self.data.facts.get(base)
        return "" if fact and fact.longest and " set to " in reply else reply

    def refuse_value(self, fact: Got) -> str:
        """Give the error for a value that does not fit."""
        allowed = next(self.allowed(fact), "")
        return self.error("set", "INVALID VALUE", end=f" {allowed}{EOL}{EOL}")

    def understand(self, fact: Got, text: str) -> str | None:
        """Give what the firmware makes of `text`: numbers of digits, points and signs only."""
        if fact.longest:
            return text.strip('"').upper()[: fact.longest]
        if fact.options or fact.minimum is None or fact.maximum is None:
            return super().understand(fact, text)
        if not _NUMBER.fullmatch(text):
            return None
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not fact.minimum <= number <= fact.maximum:
            return None
        return as_inav_prints(number) if fact.real else str(int(number))

    def select(self, scope: str, rest: str) -> str:
        """`control_profile 2` stores everything when it changes; a number out of range is ignored."""
        if not rest:
            return f"{scope} {self.state.values[scope]}{EOL}"
        if not rest.isdecimal() or not 1 <= int(rest) <= self.profile_count(scope):
            return ""
        if rest != self.state.values[scope]:
            self.store_value(scope, rest)
            self._store()
        return f"{scope} {rest}{EOL}"

    def flag(self, head: str, rest: str) -> str:
        """`feature GPS` answers the same whether it was on or not."""
        return super().flag(head, rest).removeprefix("Already")

    def list_flags(self, head: str) -> str:
        """`feature` alone lists what is on."""
        on = [n.partition(".")[2] for n, v in self.state.values.items() if n.startswith(f"{head}.") and v == "ON"]
        return "".join(["Enabled: ", *(f"{name} " for name in on), EOL])

    def group_name(self, head: str) -> str:
        """Mixer rules belong to the mixer profile."""
        return f"mixer_profile.{self.state.values['mixer_profile']}.{head}"

    def echo_object(self, name: str) -> str:
        """INAV prints nothing but the map."""
        return f"Map: {self.state.values[name]}{EOL}" if name == "map" else ""

    def bad_index(self, head: str, names: list[str]) -> str:
        """Give the error for an object that there is not."""
        del names
        return self.error(head, "Invalid argument")

    def batch_failed(self) -> str:
        """Stand in for the crash of the real firmware: see `run`."""
        return ""

    def run(self, line: str) -> str | Leaving:
        """Give the reply; a `batch end` or `save` after an error ends in a crash."""
        crash = self.state.batch and self.state.failed and line in {"batch end", "save"}
        return Leaving("", store=False) if crash else super().run(line)

    def defaults(self, rest: str) -> str | Leaving:
        """`defaults` stores at once, with `noreboot` too."""
        super().defaults("nosave")
        self._store()
        text = "Resetting to defaults"
        return text if rest == "noreboot" else Leaving(f"{text}{EOL}Rebooting", store=True)


def as_inav_prints(number: float) -> str:
    """Give a float as INAV's CLI prints it: three decimals, and a blank where no minus sign stands."""
    return f"{'-' if number < 0 else ' '}{abs(number):.3f}"
