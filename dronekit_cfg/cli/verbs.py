"""Which verbs there are, in which module each lives, and the line that `--help` shows for it."""

from __future__ import annotations

from dataclasses import dataclass

from dronekit_cfg.text import t

__all__ = ["SECTIONS", "VERBS", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. `module` is its name below `cli.commands`."""

    module: str
    help: str


VERBS: dict[str, Verb] = {
    "detect": Verb("detect", t("List ports and what answers on them.")),
    "info": Verb("info", t("Show who the vehicle is.")),
    "snapshot": Verb("snapshot", t("Save every setting of the vehicle to a file.")),
    "plan": Verb("plan", t("Show what a profile would change, why, and in which order.")),
    "apply": Verb("apply", t("Bring the vehicle to a profile, verified twice, or leave it as it was.")),
    "verify": Verb("verify", t("Compare the vehicle with a profile; writes nothing.")),
    "restore": Verb("restore", t("Bring the vehicle back to a snapshot.")),
    "recover": Verb("recover", t("Finish or undo an apply that was cut off.")),
    "link": Verb("link", t("Make the vehicle sign its messages, and check that.")),
    "module": Verb("module", t("Give a radio module a command: bind, Wi-Fi.")),
    "validate": Verb("validate", t("Check files against schema and rules.")),
    "diff": Verb("diff", t("Compare two files as a vehicle would see their values.")),
    "convert": Verb("convert", t("Convert between settings file formats.")),
    "profile": Verb("profile_tools", t("List, show, compose, lock, migrate and sign profiles.")),
    "keys": Verb("keys", t("Make and show keys for signing profiles.")),
    "schema": Verb("schema", t("List, show, import and compare firmware metadata.")),
    "rules": Verb("rules", t("List and explain the policy rules.")),
    "hil": Verb("hil", t("Check a vehicle on the bench, with evidence.")),
    "sitl": Verb("sitl", t("Fly scenarios on the real firmware in a simulator.")),
    "sim": Verb("sim", t("Serve a simulated vehicle on TCP, UDP or a pseudo terminal.")),
    "demo": Verb("demo", t("See the whole job on a simulated vehicle.")),
}
"""Verbs by name, in the order of a day's work."""

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (t("Vehicle"), ("detect", "info", "snapshot", "plan", "apply", "verify", "restore", "recover", "link", "module")),
    (t("Files"), ("validate", "diff", "convert", "profile", "keys", "schema", "rules")),
    (t("Prove"), ("hil", "sitl")),
    (t("Learn and test"), ("demo", "sim")),
)
"""How `--help` groups them."""
