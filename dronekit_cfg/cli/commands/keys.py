"""`keys`: keys for signing profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dronekit_cfg.cli.options import Common, argument, new_app, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

__all__ = ["app", "generate", "show"]

app = new_app(t("Make and show keys for signing profiles."), no_args_is_help=True)


@verb(app)
def generate(
    out: Output,
    options: Common,
    file: Annotated[Path, argument(metavar="FILE", help=t("The private key; FILE.pub is for those who trust you."))],
) -> int:
    """Make an Ed25519 key pair. The private key is readable by you only; keep it off shared machines."""
    from dronekit_cfg.formats.keys import generate_key, load_public_key
    from dronekit_cfg.formats.signing import key_id

    del options
    public = generate_key(file)
    number = key_id(load_public_key(public))
    out.document("keys generate", 0, private=str(file), public=str(public), keyid=number)
    out.write_text(t("{file} is your private key; give {public} to those who check", file=file, public=public))
    return 0


@verb(app)
def show(
    out: Output,
    options: Common,
    keyring: Annotated[Path, argument(metavar="KEYRING", help=t("A folder of public keys, or one of them."))],
) -> int:
    """List the public keys of a key ring with their ids."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.formats.keys import load_keyring
    from dronekit_cfg.formats.signing import key_id

    del options
    rows = [(name, key_id(key)) for name, key in load_keyring(keyring).items()]
    out.document("keys show", 0, keys=[{"name": name, "keyid": number} for name, number in rows])
    out.show(simple_table((t("Signer"), t("Key id")), rows))
    return 0
