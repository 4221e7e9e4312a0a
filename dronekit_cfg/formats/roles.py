"""Serial ports by role: `serial(rc).PROTOCOL` becomes `SERIAL2_PROTOCOL` where the receiver is on port 2.

A profile says what a role needs; which port it is on is a fact of one aircraft, given as the input `port_<role>` or
under `ports:` of a layer. A role without a port sets nothing and is told about. A role whose settings are all
`optional` only clears the port of a module that is gone: it needs no port, and gives way to a role that uses it. The
input `ports_unused` ("4,5") names further ports that nothing is on any more. `formats.ports` knows the families.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dronekit_cfg.errors import Problem
from dronekit_cfg.formats.layer import Layer
from dronekit_cfg.formats.ports import FAMILIES, Port, Ports
from dronekit_cfg.model import InputSpec, Origin, Scalar, Wanted
from dronekit_cfg.text import t

__all__ = ["UNUSED", "Placed", "place", "port_input", "role_inputs", "role_objection", "role_of", "roles_of"]

_ROLE = re.compile(r"serial\(([a-z][a-z0-9_]*)\)\.([A-Z][A-Z0-9_]*)")
UNUSED = "ports_unused"


@dataclass(frozen=True, slots=True)
class Placed:
    """Settings with their roles replaced by ports, what is wrong with the ports, and notes on roles without one."""

    settings: tuple[Wanted, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def role_of(name: str) -> str:
    """Give the role that a setting such as `serial(rc).PROTOCOL` is for, "" for a plain setting."""
    found = _ROLE.fullmatch(name)
    return found[1] if found else ""


def role_objection(family: str, name: str, value: Scalar | None) -> tuple[str, str] | None:
    """Say why a setting of a role cannot be one of this family: message and remedy."""
    found, ports = _ROLE.fullmatch(name), FAMILIES.get(family)
    if found is None:
        return None
    if ports is None:
        return t("{family} has no serial roles: {name}", family=family, name=name), t("write the setting of the port")
    return ports.objection(found[2], value)


def roles_of(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Give the roles that layers set something for, in the order of their first mention."""
    named = (role_of(setting.name) for layer in layers for setting in layer.settings)
    return tuple(dict.fromkeys(role for role in named if role))


def port_input(role: str) -> str:
    """Give the name of the input that holds the port of a role."""
    return f"port_{role}"


def role_inputs(layers: Sequence[Layer]) -> tuple[InputSpec, ...]:
    """Declare the input of every role of a stack; none for a family whose ports are not known."""
    ports = FAMILIES.get(layers[-1].family) if layers else None
    if ports is None:
        return ()
    specs = [_port_spec(role, ports) for role in roles_of(layers)]
    if specs and not ports.choices:
        about = t("ports with nothing on them any more, such as 4,5: they are cleared")
        specs.append(InputSpec(UNUSED, "string", help=about))
    return tuple(specs)


def _port_spec(role: str, ports: Ports) -> InputSpec:
    about = t("where the {role} is: {about}", role=role, about=ports.about)
    if ports.choices:
        return InputSpec(port_input(role), "string", choices=ports.choices, help=about)
    return InputSpec(port_input(role), "integer", ports.lowest, ports.highest, help=about)


def place(settings: Sequence[Wanted], family: str, inputs: Mapping[str, Scalar]) -> Placed:
    """Replace roles by the ports that `inputs` give them.

    Two roles on one port, a port that is used and unused, and a port setting that another layer sets differently are
    problems. The place of a problem is that of the role's first setting.
    """
    ports = FAMILIES.get(family)
    by_role = _by_role(settings)
    if ports is None or (not by_role and UNUSED not in inputs):
        return Placed(tuple(settings))
    given = _given(by_role, inputs)
    plain = [w for w in settings if not role_of(w.name)]
    placed = [w for role, keys in by_role.items() if role in given for w in ports.settings(given[role], keys)]
    unused, wrong = _unused(str(inputs.get(UNUSED, "")), ports)
    problems = [*wrong, *_shared(by_role, given), *_used_and_unused(by_role, given, unused)]
    taken = {w.name: w for w in plain}
    problems += [p for w in placed for p in _contradicted(w, taken)]
    names = {w.name for w in (*plain, *placed)}
    cleared = [w for port in unused for w in _cleared(port, ports) if w.name not in names]
    example = ports.choices[0] if ports.choices else "N"
    notes = tuple(
        t(
            "nothing is set for the {role}: say which port it is on with --input {name}={example}",
            role=role,
            name=port_input(role),
            example=example,
        )
        for role, keys in by_role.items()
        if role not in given and not _only_clears(keys)
    )
    own = {w.name: w for w in placed if w.name not in taken}
    return Placed((*plain, *own.values(), *cleared), tuple(problems), notes)


