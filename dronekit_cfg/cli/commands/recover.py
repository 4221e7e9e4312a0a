"""`recover`: finish or undo work that was cut off by a kill, a pulled cable or a power cut."""

from __future__ import annotations

from dronekit_cfg.cli.options import Device, ModuleLinkOption, ReceiptOption, new_app, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

__all__ = ["app", "recover"]

app = new_app()


@verb(app)
def recover(out: Output, device: Device, receipt: ReceiptOption = None, module_link: ModuleLinkOption = None) -> int:
    """Bring a vehicle whose apply was cut off to exactly the new or exactly the old state, and verify it.

    Of an aircraft with modules, all devices are brought to the same one; their links are those of the apply.
    Exit code 0: finished, or nothing to do; 5: the old state is back; 6: still in doubt.
    """
    from dronekit_cfg.cli.aircraft import module_links
    from dronekit_cfg.cli.aircraft_run import recover_several
    from dronekit_cfg.cli.session import vehicle
    from dronekit_cfg.cli.transact import show_receipt
    from dronekit_cfg.engine.recover import recover as engine_recover

    stopped = t("the earlier work is still unfinished: run `dronekit-cfg recover` again")
    links = module_links(module_link)
    with vehicle(out, device, stopped=stopped) as (connection, state):
        story = state.open_aircraft(connection.identity.key)
        found = engine_recover(connection, state) if story is None else None
        elsewhere = state.open_elsewhere(connection.identity)
        key = connection.identity.key
    if story is not None:
        return recover_several(out, device, story, key, links, receipt)
    if found is not None:
        return show_receipt(out, found, state, link=device.link, copy_to=receipt)
    text = t("nothing to recover: no work on this vehicle was cut off")
    out.document("recover", 0, result="nothing", summary=text, receipt=None, unfinished_elsewhere=list(elsewhere))
    out.write_text(text)
    if elsewhere:
        out.say(t("unfinished work on other vehicles: {names}", names=", ".join(elsewhere)))
    return 0
