"""`profile`: the profile store: list, show, lint, lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Offline, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dronekit_cfg.formats.library import Entry, Library
    from dronekit_cfg.model import InputSpec, Resolved

__all__ = ["app", "lint", "list_profiles", "lock", "show"]

app = new_app(t("List, show, check and lock profiles."), no_args_is_help=True)

_STACK = t("A profile with its overlays, such as heavy-lift+gnss-resilient, or a file.")


@verb(app, "list")
def list_profiles(out: Output, options: Offline) -> int:
    """List the profiles there are: your own and those that are shipped."""
    from rich.text import Text

    from dronekit_cfg.cli.settings import library_of

    entries = library_of(options).list(family=options.family or None)
    out.document(
        "profile list",
        0,
        profiles=[
            {
                "name": e.name,
                "kind": e.kind,
                "family": e.family,
                "vehicle": e.vehicle,
                "version": e.version,
                "firmware": e.firmware,
                "summary": e.summary,
                "file": str(e.path),
                "problem": e.problem,
            }
            for e in entries
        ],
    )
    if not entries:
        out.write_text(t("no profiles found"))
    for of_family in dict.fromkeys(e.family for e in entries):
        for kind, title in _KINDS.items():
            listed = [e for e in entries if (e.family, e.kind) == (of_family, kind)]
            if listed:
                out.show(Text(f"{of_family}: {title}", style="bold underline"), *map(_entry_view, listed), "")
    return 0


_KINDS = {
    "base": t("to build on"),
    "airframe": t("airframes"),
    "overlay": t("overlays, added with +"),
}
"""Kinds of profiles and how a list calls them."""


def _entry_view(entry: Entry) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    head = Text("  ").append(entry.name, style="bold").append(f" {entry.version}")
    head.append(f"  {entry.family} {entry.vehicle} {entry.firmware}".rstrip(), style="dim")
    about = Text(entry.problem, style="red") if entry.problem else Text(entry.summary)
    return Group(head, Padding(about, (0, 0, 0, 6))) if about else head


@verb(app)
def show(
    out: Output,
    options: Offline,
    profile: Annotated[str, argument(metavar="PROFILE", help=_STACK)],
    setting: Annotated[
        str, option("--setting", "--why", metavar="NAME", help=t("Explain one setting: where it comes from."))
    ] = "",
) -> int:
    """Show what a profile sets, with every reason and the layer it comes from."""
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.formats.compose import explain
    from dronekit_cfg.formats.records import to_data

    library = library_of(options)
    try:
        resolved = _resolve(profile, library, options)
    except FileProblems:
        out.detail(*_inputs_view(_inputs(profile, library, options)))
        raise
    if setting:
        text = explain(resolved, setting)
        out.document("profile show", 0, profile=resolved.name, setting=setting, explanation=text)
        out.write_text(text)
        return 0
    out.document("profile show", 0, digest=resolved.digest, profile=to_data(resolved))
    out.show(*_profile_view(resolved, _inputs(profile, library, options)))
    return 0


def _resolve(stack: str, library: Library, options: Offline) -> Resolved:
    from dronekit_cfg.cli.session import parse_pairs
    from dronekit_cfg.formats.compose import resolve

    return resolve(
        stack,
        library,
        family=options.family or None,
        inputs=parse_pairs(options.inputs, "--input"),
        sets=tuple(options.sets or ()),
    )


def _inputs(stack: str, library: Library, options: Offline) -> tuple[InputSpec, ...]:
    """Give the inputs that a stack declares; none for a lock."""
    from dronekit_cfg.formats.compose import declared_inputs
    from dronekit_cfg.formats.stack import load_stack, split

    parts = split(stack)
    if parts[0].endswith(".json"):
        return ()
    return declared_inputs(load_stack(parts, library, family=options.family or None, unit=None))


def _inputs_view(specs: tuple[InputSpec, ...]) -> list[RenderableType]:
    from rich.text import Text

    from dronekit_cfg.cli.render import simple_table

    if not specs:
        return []
    rows = [(s.name, _allowed(s), _default(s), s.help) for s in specs]
    heads = (t("Input"), t("Allowed"), t("Default"), t("About"))
    return [simple_table(heads, rows), Text("")]


def _default(spec: InputSpec) -> str:
    """Say what holds without the input: a role without a port sets nothing."""
    if spec.default is not None:
        return str(spec.default)
    from dronekit_cfg.formats.roles import UNUSED, port_input

    return t("left out") if spec.name == UNUSED or spec.name.startswith(port_input("")) else t("needed")


def _allowed(spec: InputSpec) -> str:
    if spec.choices:
        return ", ".join(map(str, spec.choices))
    low, high = (f"{x:g}" if x is not None else "" for x in (spec.minimum, spec.maximum))
    return f"{spec.type} {low}..{high}" if low or high else spec.type


def _profile_view(resolved: Resolved, specs: tuple[InputSpec, ...]) -> list[RenderableType]:
    from rich.text import Text

    from dronekit_cfg.cli.render import facts, simple_table

    head = facts(
        [
            (t("profile"), resolved.name),
            (t("for"), f"{resolved.family} {resolved.vehicle} {resolved.firmware}".strip()),
            (t("layers"), ", ".join(resolved.layers)),
            (t("flags"), ", ".join(resolved.flags)),
            (t("inputs"), ", ".join(f"{k}={v}" for k, v in resolved.inputs.items())),
            (t("digest"), resolved.digest),
            (t("left out"), "; ".join(resolved.notes)),
        ],
        indent=0,
    )
    rows = [(w.name, str(w.value), w.because, w.origin.layer) for w in sorted(resolved.settings, key=lambda w: w.name)]
    heads = (t("Setting"), t("Value"), t("Why"), t("Layer"))
    return [head, Text(""), *_inputs_view(specs), simple_table(heads, rows)]


@verb(app)
def lint(
    out: Output,
    options: Offline,
    files: Annotated[
        list[str] | None, argument(metavar="[PROFILE]...", help=t("Profiles or files; without any, all there are."))
    ] = None,
) -> int:
    """Check profile files. Exit code 0: clean; 1: problems, each with file:line:col and remedy."""
    from dronekit_cfg.cli.render import plural
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.engine.generations import layer_problems
    from dronekit_cfg.formats.lint import file_problems
    from dronekit_cfg.formats.profile_yaml import load_layer

    library = library_of(options)
    family = options.family or None
    paths = [library.find(n, family=family) for n in files] if files else [e.path for e in library.list(family=family)]
    problems: list[Problem] = []
    for path in paths:
        try:
            problems += layer_problems(load_layer(path)) or file_problems(path, library)
        except FileProblems as error:
            problems += error.problems
        except UsageError as error:
            problems.append(Problem(str(path), 0, 0, error.message, error.hint))
    code = 1 if problems else 0
    out.document(
        "profile lint",
        code,
        files=[str(p) for p in paths],
        problems=[
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint} for p in problems
        ],
    )
    for problem in problems:
        out.write_text(str(problem) + (t("\n  what to do: {hint}", hint=problem.hint) if problem.hint else ""))
    checked = plural(len(paths), t("profile"), t("profiles"))
    found = plural(len(problems), t("problem"), t("problems"))
    out.write_text(t("{checked} checked: {found}", checked=checked, found=found if problems else t("all clean")))
    return code


@verb(app)
def lock(
    out: Output,
    options: Offline,
    profile: Annotated[str, argument(metavar="[PROFILE]", help=_STACK)] = "",
    output: Annotated[
        Path | None, option("--output", "-o", metavar="FILE", help=t("The lock file; else NAME.lock.json here."))
    ] = None,
    check: Annotated[
        Path | None, option("--check", metavar="FILE", help=t("Compare this lock with what the profile says today."))
    ] = None,
) -> int:
    """Write down what a profile resolves to, so that every aircraft gets exactly these values.

    With --check nothing is written; exit code 0: the lock still fits; 1: it differs. A build file needs no PROFILE.
    """
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.formats.files import write_atomic
    from dronekit_cfg.formats.lock import lock_text

    if check is not None:
        return _check_lock(out, profile, check, options)
    if not profile:
        raise UsageError(t("no profile is named"), hint=t("dronekit-cfg profile list shows what there is"))
    resolved = _resolve(profile, library_of(options), options)
    path = output or Path(resolved.name.replace("/", "-") + ".lock.json")
    write_atomic(path, lock_text(resolved))
    out.document("profile lock", 0, file=str(path), digest=resolved.digest, settings=len(resolved.settings))
    out.write_text(
        t("{file}: {count} settings, {digest}", file=path, count=len(resolved.settings), digest=resolved.digest)
    )
    return 0


def _check_lock(out: Output, profile: str, path: Path, options: Offline) -> int:
    """Compare a lock with what `profile` says today, or a build file with what its own stack says."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.formats.builds import check_build, is_build, parse_build
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.lock import check_lock

    library, text = library_of(options), read_text(path)
    if is_build(text):
        build = parse_build(text, str(path))
        found, digest = check_build(build, library), build.digest
    elif not profile:
        raise UsageError(t("no profile is named"), hint=t("name the stack that the lock was made of"))
    else:
        resolved = _resolve(profile, library, options)
        found, digest = check_lock(text, resolved, file=str(path)), resolved.digest
    code = 1 if found else 0
    differences = [{"what": d.what, "locked": d.locked, "now": d.now} for d in found]
    out.document("profile lock", code, file=str(path), digest=digest, differences=differences)
    if found:
        rows = [(d.what, d.locked, d.now) for d in found]
        out.show(simple_table((t("What"), t("Locked"), t("Now")), rows))
        return code
    out.write_text(t("{file} still fits", file=path))
    return code
