"""Serial ports by role: `serial(rc).PROTOCOL` becomes `SERIAL2_PROTOCOL` where the receiver is on port 2.

A profile says what a role needs; which port it is on is a fact of one aircraft, given as the input `port_<role>` or
under `ports:` of a layer. A role without a port sets nothing and is told about. The input `ports_unused` ("4,5") names
ports that nothing is on any more: what an exchanged module had set there is cleared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dronekit_cfg.errors import Problem
from dronekit_cfg.formats.layer import Layer
from dronekit_cfg.model import InputSpec, Origin, Scalar, Wanted
from dronekit_cfg.text import t

__all__ = ["UNUSED", "Placed", "place", "port_input", "role_inputs", "role_of", "roles_of", "supports_roles"]

_ROLE = re.compile(r"serial\(([a-z][a-z0-9_]*)\)\.([A-Z][A-Z0-9_]*)")
UNUSED = "ports_unused"


@dataclass(frozen=True, slots=True)
class _Ports:
    """Ports of a family: numbers that a role may have, the name of a setting, and what a port without use is set to."""

    lowest: int
    highest: int
    name: str
    cleared: tuple[tuple[str, Scalar], ...]


_FAMILIES: dict[str, _Ports] = {
    # SERIAL0 is the USB port, over which the vehicle is configured; 1 to 9 are the others (AP_SerialManager.h).
    # Protocol -1 is "None" (AP_SerialManager::SerialProtocol).
    "ardupilot": _Ports(1, 9, "SERIAL{port}_{key}", (("PROTOCOL", -1),)),
}


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


def supports_roles(family: str) -> bool:
    """Whether serial roles can be written for a family."""
    return family in _FAMILIES


def roles_of(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Give the roles that layers set something for, in the order of their first mention."""
    named = (role_of(setting.name) for layer in layers for setting in layer.settings)
    return tuple(dict.fromkeys(role for role in named if role))


def port_input(role: str) -> str:
    """Give the name of the input that holds the port of a role."""
    return f"port_{role}"


def role_inputs(layers: Sequence[Layer]) -> tuple[InputSpec, ...]:
    """Declare the input of every role of a stack; none for a family whose ports are not known."""
    ports = _FAMILIES.get(layers[-1].family) if layers else None
    if ports is None:
        return ()
    specs = [
        InputSpec(
            port_input(role),
            "integer",
            ports.lowest,
            ports.highest,
            help=t("number of the serial port that the {role} is on, as SERIALn counts", role=role),
        )
        for role in roles_of(layers)
    ]
    unused = InputSpec(UNUSED, "string", help=t("ports with nothing on them any more, such as 4,5: they are cleared"))
    return (*specs, unused) if specs else ()


def place(settings: Sequence[Wanted], family: str, inputs: Mapping[str, Scalar]) -> Placed:
    """Replace roles by the ports that `inputs` give them.

    Two roles on one port, a port that is used and unused, and a port setting that another layer sets differently are
    problems. The place of a problem is that of the role's first setting.
    """
    ports = _FAMILIES.get(family)
    by_role = _by_role(settings)
    if ports is None or (not by_role and UNUSED not in inputs):
        return Placed(tuple(settings))
    given = {role: int(inputs[port_input(role)]) for role in by_role if port_input(role) in inputs}
    plain = [w for w in settings if not role_of(w.name)]
    placed = [_on_port(w, given[role], ports) for role, wanted in by_role.items() if role in given for w in wanted]
    unused, wrong = _unused(str(inputs.get(UNUSED, "")), ports)
    problems = [*wrong, *_shared(by_role, given), *_used_and_unused(by_role, given, unused)]
    taken = {w.name: w for w in plain}
    problems += [p for w in placed for p in _contradicted(w, taken)]
    names = {w.name for w in (*plain, *placed)}
    cleared = [w for port in unused for w in _cleared(port, ports) if w.name not in names]
    notes = tuple(
        t(
            "nothing is set for the {role}: say which port it is on with --input {name}=N",
            role=role,
            name=port_input(role),
        )
        for role in by_role
        if role not in given
    )
    own = [w for w in placed if w.name not in taken]
    return Placed((*plain, *own, *cleared), tuple(problems), notes)


def _by_role(settings: Iterable[Wanted]) -> dict[str, list[Wanted]]:
    found: dict[str, list[Wanted]] = {}
    for wanted in settings:
        if role := role_of(wanted.name):
            found.setdefault(role, []).append(wanted)
    return found


def _on_port(wanted: Wanted, port: int, ports: _Ports) -> Wanted:
    found = _ROLE.fullmatch(wanted.name)
    return replace(wanted, name=ports.name.format(port=port, key=found[2])) if found else wanted


def _shared(by_role: Mapping[str, list[Wanted]], given: Mapping[str, int]) -> Iterator[Problem]:
    first: dict[int, str] = {}
    for role, port in given.items():
        other = first.setdefault(port, role)
        if other != role:
            message = t("port {port} is given to the {one} and to the {other}", port=port, one=other, other=role)
            hint = t("give one of them another port: --input {name}=N", name=port_input(role))
            yield _at(by_role[role][0].origin, message, hint)


def _used_and_unused(
    by_role: Mapping[str, list[Wanted]], given: Mapping[str, int], unused: Sequence[int]
) -> Iterator[Problem]:
    for role, port in given.items():
        if port in unused:
            message = t("port {port} is that of the {role} and also named as unused", port=port, role=role)
            yield _at(by_role[role][0].origin, message, t("take it out of {name}", name=UNUSED))


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


def _unused(text: str, ports: _Ports) -> tuple[list[int], list[Problem]]:
    numbers = [p.strip() for p in text.split(",") if p.strip()]
    good = [int(p) for p in numbers if p.isdecimal() and ports.lowest <= int(p) <= ports.highest]
    if len(good) == len(numbers):
        return good, []
    hint = t("write port numbers from {low} to {high}: 4,5", low=ports.lowest, high=ports.highest)
    message = t('input {name}: "{text}" is no list of ports', name=UNUSED, text=text)
    return good, [Problem("", 0, 0, message, hint)]


def _cleared(port: int, ports: _Ports) -> Iterator[Wanted]:
    for key, value in ports.cleared:
        name = ports.name.format(port=port, key=key)
        yield Wanted(name, value, Origin(UNUSED), t("nothing is on this port any more"), t("input {n}", n=UNUSED))


def _at(origin: Origin, message: str, hint: str) -> Problem:
    return Problem(origin.file, origin.line, origin.column, message, hint)
