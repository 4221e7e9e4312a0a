"""Makes the schemas of an aircraft's files from those of one device: python tests/support/aircraft_schemas.py

A file of an aircraft holds what the files of its devices hold, so its schema holds theirs, without the frame of a file
(format, digest, seal). Each schema stands on its own, since few tools follow references between files. A test says when
the schema of a device was changed and this was not run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

SCHEMAS = Path(__file__).parents[2] / "schemas"
FRAME = ("format", "changed", "digest", "seal")
RESULT = ["done", "unchanged", "rolled-back", "in-doubt"]
STRINGS: Schema = {"type": "array", "items": {"type": "string"}}
PLACE: Schema = {
    "role": {"type": "string", "description": "vehicle for the flight controller, else what the profile calls it"},
    "link": {"type": "string", "description": "how it was reached"},
}


def load(name: str) -> Schema:
    found: Schema = json.loads((SCHEMAS / f"{name}.v1.schema.json").read_text("utf-8"))
    return found


def text(about: str) -> Schema:
    return {"type": "string", "description": about}


def closed(required: tuple[str, ...], properties: Schema, about: str = "") -> Schema:
    head: Schema = {"type": "object", "additionalProperties": False}
    return {**head, **({"description": about} if about else {}), "required": list(required), "properties": properties}


def of_device(name: str, frame: tuple[str, ...] = FRAME) -> Schema:
    """Give what is said about one device, as it stands within a file."""
    whole = load(name)
    body = {key: sub for key, sub in whole["properties"].items() if key not in frame}
    required = tuple(key for key in whole["required"] if key not in frame)
    return {name: closed(required, body, whole["description"]), **whole["$defs"]}


def of_snapshot() -> Schema:
    """Give a snapshot within a file: settings are records there, with values that tell their type."""
    defs = of_device("snapshot", (*FRAME, "tool"))
    value = {"$ref": "#/$defs/value"}
    name = load("snapshot")["$defs"]["setting"]["properties"]["name"]
    body = defs["snapshot"]
    body["required"] = [key for key in body["required"] if key not in {"typed", "raw"}]
    return {**defs, "setting": closed(("name", "value"), {"name": name, "value": value, "default": value})}


def sealed(kind: str, about: str, properties: Schema, optional: tuple[str, ...], defs: Schema) -> Schema:
    frame = {"format": {"const": f"dronekit-cfg/aircraft-{kind}/v1"}}
    whole = {**frame, **properties, "seal": load("receipt")["properties"]["seal"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dronekit-cfg:schema:aircraft-{kind}:v1",
        "title": f"dronekit-cfg {kind} of an aircraft, version 1",
        **closed(tuple(key for key in whole if key not in optional), whole, about),
        "$defs": defs,
    }


def parts(of_one: Schema, optional: tuple[str, ...] = ()) -> Schema:
    properties = {**PLACE, **of_one}
    required = tuple(key for key in properties if key not in optional)
    return {
        "type": "array",
        "minItems": 1,
        "items": closed(required, properties, "one device"),
        "description": "the devices in the order of the work",
    }


def plan() -> Schema:
    body = {"profile": text("stack"), "parts": parts({"plan": {"$ref": "#/$defs/plan"}})}
    return sealed("plan", "The plans of all devices of an aircraft.", body, (), of_device("plan"))


def snapshot() -> Schema:
    body = {
        "taken": text("when, ISO 8601 UTC"),
        "profile": text("the stack that was to be applied"),
        "parts": parts({"snapshot": {"$ref": "#/$defs/snapshot"}}),
    }
    about = "The settings of all devices of an aircraft, before any was written."
    return sealed("snapshot", about, body, (), of_snapshot())


def receipt() -> Schema:
    defs = of_device("receipt")
    one = defs["receipt"]["properties"]
    same = {key: one[key] for key in ("action", "who", "started", "finished", "seconds", "tool", "profile")}
    part = {
        "identity": {"$ref": "#/$defs/identity"},
        "profile": one["profile"],
        "profile_digest": one["profile_digest"],
        "result": {"enum": RESULT},
        "receipt": {"$ref": "#/$defs/receipt"},
        "problems": STRINGS,
        "left_out": one["left_out"],
    }
    body = {
        "changed": {"type": "boolean", "description": "whether the aircraft holds other values than before"},
        "action": same.pop("action"),
        "result": {"enum": RESULT, "description": "in doubt when any device is, unchanged only when all are"},
        **same,
        "snapshot_file": text("the settings of all devices before"),
        "journal_file": text("the decision for all devices"),
        "parts": parts(part, ("receipt", "problems", "left_out")),
        "problems": STRINGS,
        "notes": STRINGS,
    }
    about = "The record of one apply, restore or recover of a whole aircraft."
    return sealed("receipt", about, body, ("problems", "notes"), defs)


def journal() -> Schema:
    """One line of the journal; it is no sealed file, for it grows."""
    who = ("family", "vehicle", "version", "version_text", "board", "uid", "address")
    known = load("receipt")["$defs"]["identity"]["properties"]
    part = {
        **PLACE,
        "driver": text("family that talks to it"),
        "identity": closed(who, {key: known[key] for key in who}, "the device, as it reports itself"),
    }
    lines: dict[str, tuple[Schema, tuple[str, ...]]] = {
        "begin": (
            {
                "format": {"const": "dronekit-cfg/aircraft-journal/v1"},
                "action": text("apply or restore"),
                "profile": text("stack"),
                "started": text("ISO 8601 UTC"),
                "snapshot": text("file with the settings of all devices before"),
                "parts": parts(part),
            },
            (),
        ),
        "part": ({"role": PLACE["role"], "state": {"enum": ["begun", "held"], "description": "held: verified"}}, ()),
        "decide": ({"to": {"enum": ["new", "old"]}, "why": text("what made it be undone")}, ("why",)),
        "end": ({"result": {"enum": RESULT}, "why": text("what is in doubt, or was undone")}, ("why",)),
    }
    kinds = []
    for kind, (properties, optional) in lines.items():
        whole = {"kind": {"const": kind}, **properties}
        kinds.append(closed(tuple(key for key in whole if key not in optional), whole))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:dronekit-cfg:schema:aircraft-journal:v1",
        "title": "dronekit-cfg journal of an aircraft, version 1",
        "description": "One line of the journal that decides for all devices of an aircraft; the first one is `begin`.",
        "oneOf": kinds,
    }


MAKERS = {
    "aircraft-journal": journal,
    "aircraft-plan": plan,
    "aircraft-receipt": receipt,
    "aircraft-snapshot": snapshot,
}


def shown(schema: Schema) -> str:
    """Give the text of a schema's file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for name, make in MAKERS.items():
        (SCHEMAS / f"{name}.v1.schema.json").write_text(shown(make()), "utf-8")


if __name__ == "__main__":
    main()
