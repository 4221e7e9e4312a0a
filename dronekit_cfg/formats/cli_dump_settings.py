"""Turn settings of CLI families back into CLI lines, and whole maps of them into a file that can be replayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dronekit_cfg.formats.cli_dump import GROUP_SEPARATOR
from dronekit_cfg.formats.cli_dump_dialect import Dialect
from dronekit_cfg.text import t

__all__ = ["Address", "address", "commands", "in_writing_order", "render"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a setting lives: its scope ("" for the master section), the number of the profile, its name in there.

    `kind` is "set", "object", "flag", "group", "scope" (which profile is active) or "line" (a line nobody knows).
    """

    scope: str
    number: int
    base: str
    kind: str


def address(name: str, dialect: Dialect) -> Address:
    """Take a setting name apart. Raises ValueError for a name that cannot be one."""
    head, dot, rest = name.partition(".")
    if head in dialect.scope_names:
        if not dot:
            return Address("", 0, head, "scope")
        number, dot, base = rest.partition(".")
        if number.isdecimal() and dot and base:
            return Address(head, int(number), base, _kind(base, dialect))
        raise ValueError(t("{name} is not a setting: write {scope}.<number>.<setting>", name=name, scope=head))
    return Address("", 0, name, _kind(name, dialect))


def _kind(base: str, dialect: Dialect) -> str:
    head, dot, rest = base.partition(".")
    if head == "line" and dot:
        return "line"
    if head in dialect.flags and rest:
        return "flag"
    if head in dialect.groups and not dot:
        return "group"
    pair = f"{head} {rest.partition('.')[0]}"
    if pair in dialect.subkeys or (head in dialect.keys and rest.count(".") + bool(dot) == dialect.keys[head]):
        return "object"
    if dot or head in dialect.flags or head in dialect.keys or not base.replace("_", "").isalnum():
        raise ValueError(t("{name} is not a setting of this firmware's kind", name=base))
    return "set"


def commands(name: str, value: str, dialect: Dialect) -> tuple[str, ...]:
    """Give the CLI lines that store `value` in `name`, once its profile is selected.

    Raises ValueError for a name that cannot be written.
    """
    where = address(name, dialect)
    if where.kind == "set":
        return (f"set {where.base} = {value}",)
    if where.kind == "flag":
        command, _, flag = where.base.partition(".")
        if value.upper() not in {"ON", "OFF"}:
            raise ValueError(t("{name} is ON or OFF, not {value}", name=name, value=value))
        return (f"{command} {'-' if value.upper() == 'OFF' else ''}{flag}",)
    if where.kind == "group":
        lines = [f"{where.base} {part}" for part in value.split(GROUP_SEPARATOR) if part]
        return (f"{where.base} {dialect.groups[where.base]}", *lines)
    if where.kind == "line":
        raise ValueError(t("{name} is a line that this tool does not know, so it is not written", name=name))
    return (" ".join([*where.base.split("."), value]).strip(),)


def in_writing_order(names: Iterable[str], dialect: Dialect) -> tuple[str, ...]:
    """Sort as a dump does: objects, master settings, then profile by profile; active profiles last.

    Within a section the given order stays. So each profile is selected once.
    """
    sections = {name: place for place, name in enumerate(dialect.order)}
    scopes = {scope.name: place for place, scope in enumerate(dialect.scopes)}

    def key(name: str) -> tuple[int, int, int, int]:
        where = address(name, dialect)
        if where.kind == "scope":
            return (3, scopes[where.base], 0, 0)
        if where.scope:
            return (2, scopes[where.scope], where.number, where.kind != "set")
        if where.kind == "set":
            return (1, 0, 0, 0)
        return (0, sections.get(where.base.partition(".")[0], len(sections)), 0, 0)

    return tuple(sorted(names, key=key))


def render(
    settings: Mapping[str, str],
    dialect: Dialect,
    *,
    header: Sequence[str] = (),
    script: bool = True,
    reset: bool = False,
) -> str:
    """Write settings as a file in the firmware's own form. `header` are comment lines without `#`.

    `script` wraps it in `batch start` and `save`; `reset` begins with the command that resets to defaults. Lines nobody
    knows are written as they were. The parsed result has the same settings.
    """
    lines = [f"# {line}".rstrip() for line in header]
    if script:
        lines += ["", "# start the command batch", dialect.commands["batch_start"]]
    if reset:
        lines += ["", "# reset configuration to default settings", dialect.commands["defaults"]]
    unknown = [name for name in settings if name.startswith("line.")]
    section = None
    for name in in_writing_order((n for n in settings if n not in unknown), dialect):
        where = address(name, dialect)
        if (where.kind == "scope", where.scope, where.number) != section:
            section = (where.kind == "scope", where.scope, where.number)
            lines += _heading(where)
        lines += commands(name, settings[name], dialect)
    lines += ["", *(settings[name] for name in unknown)] if unknown else []
    if script:
        lines += ["", "# save configuration", dialect.commands["save"]]
    return "\n".join(lines) + "\n"


def _heading(where: Address) -> list[str]:
    if where.kind == "scope":
        return ["", "# restore original profile selection"]
    if where.scope:
        return ["", f"{where.scope} {where.number}", ""]
    return ["", "# master"]
