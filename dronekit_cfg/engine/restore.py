"""Turn a snapshot into the goal of a restore: whose it is, what of it belongs to one unit, what its version calls it.

A snapshot may be a file of this tool or the text of `diff all` or `dump all`. `merge` writes what it names; `replace`
also brings everything that it does not name back to its default, so that nothing of before is left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.engine.carry import Carried, carry_notes, carry_settings, first_of
from dronekit_cfg.engine.knowledge import renames_for
from dronekit_cfg.errors import FileProblems, Problem, Unsupported, UsageError, WrongVehicle
from dronekit_cfg.formats.cli_dump_dialect import CLI_FAMILIES, load_dialect
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import Identity, Origin, Snapshot, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.planner.policy import Policy
from dronekit_cfg.text import t

__all__ = ["RestoreOptions", "goal_from_snapshot", "replacing"]


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What a restore was asked for.

    `clone`: the snapshot is of another vehicle; calibration and identity are left out unless `include` names them.
    `without`: settings that are left out. `lines`: where in `file` each setting stands.
    """

    file: str = ""
    include: frozenset[str] = frozenset()
    clone: bool = False
    without: Collection[str] = ()
    lines: Mapping[str, int] | None = None


def goal_from_snapshot(snapshot: Snapshot, identity: Identity, options: RestoreOptions | None = None) -> Goal:
    """Give the goal of a restore of `snapshot` to the vehicle `identity`.

    On the vehicle that it was taken from, calibration and identity are restored as well. Settings of another firmware
    version are carried over by the rename tables. Raises WrongVehicle for another vehicle without `clone`, FileProblems
    for settings that only a person can carry over, UsageError for a name in `without` that is not in the snapshot.
    """
    options = options or RestoreOptions()
    same = _require_fit(snapshot, identity, clone=options.clone)
    unknown = next((n for n in options.without if n not in snapshot.by_name), None)
    if unknown is not None:
        raise UsageError(
            t("--without {name}: the snapshot has no such setting", name=unknown),
            hint=did_you_mean(unknown, snapshot.by_name),
        )
    raw = {s.name: s.value.raw for s in snapshot.settings if s.name not in options.without}
    wired: list[str] = []
    if snapshot.identity.board != identity.board and "identity" not in options.include:
        wired = _hardware(raw, identity.family)
        raw = {name: value for name, value in raw.items() if name not in wired}
    carried = carry_settings(raw, renames_for(identity), snapshot.identity.version, identity.version)
    _refuse_undecided(carried, snapshot, options)
    other_version = snapshot.identity.version != identity.version
    classes = frozenset({"calibration", "identity"}) if same else options.include
    return Goal(
        t("snapshot of {taken}", taken=snapshot.taken) if snapshot.taken else options.file,
        snapshot.digest,
        tuple(_wanted(carried, snapshot, options, optional=other_version)),
        classes,
        known_state=True,
        notes=(*carry_notes(carried), *_wired_notes(wired, snapshot.identity.board)),
    )


def _hardware(names: Collection[str], family: str) -> list[str]:
    """Give the names that say what is wired to which pin of a board: on another board they name wrong ones."""
    if family not in CLI_FAMILIES:
        return []
    dialect = load_dialect(family)
    return [name for name in names if dialect.is_hardware(name)]


def _wired_notes(wired: Sequence[str], board: str) -> Iterator[str]:
    if wired:
        yield t(
            "left out, because it is the wiring of board {board}: {names}",
            board=board,
            names=first_of(wired),
        )


def _require_fit(snapshot: Snapshot, identity: Identity, *, clone: bool) -> bool:
    """Say whether it is the same vehicle; raises WrongVehicle where that has to be said by `clone`."""
    theirs = snapshot.identity
    if theirs.family != identity.family or theirs.vehicle != identity.vehicle:
        raise WrongVehicle(
            t(
                "the snapshot is of {family} {vehicle}, and this vehicle is {found}",
                family=theirs.family,
                vehicle=theirs.vehicle,
                found=f"{identity.family} {identity.vehicle}".strip(),
            ),
            hint=t("use a snapshot of this firmware"),
        )
    same = theirs.uid == identity.uid and theirs.board == identity.board
    if not same and not clone:
        message = t("the snapshot is of another vehicle (uid {uid})", uid=theirs.uid)
        if not theirs.uid:
            message = t("the snapshot does not say which vehicle it is of")
        elif theirs.uid == identity.uid:
            message = t("the snapshot is of board {theirs}, this is {ours}", theirs=theirs.board, ours=identity.board)
        raise WrongVehicle(message, hint=t("add --clone to write it here, without calibration and identity"))
    return same


def _wanted(carried: Carried, snapshot: Snapshot, options: RestoreOptions, *, optional: bool) -> Iterator[Wanted]:
    """Give what is wanted; what was at its default may be missing on another version of the firmware."""
    lines = options.lines or {}
    for name, value in carried.settings.items():
        source = carried.sources[name]
        origin = Origin("snapshot", options.file, lines.get(source, 0))
        yield Wanted(name, value, origin, optional=optional and _at_default(snapshot, source))


def _at_default(snapshot: Snapshot, name: str) -> bool:
    setting = snapshot.by_name[name]
    return setting.value.same(setting.default)


def _refuse_undecided(carried: Carried, snapshot: Snapshot, options: RestoreOptions) -> None:
    lines = options.lines or {}
    problems = tuple(
        Problem(
            options.file,
            lines.get(name, 0),
            int(name in lines),
            why,
            t("set it by hand afterwards, and leave it out here: --without {name}", name=name),
        )
        for name, why in carried.undecided
        if not _at_default(snapshot, name)
    )
    if problems:
        raise FileProblems(problems)


def replacing(goal: Goal, found: Snapshot, policy: Policy, renames: Renames | None) -> Goal:
    """Extend `goal` so that what it does not name goes back to its default. `found` is the vehicle as it is.

    Calibration, identity and counters stay. Raises Unsupported where the vehicle does not tell a default that is
    needed: then nobody knows what would become of that setting.
    """
    named = set(_names_here(goal, found, renames))
    more: list[Wanted] = []
    unknown: list[str] = []
    origin = Origin("default")
    for setting in found.settings:
        if setting.name in named or policy.protected(setting.name):
            continue
        if setting.default is not None:
            more.append(Wanted(setting.name, setting.default.raw, origin))
        elif setting.name not in _SELECTIONS:
            unknown.append(setting.name)
    if unknown:
        raise Unsupported(
            t("the vehicle does not tell the defaults of {names}", names=", ".join(unknown[:8])),
            hint=t("replace with a file that names every setting (a snapshot, `dump all`), or use --mode merge"),
        )
    return replace(goal, wanted=(*goal.wanted, *more), from_defaults=True)


_SELECTIONS = frozenset(
    {"profile", "rateprofile", "battery_profile", "control_profile", "mixer_profile"},
)
"""Which profile is active: it has no default of its own, and the file's own choice is among what it names."""


def _names_here(goal: Goal, found: Snapshot, renames: Renames | None) -> Iterator[str]:
    for wanted in goal.wanted:
        if renames is not None and wanted.name not in found.by_name:
            try:
                moved = renames.translate(wanted.name, wanted.value, found.by_name.__contains__)
            except ValueError:
                moved = None
            yield moved[0] if moved else wanted.name
        else:
            yield wanted.name
