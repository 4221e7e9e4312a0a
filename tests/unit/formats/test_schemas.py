"""The shipped JSON Schemas themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dronekit_cfg.formats import schema

NAMES = (
    *("profile.v1", "snapshot.v1", "plan.v1", "receipt.v1", "lock.v1", "build.v1"),
    *("aircraft-plan.v1", "aircraft-receipt.v1", "aircraft-snapshot.v1"),
)


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, sub in node.get("properties", {}).items():
            yield f"{path}.{name}", sub
        for key, sub in node.items():
            yield from properties(sub, f"{path}.{key}")
    elif isinstance(node, list):
        for sub in node:
            yield from properties(sub, path)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_a_schema_and_names_itself(name: str) -> None:
    import jsonschema_rs

    loaded = schema.load_schema(name)
    kind = name.partition(".")[0]
    jsonschema_rs.meta.validate(loaded)
    assert loaded["properties"]["format"] == {
        **loaded["properties"]["format"],
        "const": f"dronekit-cfg/{kind}/v1",
    }
    assert loaded["additionalProperties"] is False


def test_an_editor_has_something_to_say_about_every_key_of_a_profile() -> None:
    silent = [path for path, sub in properties(schema.load_schema("profile.v1")) if "description" not in sub]
    assert silent == [".$defs.explained.value"]
    assert schema.load_schema("profile.v1")["$defs"]["value"]["description"]
