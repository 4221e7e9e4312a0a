"""A receipt as a technician reads it: one line that says how it ended, then why, then where the evidence lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.cli.render import (
    Verbatim,
    bullets,
    command_text,
    facts,
    glyphs_of,
    headline,
    identity_rows,
    left_out_text,
    plural,
    some,
)
from dronekit_cfg.cli.render_cost import kilobytes
from dronekit_cfg.model import Receipt, Result, Verdict
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from dronekit_cfg.model.aircraft import AircraftReceipt

__all__ = ["EXIT_CODES", "outcome_view", "receipt_headline", "receipt_view"]

EXIT_CODES = {Result.DONE: 0, Result.UNCHANGED: 0, Result.ROLLED_BACK: 5, Result.IN_DOUBT: 6}
"""What the command line returns for each way to end."""


_HEADLINES = {
    (Result.UNCHANGED, False): (t("PASS"), t("UNCHANGED: the vehicle already is as wanted; nothing was written")),
    (Result.DONE, False): (t("PASS"), t("DONE: {written} written and verified, also after a reboot")),
    (Result.DONE, True): (t("PASS"), t("DONE: the interrupted work is finished, {written} verified")),
    (Result.ROLLED_BACK, False): (t("FAIL"), t("ROLLED BACK: the vehicle is exactly as before, and that was verified")),
    (Result.ROLLED_BACK, True): (
        t("UNDONE"),
        t("ROLLED BACK: the interrupted work is undone; the vehicle is exactly as before it"),
    ),
    (Result.IN_DOUBT, False): (t("FAIL"), t("IN DOUBT: the vehicle may hold old and new values. Do not fly it")),
}
"""The line that ends a receipt, by result and by whether it was a recover."""

_NOTHING_LEFT = t("UNCHANGED: nothing is left to write; nothing was written")
_UNPROVEN = t("DONE: {written} written and verified; no reboot has proven yet that they are stored")


def receipt_headline(receipt: Receipt) -> tuple[str, str]:
    """Give the word and the sentence of the last line."""
    recovering = (receipt.result, receipt.action == "recover")
    word, sentence = _HEADLINES.get(recovering) or _HEADLINES[receipt.result, False]
    if receipt.result is Result.DONE and not receipt.persistence_verified:
        sentence = _UNPROVEN
    written = sum(record.verdict is Verdict.WRITTEN for record in receipt.records)
    if receipt.result is Result.UNCHANGED and receipt.left_out:
        sentence = _NOTHING_LEFT
    sentence = sentence.format(written=plural(written, t("setting"), t("settings")))
    reached = receipt.result in {Result.DONE, Result.UNCHANGED}
    return word, left_out_text(sentence, receipt.left_out) if reached else sentence


def receipt_view(
    receipt: Receipt,
    console: Console,
    *,
    link: str,
    file: Path | None = None,
    introduced: bool = False,
    brief: bool = False,
) -> list[RenderableType]:
    """Give the parts of the picture; the line that matters comes last but for what to do next.

    `introduced`: the plan was shown, so which vehicle and profile is known. `brief` leaves out what is in the receipt
    file anyway, but never why something failed.
    """
    rows: list[tuple[str, str | Text]] = []
    if not introduced:
        rows += [*identity_rows(receipt.identity), (t("profile"), receipt.profile)]
    rows += [
        (t("took"), _took(receipt)),
        (t("receipt"), Verbatim(file or "")),
        (t("as built"), _as_built(receipt)),
    ]
    if receipt.result is not Result.UNCHANGED:
        rows.append((t("before"), Verbatim(receipt.snapshot_file)))
    if receipt.result is Result.IN_DOUBT:
        rows.append((t("journal"), Verbatim(receipt.journal_file)))
    remarks = [*receipt.notes, *_side_effects(receipt)]
    return outcome_view(
        receipt, console, rows=rows, remarks=remarks, told=receipt_headline(receipt), link=link, brief=brief
    )


def outcome_view(
    receipt: Receipt | AircraftReceipt,
    console: Console,
    *,
    rows: list[tuple[str, str | Text]],
    remarks: list[str],
    told: tuple[str, str],
    link: str,
    brief: bool,
) -> list[RenderableType]:
    """Give the picture of a receipt: facts in `rows`, what went wrong, remarks, the line that matters, what to do."""
    from rich.text import Text

    glyphs = glyphs_of(console)
    parts: list[RenderableType] = [] if brief else [facts(rows, indent=0)]
    if receipt.problems:
        heading = Text(t("What went wrong"), style="bold")
        parts += [*([] if brief else [Text("")]), heading, bullets(receipt.problems, glyphs)]
    if remarks and not brief:
        parts += [Text(""), Text(t("Good to know"), style="bold"), bullets(remarks, glyphs)]
    good = receipt.result in {Result.DONE, Result.UNCHANGED}
    undone = receipt.result is Result.ROLLED_BACK and receipt.action == "recover"
    parts += [*([Text("")] if parts else []), headline(*told, good=good, warn=undone)]
    following = _next(receipt, link)
    if following:
        parts.append(facts(following))
    return parts


def _as_built(receipt: Receipt) -> str:
    """Say how many parts the receipt names, and which of them are set up and silent."""
    if not receipt.parts:
        return ""
    silent = [f"{part.kind} {part.number}" for part in receipt.parts if part.answers is False]
    named = t("{parts} named in the receipt", parts=plural(len(receipt.parts), t("part"), t("parts")))
    return f"{named}; {t('silent: {names}', names=some(silent, 6))}" if silent else named


def _took(receipt: Receipt) -> str:
    if receipt.result is Result.UNCHANGED:
        return ""
    took = t(
        "{seconds:.1f} s, {reboots}",
        seconds=receipt.seconds,
        reboots=plural(receipt.reboots, t("reboot"), t("reboots")),
    )
    if receipt.actual is None or receipt.predicted is None:
        return took
    return t(
        "{took}; on the link {seconds:.1f} s and {size} (predicted {predicted:.1f} s and {expected})",
        took=took,
        seconds=receipt.actual.seconds,
        size=kilobytes(receipt.actual),
        predicted=receipt.predicted.seconds,
        expected=kilobytes(receipt.predicted),
    )


def _side_effects(receipt: Receipt) -> list[str]:
    if not receipt.side_effects:
        return []
    changed = [f"{name} {old} -> {new}" for name, old, new in receipt.side_effects]
    return [t("changed by the vehicle itself meanwhile: {changed}", changed=some(changed, 8))]


def _next(receipt: Receipt | AircraftReceipt, link: str) -> list[tuple[str, str | Text]]:
    """Say what to type next, if anything."""
    where = ("--link", link)
    if receipt.result is Result.IN_DOUBT:
        return [(t("what to do"), Verbatim(command_text("recover", *where)))]
    if receipt.result is Result.ROLLED_BACK:
        if receipt.action == "recover":
            return [(t("what to do"), t("run the apply again"))]
        return [(t("what to do"), t("mend what went wrong above, then run the same command again"))]
    if receipt.result is Result.DONE and receipt.action == "apply" and receipt.snapshot_file:
        return [(t("to undo"), Verbatim(command_text("restore", receipt.snapshot_file, *where)))]
    return []
