"""What signatures and build files add to the verbs that talk to a vehicle: who signed, what is fitted, what must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dronekit_cfg.catalog.inventory import Part
    from dronekit_cfg.formats.signing import Signed

__all__ = [
    "fitted_data",
    "fitted_view",
    "parts_view",
    "require_digest",
    "require_signature",
    "required_parts",
]


def require_signature(profile: str, keyring: Path | None) -> Signed | None:
    """Check the signature of the lock that is named; None without a key ring.

    Raises UsageError and FileProblems for anything but a lock that somebody of the key ring signed.
    """
    if keyring is None:
        return None
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.keys import load_keyring
    from dronekit_cfg.formats.machine_json import format_of
    from dronekit_cfg.formats.signing import verify_lock

    path = Path(profile).expanduser()
    text = read_text(path) if path.suffix == ".json" and path.is_file() else ""
    if not format_of(text).startswith("lock/"):
        message = t("{profile} is not a signed lock, and --require-signature takes nothing else", profile=profile)
        raise UsageError(message, hint=t("make one: profile lock, then profile sign"))
    signature = path.with_name(path.name + ".sig")
    if not signature.is_file():
        message = t("{file} is not signed: there is no {signature}", file=path, signature=signature.name)
        raise UsageError(message, hint=t("have it signed by somebody you trust: profile sign"))
    return verify_lock(text, read_text(signature), load_keyring(keyring), file=str(signature))


def require_digest(signed: Signed | None, digest: str) -> None:
    """Make sure that what is about to be applied is what was signed. Raises UsageError."""
    if signed is not None and signed.resolved.digest != digest:
        message = t("what would be applied is not what was signed")
        raise UsageError(message, hint=t("the file changed meanwhile: run the command again"))


def required_parts(profile: str) -> Mapping[str, str | int]:
    """Give what a build file requires; nothing for anything that is no build file."""
    from dronekit_cfg.formats.builds import is_build, parse_build
    from dronekit_cfg.formats.files import read_text

    path = Path(profile).expanduser()
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return {}
    text = read_text(path)
    return parse_build(text, profile).requires if is_build(text) else {}


def fitted_data(requires: Mapping[str, str | int], parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Give each requirement of a build with what is fitted, as data."""
    from dronekit_cfg.catalog.inventory import compared_parts
    from dronekit_cfg.formats.records import to_data

    rows = compared_parts(requires, parts)
    return [{"part": k, "requires": w, "fitted": [to_data(p) for p in own], "holds": ok} for k, w, own, ok in rows]


def fitted_view(requires: Mapping[str, str | int], parts: Sequence[Part]) -> RenderableType:
    """Show what a build requires beside what is fitted."""
    from dronekit_cfg.catalog.inventory import compared_parts, described
    from dronekit_cfg.cli.render import simple_table

    words = {True: t("yes"), False: t("NO")}
    shown = [
        (what, wanted, ", ".join(described(p, what.partition(".")[2]) for p in own) or t("none"), words[holds])
        for what, wanted, own, holds in compared_parts(requires, parts)
    ]
    return simple_table((t("Part"), t("The build requires"), t("Fitted"), t("Holds")), shown)


def parts_view(parts: tuple[Part, ...]) -> RenderableType:
    """Show parts as a table."""
    from dronekit_cfg.cli.render import simple_table

    sides = {True: t("external"), False: t("internal"), None: ""}
    answers = {True: t("answers"), False: t("SILENT"), None: ""}
    rows = [
        (p.kind, str(p.number), p.type, p.place, sides[p.external] or answers[p.answers], p.firmware, p.setting)
        for p in parts
    ]
    return simple_table((t("Part"), "#", t("Type"), t("Where"), "", t("Firmware"), t("Told by")), rows)
