"""Build files `builds/NAME.yaml`: one aircraft type as it was chosen: stack, inputs, ports, fitted modules, lock.

The lock in a build is the digest of the result, of every layer's file, and the values, so that a later library that
would give another result is noticed and the difference can be shown. A build stands in the place of a stack; it gives
exactly the locked result or none.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats import schema, yaml_tree
from dronekit_cfg.formats.files import lines_of, read_text
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import LockDifference
from dronekit_cfg.model import Resolved, Scalar, digest
from dronekit_cfg.text import t

__all__ = [
    "BUILD_FORMAT",
    "Build",
    "build_text",
    "check_build",
    "compose_build",
    "is_build",
    "parse_build",
    "resolve_build",
]

BUILD_FORMAT = "dronekit-cfg/build/v1"
_PORT = "port_"


@dataclass(frozen=True)
class Build:
    """A chosen stack. `requires` says what must be fitted (see `catalog.inventory`); `locked` are name and value."""

    name: str
    stack: str
    file: str = ""
    family: str = ""
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    ports: Mapping[str, int | str] = field(default_factory=dict)
    requires: Mapping[str, str | int] = field(default_factory=dict)
    digest: str = ""
    layers: Mapping[str, str] = field(default_factory=dict)
    locked: Mapping[str, Scalar] = field(default_factory=dict)
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False)
    """Line and column of every locked value, and of the digest."""

    @property
    def typed_inputs(self) -> dict[str, str]:
        """Give inputs and ports as they would be typed on a command line."""
        ports = {_PORT + role: str(port) for role, port in self.ports.items()}
        return {name: _typed(value) for name, value in self.inputs.items()} | ports


def _typed(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_build(text: str) -> bool:
    """Whether a text looks like a build file."""
    return BUILD_FORMAT in text[:400]


def build_text(
    name: str,
    stack: str,
    resolved: Resolved,
    layers: Mapping[str, str],
    requires: Mapping[str, str | int] | None = None,
) -> str:
    """Give the text of a build file. `layers` are the SHA-256 digests of the layers' files by name and version."""
    from ruamel.yaml import YAML

    inputs = {n: v for n, v in resolved.inputs.items() if not n.startswith(_PORT)}
    ports = {n.removeprefix(_PORT): v for n, v in resolved.inputs.items() if n.startswith(_PORT)}
    data: dict[str, Any] = {"format": BUILD_FORMAT, "name": name, "stack": stack, "family": resolved.family}
    data |= {k: v for k, v in (("inputs", inputs), ("ports", ports), ("requires", dict(requires or {}))) if v}
    values = {w.name: w.value for w in sorted(resolved.settings, key=lambda w: w.name)}
    data["lock"] = {"digest": resolved.digest, "layers": dict(layers), "settings": values}
    out = io.StringIO()
    writer = YAML()
    writer.width = 4096
    writer.dump(data, out)
    return out.getvalue()


def parse_build(text: str, file: str) -> Build:
    """Read a build file. Raises FileProblems with all of its mistakes."""
    document = yaml_tree.parse(text, file)
    problems = list(document.problems)
    for violation in schema.check("build.v1", document.data):
        place = document.where(violation.path, key=violation.at_key)
        problems.append(Problem(file, *place, violation.message, violation.hint))
    if problems:
        raise FileProblems(tuple(problems))
    data = document.data
    locked = data["lock"]
    return Build(
        name=data["name"],
        stack=data["stack"],
        file=file,
        family=data["family"],
        inputs=data.get("inputs", {}),
        ports=data.get("ports", {}),
        requires=data.get("requires", {}),
        digest=locked["digest"],
        layers=locked["layers"],
        locked=locked["settings"],
        places={n: document.where(("lock", "settings", n), key=True) for n in locked["settings"]}
        | {"digest": document.where(("lock", "digest"), key=True)},
    )


def resolve_build(build: Build, library: Library) -> Resolved:
    """Give what a build stands for. Raises FileProblems when the library of today gives another result."""
    found = _now(build, library)
    differences = _differences(build, found)
    if differences:
        shown = "; ".join(f"{d.what}: {d.locked} -> {d.now}" for d in differences[:5])
        message = t(
            'the build "{name}" is locked, and its profiles give another result: {what}', name=build.name, what=shown
        )
        hint = t("see all with: profile lock --check FILE; to take the new result over, compose the build again")
        place = next((build.places[d.what] for d in differences if d.what in build.places), (1, 1))
        raise FileProblems((Problem(build.file, *place, message, hint),))
    return found


def check_build(build: Build, library: Library) -> tuple[LockDifference, ...]:
    """Compare a build with what its profiles resolve to today; empty when they are the same."""
    return _differences(build, _now(build, library))


def _now(build: Build, library: Library) -> Resolved:
    from dronekit_cfg.formats.compose import resolve

    return resolve(build.stack, library, family=build.family, inputs=build.typed_inputs)


def _differences(build: Build, now: Resolved) -> tuple[LockDifference, ...]:
    values = {w.name: w.value for w in now.settings}
    names = sorted({*build.locked, *values})
    shown = [
        LockDifference(n, str(build.locked.get(n, "")), str(values.get(n, "")))
        for n in names
        if build.locked.get(n) != values.get(n)
    ]
    if not shown and build.digest != now.digest:
        shown.append(LockDifference("digest", build.digest, now.digest))
    return tuple(shown)


def compose_build(
    name: str,
    stack: str,
    library: Library,
    *,
    family: str | None = None,
    inputs: Mapping[str, str] | None = None,
    requires: Mapping[str, str | int] | None = None,
) -> tuple[str, Resolved]:
    """Choose a stack and lock it: give the text of the build file and the result. Raises as `resolve` does."""
    from dronekit_cfg.formats.compose import resolve
    from dronekit_cfg.formats.stack import load_stack, split

    resolved = resolve(stack, library, family=family, inputs=inputs)
    layers = load_stack(split(stack), library, family=resolved.family, unit=None).layers
    digests = {layer.label: _file_digest(Path(layer.file)) for layer in layers}
    return build_text(name, stack, resolved, digests, requires), resolved


def _file_digest(path: Path) -> str:
    """Give the digest of a file's lines, the same whatever the line ends are."""
    return digest(lines_of(read_text(path)))