def _given(by_role: Mapping[str, Mapping[str, Wanted]], inputs: Mapping[str, Scalar]) -> dict[str, Port]:
    """Give the port of each role; one that only clears gives way to a role that is there."""
    ports = {role: inputs[port_input(role)] for role in by_role if port_input(role) in inputs}
    used = {port for role, port in ports.items() if not _only_clears(by_role[role])}
    return {
        role: port if isinstance(port, str) else int(port)
        for role, port in ports.items()
        if not (_only_clears(by_role[role]) and port in used)
    }


def _only_clears(keys: Mapping[str, Wanted]) -> bool:
    return all(wanted.optional for wanted in keys.values())


def _by_role(settings: Iterable[Wanted]) -> dict[str, dict[str, Wanted]]:
    found: dict[str, dict[str, Wanted]] = {}
    for wanted in settings:
        if parts := _ROLE.fullmatch(wanted.name):
            found.setdefault(parts[1], {})[parts[2]] = wanted
    return found


def _first(keys: Mapping[str, Wanted]) -> Origin:
    return next(iter(keys.values())).origin


def _shared(by_role: Mapping[str, Mapping[str, Wanted]], given: Mapping[str, Port]) -> Iterator[Problem]:
    first: dict[Port, str] = {}
    for role, port in given.items():
        other = first.setdefault(port, role)
        if other != role:
            message = t("port {port} is given to the {one} and to the {other}", port=port, one=other, other=role)
            hint = t("give one of them another port: --input {name}=N", name=port_input(role))
            yield _at(_first(by_role[role]), message, hint)


def _used_and_unused(
    by_role: Mapping[str, Mapping[str, Wanted]], given: Mapping[str, Port], unused: Sequence[Port]
) -> Iterator[Problem]:
    for role, port in given.items():
        if port in unused:
            message = t("port {port} is that of the {role} and also named as unused", port=port, role=role)
            yield _at(_first(by_role[role]), message, t("take it out of {name}", name=UNUSED))


def _contradicted(wanted: Wanted, taken: Mapping[str, Wanted]) -> Iterator[Problem]:
    other = taken.get(wanted.name)
    if other is not None and other.value != wanted.value:
        message = t(
            '{name} is {value} for its role and {other} in "{layer}"',
            name=wanted.name,
            value=wanted.value,
            other=other.value,
            layer=other.origin.layer,
        )
        yield _at(wanted.origin, message, t("remove one of the two, or give the role another port"))


def _unused(text: str, ports: Ports) -> tuple[list[Port], list[Problem]]:
    parts = [p.strip() for p in text.split(",") if p.strip()]
    found = [ports.read(part) for part in parts]
    good = [port for port in found if port is not None]
    if len(good) == len(found):
        return good, []
    hint = t("write port numbers from {low} to {high}: 4,5", low=ports.lowest, high=ports.highest)
    message = t('input {name}: "{text}" is no list of ports', name=UNUSED, text=text)
    return good, [Problem("", 0, 0, message, hint)]


def _cleared(port: Port, ports: Ports) -> Iterator[Wanted]:
    for name, value in ports.cleared(port):
        yield Wanted(name, value, Origin(UNUSED), t("nothing is on this port any more"), t("input {n}", n=UNUSED))


def _at(origin: Origin, message: str, hint: str) -> Problem:
    return Problem(origin.file, origin.line, origin.column, message, hint)
