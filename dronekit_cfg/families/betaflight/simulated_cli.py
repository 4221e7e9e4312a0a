"""The command line of the simulated Betaflight: what a line is answered with, and what it does to the settings.

It shows the traps of the real one: `abc` is stored as 0 and 25.9 as 25, a feature that the build lacks is refused
without an error marker, an error in a batch makes the first `save` fail and ends the batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from dronekit_cfg.families.betaflight.simulated_data import TwinData
from dronekit_cfg.formats.cli_dump import GROUP_SEPARATOR, Line, LineKind
from dronekit_cfg.formats.cli_dump_get import Got
from dronekit_cfg.formats.cli_dump_settings import address, commands, render

__all__ = ["BetaflightCli", "Leaving", "TwinState"]

EOL = "\r\n"


@dataclass(frozen=True, slots=True)
class Leaving:
    """A line that ends the session: what it prints, and whether the settings are stored."""

    text: str
    store: bool


@dataclass(slots=True)
class TwinState:
    """Settings of a running vehicle (RAM), and the CLI's batch. `deny` are settings that refuse every value."""

    data: TwinData
    values: dict[str, str]
    deny: frozenset[str] = frozenset()
    batch: bool = False
    failed: bool = False
    changed: set[str] = field(default_factory=set)


class BetaflightCli:
    """Answers lines. Raises nothing: a line it does not know is an error reply, as on the real one."""

    def __init__(self, state: TwinState, store: Callable[[], None]) -> None:
        self.state = state
        self.data = state.data
        self.dialect = state.data.dialect
        self._store = store
        self._commands: dict[str, Callable[[str], str | Leaving]] = {
            "version": lambda _: self.data.version,
            "status": lambda _: self.data.status,
            "get": self.get,
            "set": self.set,
            "dump": lambda _: self._dump(),
            "diff": self._diff,
            "batch": self._batch,
            "save": lambda _: self.save(),
            "exit": lambda _: Leaving(self.LEAVING, store=False),
            "defaults": self.defaults,
        }

    LEAVING = f"{EOL}# leaving CLI mode, unsaved changes lost{EOL}{EOL}Rebooting"
    SAVING = f"{EOL}# saving{EOL}{EOL}Rebooting"

    def run(self, line: str) -> str | Leaving:
        """Give the reply to one line (comments and blanks already taken off), without echo and prompt."""
        head, _, rest = line.partition(" ")
        head, rest = head.lower(), rest.strip()
        if head in self._commands:
            return self._commands[head](rest)
        if head in self.dialect.scope_names and f"{head}" in self.state.values:
            return self.select(head, rest)
        if head in self.dialect.flags and self._names(head):
            return self.flag(head, rest)
        if head in self.dialect.groups and head in self.dialect.groups and self._has_group(head):
            return self._group(head, rest)
        if self._names(head) or head in self.state.values:
            return self._object(head, rest)
        return self.error("input", "UNKNOWN COMMAND, TRY 'HELP'", end="")

    def error(self, command: str, text: str, *, end: str = EOL) -> str:
        """Give an error reply and take note of it for the batch."""
        self.state.failed = self.state.failed or self.state.batch
        return f"###ERROR IN {command}: {text}###{end}"

    def _names(self, head: str) -> list[str]:
        return [
            name for name in self.state.values if name.startswith(f"{head}.") and head not in self.dialect.scope_names
        ]

    def _has_group(self, head: str) -> bool:
        return any(address(n, self.dialect).base == head for n in self.state.values if not n.startswith("line."))

    def full_name(self, base: str) -> str:
        """Give the full name of a setting for the profiles that are selected."""
        scope = self.data.scopes.get(base, "")
        return f"{scope}.{self.state.values[scope]}.{base}" if scope else base

    def store_value(self, name: str, value: str) -> None:
        """Put a value into RAM."""
        self.state.values[name] = value
        self.state.changed.add(name)

    # -- settings

    def get(self, part: str) -> str:
        """`get`: every setting whose name contains `part`."""
        found = [self._got(base, fact) for base, fact in self.data.facts.items() if part.lower() in base.lower()]
        return EOL.join(found) if found else self.error("get", f"INVALID NAME: {part}")

    def _got(self, base: str, fact: Got) -> str:
        name = self.full_name(base)
        value, fresh = self.state.values[name], self.data.values[name]
        lines = [f"{base} = {value}"]
        if scope := self.data.scopes[base]:
            lines.append(f"{scope} {self.state.values[scope]}")
        lines += self.allowed(fact)
        if value != fresh:
            lines.append(f"Default value: {fresh}")
        return "".join(f"{line}{EOL}" for line in lines)

    def allowed(self, fact: Got) -> Iterator[str]:
        """Give the lines that tell what is allowed."""
        if fact.options:
            yield f"Allowed values: {', '.join(fact.options)}"
        elif fact.array_length:
            yield f"Array length: {fact.array_length}"
        elif fact.longest:
            yield f"String length: 1 - {fact.longest}"
        elif fact.minimum is not None and fact.maximum is not None:
            yield f"Allowed range: {fact.minimum:.0f} - {fact.maximum:.0f}"

    def set(self, rest: str) -> str:
        """`set name = value`."""
        base, equals, text = (part.strip() for part in rest.partition("="))
        if not equals:
            return self.get(base)
        known = next((name for name in self.data.facts if name.lower() == base.lower()), None)
        if known is None:
            return self.error("set", f"INVALID NAME: {rest}")
        fact = self.data.facts[known]
        value = None if known in self.state.deny else self.understand(fact, text)
        if value is None:
            return self.refuse_value(fact)
        self.store_value(self.full_name(known), value)
        return f"{known} set to {value}"

    def refuse_value(self, fact: Got) -> str:
        """Give the error for a value that does not fit."""
        return self.error("set", "INVALID VALUE") + "".join(f"{line}{EOL}" for line in self.allowed(fact))

    def understand(self, fact: Got, text: str) -> str | None:
        """Give what the firmware makes of `text`, None when it refuses it. Integers go through atoi."""
        if fact.options:
            return next((option for option in fact.options if option.lower() == text.lower()), None)
        if fact.longest:
            return text if 1 <= len(text) <= fact.longest else None
        if fact.array_length:
            parts = [str(_atoi(part)) for part in text.split(",")]
            return ",".join(parts) if len(parts) == fact.array_length else None
        if fact.minimum is None or fact.maximum is None:
            return text.upper() or None
        number = _atoi(text)
        return str(number) if fact.minimum <= number <= fact.maximum else None

    # -- everything that is no set

    def select(self, scope: str, rest: str) -> str:
        """`profile 1`."""
        if rest:
            count = self.profile_count(scope)
            if not 0 <= _atoi(rest) < count:
                return self.error(scope, f"{scope.upper()} OUTSIDE OF [0..{count - 1}]")
            self.store_value(scope, str(_atoi(rest)))
        return f"{scope} {self.state.values[scope]}{EOL}"

    def profile_count(self, scope: str) -> int:
        """How many profiles of a kind there are."""
        return len({n.split(".")[1] for n in self.state.values if n.startswith(f"{scope}.")})

    def flag(self, head: str, rest: str) -> str:
        """`feature -GPS`."""
        if not rest:
            return self.list_flags(head)
        off, name = rest.startswith("-"), f"{head}.{rest.lstrip('-').upper()}"
        if name not in self.state.values:
            return self.error(head, f"INVALID NAME: {rest}")
        plain = name.partition(".")[2]
        if not off and head == "feature" and plain in self.data.unavailable:
            return f"Unavailable {plain}{EOL}"
        value = "OFF" if off else "ON"
        already = "Already" if self.state.values[name] == value else ""
        self.store_value(name, value)
        return f"{already}{'Disabled' if off else 'Enabled'} {plain}{EOL}"

    def list_flags(self, head: str) -> str:
        """`feature` alone."""
        values = {name.partition(".")[2]: self.state.values[name] for name in self._names(head)}
        lacking = self.data.unavailable
        on = [name for name, value in values.items() if value == "ON"]
        free = [name for name, value in values.items() if value == "OFF" and name not in lacking]
        none = [name for name, value in values.items() if value == "OFF" and name in lacking]
        lines = (f"Enabled:  {' '.join(on)}", f"Available:  {' '.join(free)}", f"Unavailable: {' '.join(none)}")
        return "".join(f"{line}{EOL}" for line in lines)

    def group_name(self, head: str) -> str:
        """Give the setting that holds a list."""
        return head

    def _group(self, head: str, rest: str) -> str:
        name = self.group_name(head)
        if rest == self.dialect.groups[head]:
            self.store_value(name, "")
            return ""
        parts = [part for part in self.state.values[name].split(GROUP_SEPARATOR) if part]
        if rest:
            parts = [part for part in parts if part.split()[0] != rest.split(maxsplit=1)[0]] + [rest]
            self.store_value(name, GROUP_SEPARATOR.join(parts))
        return "".join(f"{head} {part}{EOL}" for part in parts)

    def _object(self, head: str, rest: str) -> str:
        words = [head, *rest.split()]
        names = [name for name in [head, *self._names(head)] if name in self.state.values]
        if not rest:
            return "".join(
                f"{line}{EOL}" for name in names for line in commands(name, self.state.values[name], self.dialect)
            )
        name = next((n for n in names if n.lower().split(".") == [w.lower() for w in words[: n.count(".") + 1]]), None)
        if name is None:
            return self.bad_index(head, names)
        value = " ".join(words[name.count(".") + 1 :])
        if value and self.dialect.protected_kind(name) != "read-only":
            self.store_value(name, value)
        return self.echo_object(name)

    def bad_index(self, head: str, names: list[str]) -> str:
        """Give the error for an object that there is not."""
        return self.error(head, f"INDEX NOT BETWEEN 0 AND {len(names) - 1}")

    def echo_object(self, name: str) -> str:
        """Give what is printed when an object was set."""
        if name == "mixer":
            return f"Mixer: {self.state.values[name]}{EOL}"
        if name.split(".", maxsplit=1)[0] not in {"aux", "map", "rxfail", "mcu_id", "board_name", "vtx"}:
            return ""
        return commands(name, self.state.values[name], self.dialect)[0] + EOL

    # -- batch, save, defaults

    def _batch(self, rest: str) -> str:
        state = self.state
        if rest == "start":
            if not state.batch:
                state.batch, state.failed = True, False
            return f"Command batch started{EOL}"
        if rest != "end":
            return self.error("batch", "Invalid option")
        failed, state.batch, state.failed = state.batch and state.failed, False, False
        return self.batch_failed() if failed else f"Command batch ended{EOL}"

    def batch_failed(self) -> str:
        """Give the reply to `batch end` after an error."""
        return f"###ERROR IN batch: ERRORS WERE DETECTED - PLEASE REVIEW BEFORE CONTINUING###{EOL}"

    def save(self) -> str | Leaving:
        """`save`: refused once after an error in a batch."""
        state = self.state
        failed, state.batch, state.failed = state.batch and state.failed, False, False
        if failed:
            return (
                f"###ERROR IN save: ERRORS WERE DETECTED - PLEASE REVIEW BEFORE CONTINUING###{EOL}"
                f"###ERROR IN save: PLEASE FIX ERRORS THEN 'SAVE'###{EOL}"
            )
        return Leaving(self.SAVING, store=True)

    def defaults(self, rest: str) -> str | Leaving:
        """`defaults nosave` resets RAM; without `nosave` it saves and reboots."""
        self.state.values = dict(self.data.values)
        self.state.failed = False
        if rest == "nosave":
            return f"{EOL}# resetting to defaults{EOL}"
        return Leaving(f"{EOL}# resetting to defaults{EOL}{EOL}Rebooting", store=True)

    # -- dumps

    def _dump(self) -> str:
        return EOL.join(self._dump_lines()) + (EOL if self.data.dump.lines[-1].end else "")

    def _dump_lines(self) -> Iterator[str]:
        restoring = False
        held: list[Line] = []
        for line in self.data.dump.lines:
            if held and line.kind is not LineKind.FLAG:
                yield from self._flag_lines(held)
                held = []
            restoring = restoring or (line.kind is LineKind.COMMENT and "restore" in line.text)
            if line.kind is LineKind.FLAG:
                held.append(line)
            elif line.kind is LineKind.SCOPE:
                yield f"{line.name} {self.state.values[line.name]}" if restoring else line.text
                restoring = (
                    False if line.name != "control_profile" and self.dialect.family == "betaflight" else restoring
                )
            elif line.name and self.state.values[line.name] != self.data.values[line.name]:
                yield from commands(line.name, self.state.values[line.name], self.dialect)
            else:
                yield line.text

    def _flag_lines(self, lines: Iterable[Line]) -> Iterator[str]:
        texts = [line.text for line in lines]
        names = list(dict.fromkeys(line.name for line in lines))
        if len(names) == len(texts):
            yield from (commands(name, self.state.values[name], self.dialect)[0] for name in names)
            return
        yield from (commands(name, "OFF", self.dialect)[0] for name in names)
        yield from (commands(n, "ON", self.dialect)[0] for n in names if self.state.values[n] == "ON")

    def _diff(self, rest: str) -> str:
        told = "defaults" in rest
        values = {
            name: value
            for name, value in self.state.values.items()
            if name in self.data.odd or value != self.data.values[name] or name in self.dialect.scope_names
        }
        header = ["version", *(line.lstrip("# ").rstrip() for line in self.data.version.splitlines() if line)]
        text = render(values, self.dialect, header=header, reset=True)
        lines = []
        for line in text.splitlines():
            if told and (default := self._told_default(line, values)):
                lines.append(default)
            lines.append(line)
        return EOL + EOL.join(lines) + EOL

    def _told_default(self, line: str, values: dict[str, str]) -> str:
        for name, value in values.items():
            if name in self.dialect.scope_names or line != commands(name, value, self.dialect)[0]:
                continue
            if value != self.data.values[name]:
                return "#" + commands(name, self.data.values[name], self.dialect)[0]
            if address(name, self.dialect).kind == "flag":  # a fresh SITL has features off that are on by default
                return "#" + commands(name, "ON" if value == "OFF" else "OFF", self.dialect)[0]
        return ""


def _atoi(text: str) -> int:
    match = re.match(r"\s*([-+]?\d+)", text)
    return int(match[1]) if match else 0
