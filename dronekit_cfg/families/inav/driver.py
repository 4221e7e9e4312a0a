"""Talk to INAV 7 to 9: MSP to identify and to read typed settings back, the text CLI to write.

INAV tells every setting over MSP with its storage type, range, labels and value (0x1007, 0x1003). That path shares
nothing with the CLI, so after a reboot it proves what the CLI wrote. It shows the active profiles only; the others, and
everything that is no `set`, are read from `dump all`.
"""

from __future__ import annotations

import struct

from dronekit_cfg.errors import LinkGarbage, Unsupported
from dronekit_cfg.families.base import ArmState
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.formats.cli_dump_get import Got
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import Identity, Kind, Setting, Value
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.msp_calls import Call
from dronekit_cfg.talk.msp_identify import Answers, make_sense
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp import Direction, MspFrame
from dronekit_cfg.wire.msp_arming import INAV_ARMED_BIT, inav_reasons
from dronekit_cfg.wire.msp_messages import (
    Code,
    SettingInfo,
    SettingType,
    decode_setting,
    parse_inav_status,
    parse_pg_list,
    parse_setting_info,
)

__all__ = ["InavDriver"]

_OLDEST = 7
_CONTROL_PROFILES = 9
"""Since 9.0 the CLI calls profiles control profiles."""
_KINDS = {
    SettingType.UINT8: Kind.UINT8,
    SettingType.INT8: Kind.INT8,
    SettingType.UINT16: Kind.UINT16,
    SettingType.INT16: Kind.INT16,
    SettingType.UINT32: Kind.UINT32,
    SettingType.FLOAT: Kind.REAL32,
    SettingType.STRING: Kind.TEXT,
}
# Sections of settings, and the scopes of the CLI they belong to [INAV src/main/fc/settings.h].
_SCOPES = {
    0x08: "control_profile",
    0x10: "control_profile",
    0x18: "battery_profile",
    0x20: "mixer_profile",
    0x28: "control_profile",
}


class InavDriver(CliDriver):
    """One connection to one vehicle that runs INAV."""

    family = "inav"
    motor_message = "MSP2_INAV_ESC_TELEM"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._infos: tuple[SettingInfo, ...] = ()
        self._major = _CONTROL_PROFILES
        self._exact: dict[str, Value] = {}

    def forget(self) -> None:
        """Drop half-received bytes, the session, and values that were read before."""
        super().forget()
        self._exact = {}

    def _identity(self, who: Answers) -> Identity:
        if who.version.numbers[0] < _OLDEST:
            raise Unsupported(
                t("INAV {version} is older than 7", version=who.version.text),
                hint=t("update the firmware; its settings of that time are not known to this tool"),
            )
        self._major = who.version.numbers[0]
        return Identity(
            family="inav",
            vehicle="copter",
            version=pep440(who.version.text),
            version_text=f"{who.version.text} ({who.build.revision})",
            board=who.board.target or who.board.identifier,
            uid=who.uid,
            capabilities=(f"api-{who.api}", f"target-{who.board.target}"),
        )

    def _msp_arm_state(self) -> Flow[ArmState]:
        status = make_sense(parse_inav_status, (yield from self.calls.ask(Code.INAV_STATUS)))
        armed = bool(status.arming_flags >> INAV_ARMED_BIT & 1)
        return ArmState(armed, " ".join(inav_reasons(status.arming_flags)))

    def _second_reading(self) -> Flow[dict[str, str]]:
        """Read all settings over MSP, unless we are in the CLI, where no MSP is answered."""
        if self.cli.open:
            return {}
        self._infos = yield from self._all_infos()
        self.known.learn_facts({info.name: _fact(info) for info in self._infos})
        self._exact = {}
        found: dict[str, str] = {}
        for info in self._infos:
            name = self._full_name(info)
            try:
                value = decode_setting(info, info.value)
            except ValueError as error:
                raise LinkGarbage(str(error), hint=t("check the cable and the baud rate")) from error
            text = _as_cli_prints(value)
            found[name] = text
            if info.type is SettingType.FLOAT:
                self._exact[name] = Value(Kind.REAL32, float(value))
        return found

    def _second_reading_in_cli(self) -> Flow[dict[str, str]]:
        """Give nothing: inside a session each written value was echoed, and MSP proves it after the reboot."""
        yield from ()
        return {}

    def _all_infos(self) -> Flow[tuple[SettingInfo, ...]]:
        groups = make_sense(parse_pg_list, (yield from self.calls.ask(Code.INAV_PG_LIST)))
        count = max((last for _, _, last in groups), default=-1) + 1
        selectors = [struct.pack("<BH", 0, index) for index in range(count)]
        calls = [(int(Code.INAV_SETTING_INFO), selector) for selector in selectors]
        frames = yield from self.calls.ask_many(calls, fits=_is_asked_for)
        return tuple(make_sense(parse_setting_info, f) for f in frames if f.direction is Direction.REPLY)

    def _full_name(self, info: SettingInfo) -> str:
        scope = _SCOPES.get(info.section, "")
        if scope == "control_profile" and self._major < _CONTROL_PROFILES:
            scope = "profile"
        return f"{scope}.{info.profile + 1}.{info.name}" if scope else info.name

    def _confirmed(self, name: str, echoed: Value) -> None:
        if echoed.kind is Kind.REAL32:
            self._exact[name] = echoed

    def _setting(self, name: str, text: str) -> Setting:
        setting = super()._setting(name, text)
        exact = self._exact.get(name)
        if exact is None or not self.known.echo(name, text, exact).same(exact):
            return setting
        # The dump rounds floats to three decimals; MSP and our own write tell all of them.
        default = exact if setting.default == setting.value else setting.default
        return Setting(name, exact, default)


def _is_asked_for(call: Call, frame: MspFrame) -> bool:
    """Whether a reply is about the setting whose index was asked for; a refusal does not say what it is about."""
    if frame.direction is Direction.REFUSAL:
        return True
    try:
        return parse_setting_info(frame.payload).index == int.from_bytes(call[1][1:3], "little")
    except ValueError:
        return False


def _fact(info: SettingInfo) -> Got:
    kind = _KINDS[info.type]
    longest = info.maximum if info.type is SettingType.STRING else 0
    ranged = not info.lookup and not longest
    return Got(
        info.name,
        "",
        minimum=float(info.minimum) if ranged else None,
        maximum=float(info.maximum) if ranged else None,
        options=info.labels,
        longest=longest,
        stored=kind,
    )


def _as_cli_prints(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
