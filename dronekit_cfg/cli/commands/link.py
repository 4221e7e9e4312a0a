"""`link sign`: message signing between a vehicle and its ground stations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dronekit_cfg.cli.options import Device, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.signing import Bench, Signing

__all__ = ["app", "sign"]

app = new_app(t("Make the vehicle sign its messages, and check that."), no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make the vehicle sign its messages, and check that."""  # with one verb only, typer would leave its name out


@verb(app)
def sign(
    out: Output,
    device: Device,
    key: Annotated[
        Path | None, argument(metavar="KEYFILE", help=t("The key: 64 hex digits, 32 bytes, or a passphrase."))
    ] = None,
    make: Annotated[bool, option("--make", help=t("Make KEYFILE with a new random key first."))] = False,
    check: Annotated[bool, option("--check", help=t("Only check; the vehicle has this key already."))] = False,
    off: Annotated[bool, option("--off", help=t("Take the key away; the vehicle signs no more."))] = False,
) -> int:
    """Give a MAVLink vehicle a key, so that it signs its messages and refuses unsigned ones, and prove that it does.

    The key travels readable over the link: do this at a cable, not over a radio. A vehicle that has a key already needs
    that one with --signing-key. Keep KEYFILE: every later command on this vehicle needs --signing-key KEYFILE.
    """
    from dronekit_cfg.cli.session import clock_in_use
    from dronekit_cfg.engine.interrupt import Stop
    from dronekit_cfg.engine.signing import Bench
    from dronekit_cfg.wire.mavlink_signing import make_signing_key

    if off is (key is not None) or (check and (off or make)) or (off and make):
        raise UsageError(
            t("give a KEYFILE, with --make or --check where wanted, or --off alone"),
            hint=t("for example: dronekit-cfg link sign aircraft-7.key --make --link serial:auto"),
        )
    if make and key is not None:
        make_signing_key(key)
    stop = Stop()
    with stop.on_signals():
        bench = Bench(device.link_options(), clock_in_use.get(), out.report, stop)
        return _off(out, device, bench) if key is None else _on(out, device, bench, key, check=check)


def _on(out: Output, device: Device, bench: Bench, key: Path, *, check: bool) -> int:
    from dataclasses import replace

    from dronekit_cfg.engine.signing import check_signing, set_up_signing

    if check:
        found = check_signing(replace(bench, options=replace(bench.options, signing_key=key)))
    else:
        found = set_up_signing(bench, key, _confirm(device, t("Give it the key of {file}?", file=key)))
    _tell(out, device, found, key)
    return 0


def _off(out: Output, device: Device, bench: Bench) -> int:
    from dronekit_cfg.engine.signing import take_key_away

    identity = take_key_away(bench, _confirm(device, t("Take its key away? Anybody on the link can command it then.")))
    out.document("link sign", 0, signs=False, uid=identity.uid)
    out.write_text(t("PASS  the vehicle signs no more, and takes what is not signed"))
    return 0


def _confirm(device: Device, question: str) -> Callable[[Connection], bool]:
    from dronekit_cfg.engine.connection import describe

    def ask(connection: Connection) -> bool:
        return device.yes or typer.confirm(f"{describe(connection.identity)}\n{question}", err=True)

    return ask


def _tell(out: Output, device: Device, found: Signing, key: Path) -> None:
    out.document("link sign", 0, signs=True, refuses_unsigned=found.strict, uid=found.identity.uid, key_file=str(key))
    out.write_text(t("PASS  the vehicle signs with the key of {file}", file=key))
    if found.strict:
        out.write_text(t("PASS  it refuses on this link what is not signed with it"))
    else:
        out.write_text(t("note  it takes unsigned messages too on this link: ArduPilot does so on its USB port"))
    link = device.link
    out.write_text(t("next  dronekit-cfg info --link {link} --signing-key {file}", link=link, file=key))
