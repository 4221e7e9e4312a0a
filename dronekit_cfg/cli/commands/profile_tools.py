"""`profile`, its makers: compose, new, diff, migrate, sign and verify-signature."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.commands.profile import app
from dronekit_cfg.cli.options import Offline, argument, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.model import Resolved

__all__ = ["app", "compose", "diff", "migrate", "new", "sign", "verify_signature"]

_STACK = t("A profile with its overlays, such as heavy-lift+gnss-resilient, or a file.")
_Output = Annotated[Path | None, option("--output", "-o", metavar="FILE", help=t("Where to write it."))]


@verb(app)
def compose(
    out: Output,
    options: Offline,
    stack: Annotated[str, argument(metavar="STACK", help=_STACK)],
    name: Annotated[
        str, option("--name", metavar="NAME", help=t("Name of the build; else that of the airframe."))
    ] = "",
    requires: Annotated[
        list[str] | None,
        option("--require", metavar="KIND=WHAT", help=t('What must be fitted, such as imu=">=2"; repeatable.')),
    ] = None,
    output: _Output = None,
) -> int:
    """Write a stack with its inputs and ports as one build file, builds/NAME.yaml, with locked digests and values."""
    from dronekit_cfg.catalog.inventory import requirement_error
    from dronekit_cfg.cli.session import parse_pairs
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.formats.builds import compose_build
    from dronekit_cfg.formats.stack import split

    needed: dict[str, str | int] = {**parse_pairs(requires, "--require")}
    for kind, what in needed.items():
        if error := requirement_error(kind, what):
            raise UsageError(error, hint=t("for example --require compass=external"))
    called = name or split(stack)[0].rpartition("/")[2]
    inputs = parse_pairs(options.inputs, "--input")
    family = options.family or None
    text, resolved = compose_build(called, stack, library_of(options), family=family, inputs=inputs, requires=needed)
    path = output or Path("builds") / f"{called}.yaml"
    _write(out, path, text)
    out.document("profile compose", 0, file=str(path), digest=resolved.digest, notes=list(resolved.notes))
    for note in resolved.notes:
        out.write_text(t("note: {note}", note=note))
    count = len(resolved.settings)
    out.write_text(t("{file}: {count} settings, {digest}", file=path, count=count, digest=resolved.digest))
    return 0


def _write(out: Output, path: Path, text: str) -> None:
    from dronekit_cfg.formats.files import write_atomic

    if path.exists() and not out.yes:
        raise UsageError(t("{file} exists", file=path), hint=t("choose another name, or add --yes to replace it"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text)


@verb(app)
def new(
    out: Output,
    options: Offline,
    snapshot: Annotated[Path, argument(metavar="SNAPSHOT", help=t("A snapshot of a vehicle that flies."))],
    output: _Output = None,
    name: Annotated[str, option("--name", metavar="NAME", help=t("Name of the profile."))] = "mine",
    defaults: Annotated[
        Path | None,
        option("--defaults", metavar="SNAPSHOT", help=t("A snapshot of such a vehicle after a reset: its defaults.")),
    ] = None,
) -> int:
    """Write a profile from a snapshot: without defaults, calibration and identity, grouped and labelled.

    An airframe of PX4 brings defaults of its own, which no vehicle tells: show them with --defaults.
    """
    from functools import partial

    from dronekit_cfg.cli.render import plural
    from dronekit_cfg.cli.session import offline_policy
    from dronekit_cfg.engine.generations import generation_of
    from dronekit_cfg.engine.knowledge import spec_for_vehicle
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.formats.new_profile import new_profile
    from dronekit_cfg.formats.snapshot_json import read_snapshot

    found = read_snapshot(snapshot)
    fresh = read_snapshot(defaults) if defaults else None
    identity = found.identity
    if fresh is not None and fresh.identity.family != identity.family:
        message = t("{file} is of {family}", file=defaults, family=fresh.identity.family)
        raise UsageError(message, hint=t("give a snapshot of a vehicle of {family}", family=identity.family))
    spec = spec_for_vehicle(identity, StateDir(options.state_dir).root)
    made = new_profile(
        found,
        name,
        spec=spec,
        protected=offline_policy(identity.family).protected,
        generation=partial(generation_of, family=identity.family, vehicle=identity.vehicle),
        fresh=fresh,
    )
    path = output or Path(f"{name}.yaml")
    _write(out, path, made.text)
    out.document("profile new", 0, file=str(path), settings=made.settings, left_out=list(made.left_out))
    count = plural(made.settings, t("setting"), t("settings"))
    left = len(made.left_out)
    out.write_text(t("{file}: {count}; {left} protected ones left out", file=path, count=count, left=left))
    if identity.family == "px4" and fresh is None:
        out.write_text(
            t("an airframe of PX4 brings defaults of its own: with --defaults they are told from what was chosen")
        )
    return 0


@verb(app)
def diff(
    out: Output,
    options: Offline,
    first: Annotated[str, argument(metavar="A", help=_STACK)],
    second: Annotated[str, argument(metavar="B", help=_STACK)],
) -> int:
    """Compare what two profiles ask for, with the reason of each value of the second. Exit code 1: they differ."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.formats.profile_diff import diff_profiles

    found = diff_profiles(_resolve(first, options), _resolve(second, options))
    code = 1 if found else 0
    keys = ("what", "a", "b", "why", "layer")
    out.document("profile diff", code, differences=[{k: getattr(d, k) for k in keys} for d in found])
    if found:
        heads = (t("Setting"), first, second, t("Why"), t("Layer"))
        out.show(simple_table(heads, [tuple(getattr(d, k) for k in keys) for d in found]))
    else:
        out.write_text(t("both ask for the same"))
    return code


