"""`diff`: two files, snapshots or profiles, compared as a vehicle sees their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Offline, argument, new_app, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.settings import Difference
    from dronekit_cfg.formats.read_any import SettingsFile
    from dronekit_cfg.model import Scalar, Spec, Value

__all__ = ["app", "diff"]

app = new_app()

_WHAT = t("A snapshot, parameter file, `diff all` or `dump all` text, lock or profile.")


@verb(app)
def diff(
    out: Output,
    options: Offline,
    a: Annotated[str, argument(metavar="A", help=_WHAT)],
    b: Annotated[str, argument(metavar="B", help=_WHAT)],
) -> int:
    """Compare two files as a vehicle would see their values: 0.1 and 0.100000001 are the same float32.

    A profile sets only some settings: against anything else, only those are compared. What a vehicle changes by itself
    is not counted between two snapshots. Exit code 0: same; 1: differ.
    """
    from dronekit_cfg.cli.foreign import require_same_family
    from dronekit_cfg.cli.render import plural, simple_table, some
    from dronekit_cfg.cli.settings import compare, spec_of

    first, second = _read(a, b, options)
    require_same_family((a, first), (b, second))
    spec = spec_of(first, second, options)
    found = compare(first, second, spec)
    code = 1 if found.differences else 0
    out.document(
        "diff",
        code,
        a=a,
        b=b,
        compared=found.compared,
        differences=[
            {"name": d.name, "a": _plain(d.a), "b": _plain(d.b), "a_line": d.a_line, "b_line": d.b_line}
            for d in found.differences
        ],
        changing_by_themselves=[d.name for d in found.restless],
        not_told=list(found.untold),
    )
    _warn(out, first, second)
    if found.differences:
        rows = [
            (
                d.name,
                _described(spec, d, d.a, default=first.only_changes),
                _described(spec, d, d.b, default=second.only_changes),
            )
            for d in found.differences
        ]
        out.detail(simple_table((t("Setting"), _short(a), _short(b)), rows), "")
    count = plural(len(found.differences), t("setting differs"), t("settings differ"))
    if found.restless:
        names = ", ".join(d.name for d in found.restless)
        out.detail(t("not counted, because the vehicle changes them by itself: {names}", names=names))
    if found.untold:
        out.detail(
            t(
                "not compared, because `diff all` leaves out what is at its default: {names}",
                names=some(found.untold),
            )
        )
    if code:
        out.write_text(t("{count}, of {total} compared", count=count, total=found.compared))
    else:
        out.write_text(t("the same: {total} settings compared", total=found.compared))
    return code


def _read(a: str, b: str, options: Offline) -> tuple[SettingsFile, SettingsFile]:
    """Read both; a file that tells its family decides which of several profiles of one name is meant."""
    from dronekit_cfg.cli.settings import is_file, read_source

    if is_file(b) and not is_file(a):
        second = read_source(b, options)
        return read_source(a, options, family=second.family or ""), second
    first = read_source(a, options)
    return first, read_source(b, options, family=first.family or "")


def _warn(out: Output, *files: SettingsFile) -> None:
    for file in files:
        for warning in file.warnings:
            out.say(t("warning: {text}", text=warning))


def _plain(value: Value | Scalar | None) -> Scalar | None:
    from dronekit_cfg.model import Value

    return value.raw if isinstance(value, Value) else value


def _described(spec: Spec | None, difference: Difference, value: Value | Scalar | None, *, default: bool) -> str:
    from dronekit_cfg.cli.settings import as_value

    if value is None:
        return t("(default)") if default else t("(not there)")
    typed = as_value(value)
    return spec.get(difference.name).describe(typed) if spec else str(typed)


def _short(name: str, limit: int = 30) -> str:
    """Give the end of a long path: that is where files differ."""
    return name if len(name) <= limit else "..." + name[-limit + 3 :]
