"""Plans, applies, restores and recovers a whole aircraft for the verbs, and shows how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.cli.aircraft import VEHICLE, AircraftRequest, host_of, module_links, options_for, pinned_devices
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.options import Device as DeviceOptions
    from dronekit_cfg.cli.options import Profiled
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.aircraft_journal import AircraftStory
    from dronekit_cfg.engine.aircraft_plan import AircraftOptions, Device, Host, Ready
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.transaction import Prepared
    from dronekit_cfg.model import Identity, Snapshot
    from dronekit_cfg.model.aircraft import AircraftPlan, AircraftReceipt, AircraftSnapshot
    from dronekit_cfg.planner.plan import Goal

__all__ = [
    "aircraft_snapshot",
    "apply_plan",
    "apply_several",
    "prepare_any",
    "recover_several",
    "restore_several",
    "show_aircraft_receipt",
]


def prepare_any(
    out: Output,
    device: Profiled,
    request: ProfileRequest,
    against: Path | None,
    look: Callable[[Connection, Prepared], None] | None = None,
) -> Prepared | tuple[Ready, ...]:
    """Plan towards a profile: of one device, or of every device of an aircraft. Writes nothing.

    `look` is called for a single device while it is still connected.
    """
    from dronekit_cfg.cli.session import prepare_request, vehicle
    from dronekit_cfg.engine.aircraft_plan import prepare_aircraft
    from dronekit_cfg.engine.transaction import prepare

    if against is not None:
        return _against(out, device, request, against)
    several = AircraftRequest.of(request, device)
    if several is None:
        return prepare_request(out, device, request, None, look)
    if not several.certain:
        with vehicle(out, device) as (connection, state):
            if not several.settle_for(connection.identity):
                goal, terms = several.goal(connection.identity)
                return prepare(connection, goal, state, terms)
    with host_of(out, device) as (host, options):
        main = several.main_device(options)
        return prepare_aircraft(main, lambda i: several.devices(i, options), host, writing=False)


def _against(out: Output, device: Profiled, request: ProfileRequest, against: Path) -> Prepared | tuple[Ready, ...]:
    """Plan from what a file says: of one device, or of an aircraft."""
    from dronekit_cfg.cli.session import plan_against, prepare_request
    from dronekit_cfg.engine.aircraft_plan import Device, Ready

    saved = aircraft_snapshot(against)
    if saved is None:
        return prepare_request(out, device, request, against)
    main = next((p.snapshot.identity for p in saved.parts if p.role == VEHICLE), None)
    if main is None:
        raise UsageError(t("{file} has no flight controller", file=against))
    known = {p.role: p.link for p in saved.parts if p.role != VEHICLE}
    several = AircraftRequest(request, device, {**known, **module_links(device.module_links)})
    modules = {m.role: m for m in several.settle_for(main)}
    options = device.link_options()
    out.hide(options.vault)
    ready = []
    for part in saved.parts:
        who = part.snapshot.identity
        if part.role == VEHICLE:
            whole = several.main_device(options)
        elif part.role in modules:
            whole = next(d for d in several.devices(main, options) if d.role == part.role)
        else:
            continue
        goal, terms = whole.goal(who)
        prepared = plan_against(part.snapshot, goal, terms, device.state_dir, options.vault)
        ready.append(Ready(Device(part.role, options, whole.goal), who, goal, terms, prepared))
    return tuple(ready)


def aircraft_snapshot(file: Path) -> AircraftSnapshot | None:
    """Read the snapshot of an aircraft when the file is one, else give None. Raises FileProblems."""
    from dronekit_cfg.formats.aircraft_json import load_aircraft
    from dronekit_cfg.formats.files import read_text
    from dronekit_cfg.formats.machine_json import format_of
    from dronekit_cfg.model.aircraft import AircraftSnapshot

    text = read_text(file) if file.suffix == ".json" and file.is_file() else ""
    return (
        load_aircraft(AircraftSnapshot, text, str(file)) if format_of(text).startswith("aircraft-snapshot/") else None
    )


def apply_several(
    out: Output, device: Profiled, several: AircraftRequest, *, prove: bool, receipt_file: Path | None
) -> int:
    """Apply a stack to all devices of an aircraft."""
    from dronekit_cfg.engine.aircraft_plan import AircraftOptions

    with host_of(out, device) as (host, options):
        main = several.main_device(options)
        settings = AircraftOptions("apply", several.request.stack, prove)
        return _carry_out(out, host, main, lambda i: several.devices(i, options), settings, device, receipt_file)


def apply_plan(out: Output, device: Profiled, plan: AircraftPlan, *, prove: bool, receipt_file: Path | None) -> int:
    """Apply a plan of an aircraft that was made earlier, as it is."""
    from dronekit_cfg.engine.aircraft_plan import AircraftOptions

    links, accept = module_links(device.module_links), frozenset(device.accept or ())
    with host_of(out, device) as (host, options):
        main, *others = pinned_devices(plan, device, options, links, accept)
        settings = AircraftOptions("apply", plan.profile, prove)
        return _carry_out(out, host, main, lambda _: others, settings, device, receipt_file)


def restore_several(
    out: Output,
    device: DeviceOptions,
    saved: AircraftSnapshot,
    *,
    links: dict[str, str],
    prove: bool,
    file: Path,
    receipt_file: Path | None,
    region: str = "",
) -> int:
    """Bring all devices of an aircraft back to a snapshot of it."""
    from dronekit_cfg.engine.aircraft_plan import AircraftOptions, Device
    from dronekit_cfg.engine.judge import Terms

    terms = Terms({"region": region} if region else {})
    with host_of(out, device) as (host, options):
        made = []
        for part in sorted(saved.parts, key=lambda p: p.role != VEHICLE):
            url = links.get(part.role, part.link)
            if url == "none":
                continue
            own = options
            if part.role != VEHICLE:
                own = options_for(device, options, url, part.snapshot.identity.family)
            made.append(
                Device(
                    part.role,
                    own,
                    partial(_restored, part.snapshot, file, terms),
                )
            )
        settings = AircraftOptions("restore", t("snapshot of {taken}", taken=saved.taken), prove)
        return _carry_out(out, host, made[0], lambda _: made[1:], settings, device, receipt_file)


def _restored(snapshot: Snapshot, file: Path, terms: Terms, found: Identity) -> tuple[Goal, Terms]:
    from dronekit_cfg.engine.restore import RestoreOptions, goal_from_snapshot

    return goal_from_snapshot(snapshot, found, RestoreOptions(str(file))), terms


def _carry_out(
    out: Output,
    host: Host,
    main: Device,
    others: Callable[[Identity], Sequence[Device]],
    options: AircraftOptions,
    device: DeviceOptions,
    receipt_file: Path | None,
) -> int:
    from dataclasses import replace

    from dronekit_cfg.engine.aircraft import apply_aircraft
    from dronekit_cfg.engine.aircraft_plan import prepare_aircraft

    ready = prepare_aircraft(main, others, host, writing=True)

    def confirm(plan: AircraftPlan) -> bool:
        return _confirm(out, plan, ready)

    receipt = apply_aircraft(ready, host, replace(options, confirm=confirm))
    return show_aircraft_receipt(out, receipt, host, link=device.link, copy_to=receipt_file)


def _confirm(out: Output, plan: AircraftPlan, ready: Sequence[Ready]) -> bool:
    from dronekit_cfg.cli.render import plural
    from dronekit_cfg.cli.render_aircraft import aircraft_plan_view

    if not out.as_json:
        specs = {item.role: item.prepared.spec for item in ready}
        out.detail(*aircraft_plan_view(plan, specs, out.console, brief=out.yes))
    count = sum(len(part.plan.changes) for part in plan.parts)
    changed = sum(bool(part.plan.changes) for part in plan.parts)
    return out.confirm(
        t(
            "Write {count} to {devices}?",
            count=plural(count, t("setting"), t("settings")),
            devices=plural(changed, t("device"), t("devices")),
        )
    )


def recover_several(
    out: Output, device: DeviceOptions, story: AircraftStory, found: str, links: dict[str, str], receipt: Path | None
) -> int:
    """Finish or undo the work on an aircraft that was cut off. `found` is the folder name of the device at --link."""
    from dronekit_cfg.engine.aircraft_journal import StoredPart
    from dronekit_cfg.engine.aircraft_recover import recover_aircraft
    from dronekit_cfg.engine.connection import LinkOptions

    stopped = t("the earlier work is still unfinished: run `dronekit-cfg recover` again")
    with host_of(out, device, stopped=stopped) as (host, options):

        def options_of(part: StoredPart) -> LinkOptions:
            if part.identity.key == found and part.role not in links:
                return options
            url = links.get(part.role, part.link)
            if part.role == VEHICLE:
                from dataclasses import replace

                return replace(options, url=url, family=part.family)
            return options_for(device, options, url, part.family)

        result = recover_aircraft(story, host, options_of)
        return show_aircraft_receipt(out, result, host, link=device.link, copy_to=receipt)


def show_aircraft_receipt(
    out: Output, receipt: AircraftReceipt, host: Host, *, link: str, copy_to: Path | None = None
) -> int:
    """Show how it ended, save the copy that was asked for, and give the exit code."""
    from dronekit_cfg.cli.render_aircraft import aircraft_headline, aircraft_receipt_view
    from dronekit_cfg.cli.transact import show_ending
    from dronekit_cfg.formats.aircraft_json import dump_aircraft, save_aircraft

    return show_ending(
        out,
        receipt,
        summary=aircraft_headline(receipt)[1],
        dumped=dump_aircraft(receipt),
        stored=max((host.state.aircraft(receipt.main) / "receipts").glob("*.json"), default=None),
        copy_to=copy_to,
        save=lambda path: save_aircraft(path, receipt),
        view=lambda file: aircraft_receipt_view(receipt, out.console, link=link, file=file, brief=out.quiet),
    )