def _resolve(stack: str, options: Offline) -> Resolved:
    """Resolve one of two stacks: inputs that only the other one knows are left out."""
    from dronekit_cfg.cli.session import parse_pairs
    from dronekit_cfg.cli.settings import library_of
    from dronekit_cfg.formats.compose import declared_inputs, resolve
    from dronekit_cfg.formats.library import is_path
    from dronekit_cfg.formats.stack import load_stack, split

    library, family = library_of(options), options.family or None
    inputs = parse_pairs(options.inputs, "--input")
    parts = split(stack)
    if is_path(parts[0]) and parts[0].endswith(".json"):
        return resolve(stack, library)
    known = {s.name for s in declared_inputs(load_stack(parts, library, family=family, unit=None))}
    own = {n: v for n, v in inputs.items() if n in known}
    return resolve(stack, library, family=family, inputs=own, sets=tuple(options.sets or ()))


@verb(app)
def migrate(
    out: Output,
    options: Offline,
    file: Annotated[Path, argument(metavar="FILE", help=t("A profile of yours."))],
    to: Annotated[
        str, option("--to", metavar="VERSION", help=t("The generation to write it for, such as copter@4.7."))
    ],
    output: _Output = None,
) -> int:
    """Rewrite a profile for another firmware generation: names, units, meanings; shows each change.

    Comments and layout stay. Without -o the file itself is replaced, after a question (or with --yes).
    """
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.engine.migrate import migrate as migrated
    from dronekit_cfg.formats.files import read_text, write_atomic

    del options
    done = migrated(read_text(file), to, file=str(file))
    path = output or file
    replaces = path == file and not out.yes
    if done.changes and not replaces:
        write_atomic(path, done.text)
    changes = [{"line": c.line, "before": c.before, "after": c.after, "reason": c.reason} for c in done.changes]
    written = bool(done.changes) and not replaces
    out.document("profile migrate", 0, file=str(path), written=written, changes=changes, notes=list(done.notes))
    rows = [(str(c.line), c.before, c.after or t("gone"), c.reason) for c in done.changes]
    if rows:
        out.show(simple_table((t("Line"), t("Before"), t("After"), t("Why")), rows))
    if rows and replaces:
        out.write_text(t("nothing was written: add --yes to replace {file}, or -o FILE", file=file))
    elif not rows:
        out.write_text(t("nothing to change"))
    for note in done.notes:
        out.write_text(t("note: {note}", note=note))
    return 0


@verb(app)
def sign(
    out: Output,
    options: Offline,
    lock: Annotated[Path, argument(metavar="LOCK", help=t("A lock file that `profile lock` wrote."))],
    key: Annotated[Path, option("--key", metavar="FILE", help=t("Your private key, from `keys generate`."))],
    output: _Output = None,
) -> int:
    """Sign a lock (Ed25519, DSSE envelope): LOCK.sig beside it."""
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.keys import load_private_key
    from dronekit_cfg.formats.signing import sign_lock

    del options
    envelope = sign_lock(read_text(lock), load_private_key(key), file=str(lock))
    path = output or lock.with_name(lock.name + ".sig")
    _write(out, path, envelope)
    out.document("profile sign", 0, file=str(path), lock=str(lock))
    out.write_text(t("{lock} is signed: {file}", lock=lock, file=path))
    return 0


@verb(app, "verify-signature")
def verify_signature(
    out: Output,
    options: Offline,
    lock: Annotated[Path, argument(metavar="LOCK", help=t("The signed lock file."))],
    keyring: Annotated[Path, option("--keyring", metavar="DIR", help=t("Public keys (.pub) of those you trust."))],
    signature: Annotated[
        Path | None, option("--signature", metavar="FILE", help=t("The signature; else LOCK.sig."))
    ] = None,
) -> int:
    """Check that somebody you trust signed exactly this lock. Exit code 2 when not."""
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.keys import load_keyring
    from dronekit_cfg.formats.signing import verify_lock

    del options
    path = signature or lock.with_name(lock.name + ".sig")
    signed = verify_lock(read_text(lock), read_text(path), load_keyring(keyring), file=str(path))
    names = list(signed.signers)
    out.document("profile verify-signature", 0, file=str(lock), signers=names, digest=signed.resolved.digest)
    out.write_text(t("{file} is signed by {names}", file=lock, names=", ".join(names)))
    return 0
