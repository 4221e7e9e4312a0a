"""The rule packs that come with this package.

They are written as YAML, where people read and edit them; reading YAML with line numbers and checking it takes about a
second, so a compiled JSON form lies beside them. It carries the digest of the YAML that it was made from and is used
only while that still holds. `python -m dronekit_cfg.rules.shipped` makes it anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from dronekit_cfg.rules.rule import Rule

__all__ = ["compile_packs", "main", "shipped_rules"]

_COMPILED = "compiled.json"


def _folder() -> Path:
    return Path(__file__).resolve().parent / "packs"


def _sources(folder: Path) -> list[tuple[str, bytes]]:
    """Give name and content of every pack; line ends are made equal, because git may change them."""
    return [(p.name, p.read_bytes().replace(b"\r\n", b"\n")) for p in sorted(folder.glob("*.yaml"))]


def _digest(sources: list[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for name, content in sources:
        total.update(f"{name} {len(content)}\n".encode())
        total.update(content)
    return total.hexdigest()


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """Give every shipped rule, in the order of the packs. Raises FileProblems when a pack was damaged."""
    folder = _folder()
    sources = _sources(folder)
    compiled = folder / _COMPILED
    if compiled.is_file():
        data = json.loads(compiled.read_bytes())
        if data["digest"] == _digest(sources):
            return _from_compiled(data)
    return _from_yaml(sources)


def _from_compiled(data: dict[str, Any]) -> tuple[Rule, ...]:
    from dronekit_cfg.rules.build import build

    return tuple(
        build(raw, pack=pack["pack"], file=pack["file"], line=line, column=column)
        for pack in data["packs"]
        for raw, (line, column) in zip(pack["rules"], pack["places"], strict=True)
    )


def _from_yaml(sources: list[tuple[str, bytes]]) -> tuple[Rule, ...]:
    from dronekit_cfg.rules.pack import parse_pack

    return tuple(rule for name, content in sources for rule in parse_pack(content.decode(), name).rules)


def compile_packs(folder: Path) -> str:
    """Give the compiled form of the packs in `folder`. Raises FileProblems when one of them is wrong."""
    from dronekit_cfg.rules import source
    from dronekit_cfg.rules.pack import parse_pack

    sources = _sources(folder)
    packs = []
    for name, content in sources:
        text = content.decode()
        parse_pack(text, name)
        document = source.load(text, name, "rules.v1.schema.json")
        rules = document.data["rules"]
        places = [document.place(("rules", i)) for i in range(len(rules))]
        packs.append({"pack": document.data["pack"], "file": name, "places": places, "rules": rules})
    return json.dumps({"digest": _digest(sources), "packs": packs}, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> int:
    """Write the compiled form of the shipped packs."""
    folder = _folder()
    text = compile_packs(folder)
    (folder / _COMPILED).write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(f"{folder / _COMPILED}: {len(text)} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
