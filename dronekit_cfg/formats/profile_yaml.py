"""Reads a profile file (YAML, format v1) and says all that is wrong with it at once, with places and remedies."""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats import expressions, firmware, schema, yaml_tree
from dronekit_cfg.formats.files import is_html, read_text
from dronekit_cfg.formats.inputs import fits
from dronekit_cfg.formats.layer import NUMERIC_FAMILIES, PROFILE_FORMAT, Layer, LayerSetting, Reference
from dronekit_cfg.formats.roles import port_input, role_objection, role_of
from dronekit_cfg.model import InputSpec, ModuleSlot, Origin, Scalar, Waiver, is_secret, secret_name
from dronekit_cfg.text import t

__all__ = ["SECRET_SETTINGS", "load_layer", "parse_layer", "setting_objection"]

SECRET_SETTINGS: Mapping[str, frozenset[str]] = {
    "sik": frozenset({"ENCRYPTION_KEY", "remote.ENCRYPTION_KEY"}),
    "elrs": frozenset({"Binding_Phrase"}),
}
"""Settings whose values are secrets: a profile names the secret, and nothing else may hold one."""
_FLOAT32_MAX = 3.4028234663852886e38

_NAME_RULES: dict[str, tuple[re.Pattern[str], str]] = {
    # AP_MAX_NAME_SIZE is 16 (ArduPilot libraries/AP_Param/AP_Param.h); PARAM_SET carries 16 characters
    "ardupilot": (re.compile(r"[A-Z][A-Z0-9_]{0,15}"), "ArduPilot names have capitals, digits and _, at most 16"),
    "px4": (re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,15}"), "PX4 names have letters, digits and _, at most 16"),
}


def load_layer(path: Path) -> Layer:
    """Read one profile file. Raises UsageError when it cannot be read, FileProblems with all of its mistakes."""
    return parse_layer(read_text(path), str(path))


def parse_layer(text: str, file: str) -> Layer:
    """Turn the text of a profile file into a Layer. Raises FileProblems with all of its mistakes, in file order."""
    _refuse_other_formats(text, file)
    document = yaml_tree.parse(text, file)
    _refuse_other_documents(document, file)
    reader = _Reader(file, document)
    violations = schema.check("profile.v1", document.data)
    problems = [*document.problems, *(reader.violation(v) for v in violations)]
    broken = {v.path[:2] for v in violations} | {v.path[:1] for v in violations if len(v.path) < 2}
    problems += [p for path, p in reader.semantics() if path[:2] not in broken and path[:1] not in broken]
    if problems:
        raise FileProblems(tuple(sorted(set(problems), key=lambda p: (p.line, p.column))))
    return reader.layer()


def _refuse_other_formats(text: str, file: str) -> None:
    if is_html(text):
        hint = t("a web page was saved instead of the file: download the raw file")
        raise FileProblems((Problem(file, 1, 1, t("this is a web page (HTML), not a profile"), hint),))


def _refuse_other_documents(document: yaml_tree.Document, file: str) -> None:
    """Tell a file that is no profile at all, or one of another format version, in one sentence instead of fifty."""
    data = document.data
    remedy = t("a profile begins with: format: {format}", format=PROFILE_FORMAT)
    if not isinstance(data, dict):
        raise FileProblems((*document.problems, Problem(file, 1, 1, t("this is not a profile"), remedy)))
    found = data.get("format")
    if found == PROFILE_FORMAT:
        return
    place = document.where(("format",))
    if found is None:
        raise FileProblems((*document.problems, Problem(file, 1, 1, t('"format" is missing'), remedy)))
    hint = remedy
    if str(found).startswith("dronekit-cfg/profile/"):
        hint = t("this version of dronekit-cfg reads {format}: use a newer one", format=PROFILE_FORMAT)
    message = t('the format is "{found}"', found=str(found)[:60])
    raise FileProblems((*document.problems, Problem(file, *place, message, hint)))


