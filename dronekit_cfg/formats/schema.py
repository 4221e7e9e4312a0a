"""Checks data against a shipped JSON Schema and says each mistake in a person's words, with its remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.text import t

__all__ = ["Violation", "check", "load_schema"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One mistake: the path to the value it is about, and whether the key (not the value) is to blame."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Load the shipped schema `name`, such as "profile.v1"."""
    path = shipped("schemas") / f"{name}.schema.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


@cache
def _validator(name: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(load_schema(name))


def check(name: str, data: Any) -> tuple[Violation, ...]:
    """Give every mistake of `data` (plain builtins only) against the schema `name`."""
    schema = load_schema(name)
    return tuple(v for error in _validator(name).iter_errors(data) for v in _violations(error, schema, data))


def _violations(error: Any, schema: Mapping[str, Any], data: Any) -> list[Violation]:
    path = tuple(error.instance_path)
    keyword = error.kind.name
    detail = error.kind.as_dict()
    if keyword == "additionalProperties":
        known = _subschema(schema, error.schema_path[:-1]).get("properties", {})
        return [_unknown_key(path, key, known) for key in detail["unexpected"]]
    if keyword == "propertyNames":
        return [_bad_name(path, key, schema, error) for key in _names_refused(error, data, schema)]
    sub = _subschema(schema, error.schema_path[:-1])
    message, hint = _TEXTS.get(keyword, _other)(detail, error, sub)
    return [
        Violation(path, t("{what}{message}", what=_called(path), message=message), hint or sub.get("description", ""))
    ]


def _unknown_key(path: tuple[str | int, ...], key: str, known: Mapping[str, Any]) -> Violation:
    hint = did_you_mean(key, known, otherwise=t("known here: {names}", names=", ".join(known)))
    return Violation((*path, key), t('unknown key "{key}"', key=key), hint, at_key=True)


def _names_refused(error: Any, data: Any, schema: Mapping[str, Any]) -> list[str]:
    """Give the keys that the pattern refuses; the validator names only the first one, and only in its message."""
    import re

    node = data
    for step in error.instance_path:
        node = node[step]
    rule = _subschema(schema, error.schema_path[: list(error.schema_path).index("propertyNames") + 1])
    pattern = re.compile(rule.get("pattern", ""))
    return [k for k in node if not pattern.search(k) or len(k) > rule.get("maxLength", len(k))]


def _bad_name(path: tuple[str | int, ...], key: str, schema: Mapping[str, Any], error: Any) -> Violation:
    rule = _subschema(schema, error.schema_path[: list(error.schema_path).index("propertyNames") + 1])
    return Violation((*path, key), t('"{key}" is not a name', key=key[:60]), rule.get("description", ""), at_key=True)


def _subschema(schema: Mapping[str, Any], path: Any) -> dict[str, Any]:
    """Walk to the part of the schema that failed, through references."""
    node: Any = schema
    for step in path:
        node = _target(schema, node[step]) if step == "$ref" else node[step]
    return node if isinstance(node, dict) else {}


def _target(schema: Mapping[str, Any], reference: str) -> Any:
    node: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def _called(path: tuple[str | int, ...]) -> str:
    """Give the path as a person names it, with a colon: `settings.GPS1_TYPE: `."""
    return ".".join(str(p) for p in path) + ": " if path else ""


_TYPE_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
    "object": "a mapping (key: value)",
    "string": "a text",
}


def _type(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    found = error.instance
    wanted = t(" or ").join(t(_TYPE_WORDS[w]) for w in detail["types"])
    shown = t("nothing") if found is None else json.dumps(found, ensure_ascii=False)[:40]
    hint = ""
    if "string" in detail["types"] and "number" not in detail["types"] and isinstance(found, int | float):
        hint = t('put it into quotes: "{found}" ({about})', found=shown, about=sub.get("description", "a text"))
    elif isinstance(found, bool) and "number" in detail["types"]:
        hint = t('write the number (1 or 0), or the text in quotes: "{found}"', found=shown)
    elif detail["types"] == ["array"] and isinstance(found, str):
        hint = t("write it as a list: [{found}]", found=found[:40])
    return t("must be {wanted}, not {found}", wanted=wanted, found=shown), hint or str(sub.get("description", ""))


def _required(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    del error
    missing = detail["property"]
    about = sub.get("properties", {}).get(missing, {}).get("description", "")
    hint = t("add {key}: ({about})", key=missing, about=about) if about else t("add {key}:", key=missing)
    return t('"{key}" is missing', key=missing), hint


def _enum(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    del sub
    options = [str(o) for o in detail["options"]]
    otherwise = t("use one of {options}", options=", ".join(options))
    return t('"{found}" is not known', found=error.instance), did_you_mean(
        str(error.instance), options, otherwise=otherwise
    )


def _pattern(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    del detail
    return t('"{found}" does not fit', found=str(error.instance)[:60]), str(sub.get("description", ""))


def _one_of(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    """Only used for "exactly one of these keys"."""
    del detail, error
    keys = [r for option in sub.get("oneOf", ()) for r in option.get("required", ())]
    return t("needs exactly one of {keys}", keys=", ".join(keys)), t("keep one of them")


def _const(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    del sub
    wanted = detail["expected_value"]
    return t('"{found}" is not "{wanted}"', found=error.instance, wanted=wanted), t("write {wanted}", wanted=wanted)


def _other(detail: Any, error: Any, sub: Mapping[str, Any]) -> tuple[str, str]:
    del detail
    return str(error.message)[:200], str(sub.get("description", ""))


_TEXTS: dict[str, Callable[[Any, Any, Mapping[str, Any]], tuple[str, str]]] = {
    "const": _const,
    "enum": _enum,
    "oneOf": _one_of,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
}
