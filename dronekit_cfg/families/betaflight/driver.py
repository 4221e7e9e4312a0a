"""Talk to Betaflight 4.3 to 2026.12: MSP to identify, the text CLI to read and write."""

from __future__ import annotations

from dronekit_cfg.errors import Unsupported
from dronekit_cfg.families.base import ArmState
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.formats.cli_dump_get import parse_get
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import Identity
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.msp_identify import Answers, make_sense
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_arming import betaflight_reasons
from dronekit_cfg.wire.msp_messages import Code, parse_status_ex

__all__ = ["BetaflightDriver"]

_OLDEST_API = 44
"""Betaflight 4.3."""
_ARM_BOX = 0
"""Permanent id of the ARM mode [Betaflight src/main/msp/msp_box.c]."""


class BetaflightDriver(CliDriver):
    """One connection to one vehicle that runs Betaflight."""

    family = "betaflight"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._arm_bit: int | None = None

    def _identity(self, who: Answers) -> Identity:
        if (who.api.major, who.api.minor) < (1, _OLDEST_API):
            raise Unsupported(
                t("Betaflight {version} is older than 4.3", version=who.version.text),
                hint=t("update the firmware; its settings of that time are not known to this tool"),
            )
        revision = f" ({who.build.revision})" if who.build.revision else ""
        return Identity(
            family="betaflight",
            vehicle="copter",
            version=pep440(who.version.text),
            version_text=f"{who.version.text}{revision}",
            board=who.board.board_name or who.board.target or who.board.identifier,
            uid=who.uid,
            capabilities=(f"api-{who.api}", f"target-{who.board.target}"),
        )

    def _msp_arm_state(self) -> Flow[ArmState]:
        if self._arm_bit is None:
            boxes = (yield from self.calls.ask(Code.BOXIDS)).payload
            self._arm_bit = max(boxes.find(_ARM_BOX), 0)
        status = make_sense(parse_status_ex, (yield from self.calls.ask(Code.STATUS_EX)))
        reasons = betaflight_reasons(status.arming_flags, status.flag_count, self.api_minor)
        return ArmState(bool(status.mode_bits >> self._arm_bit & 1), " ".join(reasons))

    def _second_reading_in_cli(self) -> Flow[dict[str, str]]:
        if self.known.facts:
            return {}
        facts = parse_get((yield from self._steady("get")))
        self.known.learn_facts(facts)
        return {
            f"{fact.scope}.{fact.number}.{name}" if fact.scope else name: fact.value for name, fact in facts.items()
        }