def setting_objection(family: str, name: str, value: Scalar | None) -> tuple[str, str] | None:
    """Say why a setting cannot be one of this family, before any vehicle or metadata is known: message and remedy."""
    rule = _NAME_RULES.get(family)
    role = role_of(name)
    if found := _secret_objection(family, name, value):
        return found
    if role and (objection := role_objection(family, name, value)):
        return objection
    if rule and not role and not rule[0].fullmatch(name):
        upper = name.upper()
        hint = t("write {name}", name=upper) if name != upper and rule[0].fullmatch(upper) else t(rule[1])
        return t('"{name}" is not a setting name of {family}', name=name, family=family), hint
    word = role and name.endswith(".FUNCTION")
    if family in NUMERIC_FAMILIES and isinstance(value, str) and not word:
        message = t('{name}: "{value}" is not a number', name=name, value=value[:40])
        return message, t("settings of {family} are numbers: write the number of the option", family=family)
    if family in NUMERIC_FAMILIES and value is not None and not isinstance(value, str) and abs(value) > _FLOAT32_MAX:
        return t("{name}: {value} is too large", name=name, value=value), t("a vehicle stores 32-bit numbers")
    return None


def _secret_objection(family: str, name: str, value: Scalar | None) -> tuple[str, str] | None:
    known = SECRET_SETTINGS.get(family, frozenset())
    if value is not None and name in known and secret_name(value) is None:
        hint = t("write <secret:NAME>, and give the text as DRONEKIT_CFG_SECRET_NAME or in a file for --secrets")
        return t("{name} is a secret, and a profile is read by many", name=name), hint
    if name not in known and is_secret(value):
        hint = t("settings that are secrets: {known}", known=", ".join(sorted(known)) or t("none"))
        return t("{name}: this setting is no secret, and would show it", name=name), hint
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes a Layer of a document; `semantics` may be asked of a document that the schema refuses."""

    file: str
    document: yaml_tree.Document

    @property
    def data(self) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.document.data
        return data

    def violation(self, violation: schema.Violation) -> Problem:
        place = self.document.where(violation.path, key=violation.at_key)
        return Problem(self.file, *place, violation.message, violation.hint)

    def origin(self, *path: str | int, key: bool = True) -> Origin:
        return Origin(str(self.data.get("name", "")), self.file, *self.document.where(path, key=key))

    def mapping(self, key: str) -> dict[str, Any]:
        found = self.data.get(key)
        return found if isinstance(found, dict) else {}

    def sequence(self, key: str) -> list[Any]:
        found = self.data.get(key)
        return found if isinstance(found, list) else []

    def semantics(self) -> Iterator[tuple[yaml_tree.Path, Problem]]:
        """What a JSON Schema cannot say: each mistake with the path that it is about."""
        checks: tuple[Callable[[], Iterator[tuple[yaml_tree.Path, str, str]]], ...] = (
            self._check_firmware,
            self._check_inputs,
            self._check_settings,
            self._check_waivers,
        )
        for check in checks:
            for path, message, hint in check():
                yield path, Problem(self.file, *self.document.where(path, key=path[0] == "settings"), message, hint)
        for name, entry in self.mapping("settings").items():
            if isinstance(entry, dict) and isinstance(entry.get("expr"), str):
                path = ("settings", name, "expr")
                try:
                    expressions.names_needed(entry["expr"], self.origin(*path, key=False))
                except FileProblems as error:
                    yield from ((path, p) for p in error.problems)

    def _check_firmware(self) -> Iterator[tuple[yaml_tree.Path, str, str]]:
        text = self.data.get("firmware", "")
        if isinstance(text, str) and (why := firmware.range_error(text)):
            yield ("firmware",), why, t('write it like this: ">=4.5,<4.8"')

    def _check_inputs(self) -> Iterator[tuple[yaml_tree.Path, str, str]]:
        for name, entry in self.mapping("inputs").items():
            path: yaml_tree.Path = ("inputs", name)
            if keyword.iskeyword(name) or name in expressions.FUNCTIONS:
                yield path, t('"{name}" is a word of expressions', name=name), t("choose another name for the input")
            if isinstance(entry, dict) and entry.get("type") in _INPUT_TYPES:
                yield from ((path, *found) for found in _spec_objections(_input(name, entry)))

    def _check_settings(self) -> Iterator[tuple[yaml_tree.Path, str, str]]:
        family = str(self.data.get("family", ""))
        for name, entry in self.mapping("settings").items():
            value = entry.get("value") if isinstance(entry, dict) else entry
            found = setting_objection(family, name, value) if isinstance(value, Scalar | None) else None
            if found:
                yield ("settings", name), *found

    def _check_waivers(self) -> Iterator[tuple[yaml_tree.Path, str, str]]:
        for index, entry in enumerate(self.sequence("waive")):
            until = entry.get("until") if isinstance(entry, dict) else None
            if isinstance(until, str) and not _is_date(until):
                yield ("waive", index, "until"), t("{until} is not a date", until=until), t("write it like 2027-03-01")

    def layer(self) -> Layer:
        data = self.data
        plain = {k: data[k] for k in ("vehicle", "firmware", "names", "summary", "region") if k in data}
        return Layer(
            file=self.file,
            name=data["name"],
            version=data["version"],
            family=data["family"],
            **plain,
            extends=self.references("extends"),
            overrides=self.references("overrides"),
            requires=self.references("requires"),
            flags=tuple(self.sequence("flags")),
            inputs=tuple(_input(n, e) for n, e in self.mapping("inputs").items()),
            input_values=self.answers(),
            settings=tuple(self.setting(n, e) for n, e in self.mapping("settings").items()),
            waivers=tuple(self.waiver(i, e) for i, e in enumerate(self.sequence("waive"))),
            modules=tuple(self.module(n, e) for n, e in self.mapping("modules").items()),
        )

    def references(self, key: str) -> tuple[Reference, ...]:
        return tuple(Reference(n, self.origin(key, i, key=False)) for i, n in enumerate(self.sequence(key)))

    def answers(self) -> dict[str, tuple[Scalar, Origin]]:
        """Collect the inputs that this file knows; ports are inputs too."""
        found = {n: (v, self.origin("input_values", n)) for n, v in self.mapping("input_values").items()}
        return found | {port_input(n): (v, self.origin("ports", n)) for n, v in self.mapping("ports").items()}

    def setting(self, name: str, entry: Any) -> LayerSetting:
        full = entry if isinstance(entry, dict) else {"value": entry}
        origin = self.origin("settings", name)
        because, source = full.get("because", ""), full.get("source", "")
        optional = bool(full.get("optional", False))
        return LayerSetting(name, full.get("value"), full.get("expr"), because, source, origin, optional)

    def module(self, role: str, entry: Mapping[str, Any]) -> ModuleSlot:
        texts = {k: entry[k] for k in ("family", "profile", "link", "region") if k in entry}
        return ModuleSlot(role, **texts, optional=entry.get("optional"), origin=self.origin("modules", role))

    def waiver(self, index: int, entry: Mapping[str, str]) -> Waiver:
        origin = self.origin("waive", index, key=False)
        return Waiver(entry["rule"], entry["because"], entry.get("until", ""), origin, entry.get("who", ""))


_INPUT_TYPES = frozenset({"integer", "number", "string", "boolean"})


def _input(name: str, entry: Mapping[str, Any]) -> InputSpec:
    return InputSpec(
        name=name,
        type=entry["type"],
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        choices=tuple(entry.get("choices", ())),
        default=entry.get("default"),
        help=entry.get("help", ""),
    )


def _spec_objections(spec: InputSpec) -> Iterator[tuple[str, str]]:
    """Say where a declaration contradicts itself."""
    if spec.minimum is not None and spec.maximum is not None and spec.minimum > spec.maximum:
        message = t("inputs.{name}: minimum is larger than maximum", name=spec.name)
        yield message, t("exchange the two numbers")
    if spec.default is not None and (why := fits(spec, spec.default)):
        yield t("inputs.{name}: the default does not fit: {why}", name=spec.name, why=why), t("correct the default")


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
