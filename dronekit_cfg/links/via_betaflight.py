"""A link to a device behind a Betaflight board: `via:betaflight:uart2+serial:/dev/ttyACM0`, by `serialpassthrough`.

The CLI command connects the board's port with ours until the board loses power; nothing else ends it [Betaflight
src/main/cli/cli.c, cliSerialPassthrough]. So the end of the link asks for a power cycle and waits for it.
"""

from __future__ import annotations

import re
from contextlib import suppress

from dronekit_cfg.errors import Armed, DronekitError, LinkError, LinkGarbage, LinkLost, LinkOpenError, Unsupported
from dronekit_cfg.events import Note, Reporter
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.common import BaseLink, not_open
from dronekit_cfg.links.pump import run_flow
from dronekit_cfg.talk.cli_session import CliSession, Entry
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.talk.msp_calls import MspCalls
from dronekit_cfg.talk.msp_identify import hears_msp
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_port import PortCodec
from dronekit_cfg.wire.textcli import CliText

__all__ = ["BetaflightPassthrough", "port_use"]

POWER_SECONDS = 120.0
"""How long a person has for the power cycle."""
ASK_SECONDS = 2.0
RECEIVER_BAUD = 420000
"""What ExpressLRS receivers speak on their wire (rcvr-uart-baud)."""
GPS_BAUD = 115200
_RX_SERIAL = 1 << 6
_OTHER_NUMBERS = {"softserial1": "30", "softserial2": "31", "lpuart1": "40"}
"""serialPortIdentifier_e of firmware that prints numbers."""
_CRSF = re.compile(r"\b(CRSF|ELRS)\b")


def port_use(serial: str, port: str) -> tuple[str, int, int] | None:
    """Give name, function mask and GPS baud rate of a port from the output of `serial`; None when it is not there.

    Lines are `serial UART2 64 115200 57600 0 115200`; older firmware writes the number in the place of the name.
    """
    numbers = {f"uart{n}": str(n - 1) for n in range(1, 11)} | _OTHER_NUMBERS
    for line in serial.splitlines():
        word = line.split()
        if len(word) > 2 and word[0] == "serial" and word[1].lower() in {port, numbers[port]} and word[2].isdecimal():
            speed = word[4] if len(word) > 4 and word[4].isdecimal() else ""
            return word[1], int(word[2]), int(speed or GPS_BAUD)
    return None


class BetaflightPassthrough(BaseLink):
    """A port of the board, reached by `serialpassthrough`. `baud` 0 takes what the port's use suggests."""

    def __init__(self, url: str, inner: Link, port: str, baud: int, clock: Clock, report: Reporter) -> None:
        super().__init__(url, baud)
        self._inner = inner
        self._port = port
        self._clock = clock
        self._report = report
        self._codec = PortCodec()
        self._session = Session(clock.now, report)
        self._calls = MspCalls(self._session, self._codec)
        self._cli = CliSession(self._session, self._codec, load_dialect("betaflight"))
        self._is_open = False

    def open(self) -> None:
        """Enter the CLI and connect the ports. Raises LinkError, Armed, Unsupported."""
        if self._is_open:
            return
        self._inner.open()
        try:
            command = run_flow(self._prepare(), self._inner, self._codec, self._clock)
            run_flow(self._connect(command), self._inner, self._codec, self._clock)
        except BaseException:
            with suppress(DronekitError):
                run_flow(self._cli.leave(), self._inner, self._codec, self._clock)
            self._inner.close()
            raise
        self._is_open = True
        self._report(
            Note(t("{port} is connected; only a power cycle of the flight controller ends that", port=self._port))
        )

    def _prepare(self) -> Flow[str]:
        """See that the board is there and disarmed, and that the port is fit; give the command."""
        from dronekit_cfg.talk.msp_identify import ask_who

        api = yield from hears_msp(self._calls, seconds=ASK_SECONDS)
        if api is None:
            raise LinkOpenError(
                t("no Betaflight board answers below {url}", url=self.url),
                hint=t("power-cycle it: a passthrough that was not ended keeps it from answering"),
            )
        who = yield from ask_who(self._calls, api)
        self.place = f"betaflight-{who.uid}-{self._port}"
        if who.family != "betaflight":
            raise LinkGarbage(
                t("the board runs {variant}, not Betaflight", variant=who.variant),
                hint=t("connect the module directly"),
            )
        if (yield from self._cli.enter()) is Entry.NONE:
            raise LinkOpenError(t("the board does not enter its CLI"), hint=t("disarm it, or power-cycle it"))
        status = yield from self._cli.line("status")
        if re.search(r"(?im)^arming disable flags:.*\bARMED\b", status):
            raise Armed(t("the vehicle is armed"), hint=t("disarm it, then run the command again"))
        use = port_use((yield from self._cli.line("serial")), self._port)
        if use is None:
            raise Unsupported(
                t("the board has no port {port}", port=self._port), hint=t("look at the output of `serial` in its CLI")
            )
        name, functions, speed = use
        if functions & _RX_SERIAL:
            yield from self._check_receiver()
        self.baud = self.baud or (RECEIVER_BAUD if functions & _RX_SERIAL else speed)
        return f"serialpassthrough {name} {self.baud} rxtx"

    def _check_receiver(self) -> Flow[None]:
        """See that the receiver's wire carries both ways unchanged. Raises Unsupported."""
        wanted = {"serialrx_inverted": ("OFF",), "serialrx_halfduplex": ("OFF", "AUTO")}
        for name, values in wanted.items():
            text = yield from self._cli.line(f"get {name}")
            found = re.search(rf"(?m)^{name} = (\S+)", text)
            if found and found[1] not in values:
                raise Unsupported(
                    t("{name} is {value}: a receiver cannot be asked over such a wire", name=name, value=found[1]),
                    hint=t("wire the receiver to both RX and TX of the port, and set {name} OFF", name=name),
                )
        text = yield from self._cli.line("get serialrx_provider")
        if (provider := re.search(r"(?m)^serialrx_provider = (\S+)", text)) and not _CRSF.search(provider[1]):
            raise Unsupported(
                t("the receiver on {port} speaks {provider}, not CRSF", port=self._port, provider=provider[1]),
                hint=t("ExpressLRS is asked over CRSF: set serialrx_provider CRSF, or name another port"),
            )

    def _connect(self, command: str) -> Flow[None]:
        """Send the command; what comes behind its last words is the device's. Raises Unsupported when it is refused."""
        text = ""
        send, until = f"{command}\n".encode(), self._clock.now() + ASK_SECONDS
        while (event := (yield Wait(send, until))) is not None:
            send = b""
            if isinstance(event, CliText):
                text += event.text
            if "###ERROR" in text or "Unknown" in text.title() or "UNKNOWN COMMAND" in text:
                raise Unsupported(
                    t("the board refuses {command!r}: {why}", command=command, why=text.strip()[-120:]),
                    hint=t("its build may leave the passthrough out; connect the module directly"),
                )
            if "Forwarding" in text or "forwarding" in text:
                break
        self._cli.forget()
        self._codec.reset()

    def set_baud(self, baud: int) -> bool:  # noqa: ARG002 - the board has fixed it for as long as it has power
        """Say that the speed cannot be changed any more."""
        return False

    def read(self, timeout: float) -> bytes:
        """Give what the device said."""
        self._check()
        return self._inner.read(timeout)

    def write(self, data: bytes) -> None:
        """Send all of `data` to the device."""
        self._check()
        self._inner.write(data)

    def _check(self) -> None:
        if not self._is_open:
            raise not_open(self.url)

    def reopen(self) -> None:
        """Go on while the board has power; else connect again."""
        if self._is_open:
            try:
                self._inner.read(0)
            except LinkLost:
                self._is_open = False
            else:
                return
        self._inner.close()
        self.open()

    def _answers(self) -> bool:
        hears = hears_msp(self._calls, seconds=ASK_SECONDS)
        return run_flow(hears, self._inner, self._codec, self._clock) is not None

    def close(self) -> None:
        """Ask for the power cycle, and wait until the board answers again."""
        if not self._is_open:
            return
        self._is_open = False
        self._report(
            Note(
                t("unplug the flight controller (USB and battery) and plug it in again: it still passes bytes through"),
                level="warning",
            )
        )
        end = self._clock.now() + POWER_SECONDS
        back = False
        while not back and self._clock.now() < end:
            with suppress(LinkError):
                self._inner.reopen()
                self._codec.reset()
                back = self._answers()
            self._clock.sleep(0 if back else 0.5)
        if back:
            self._report(Note(t("the flight controller is back")))
        else:
            self._report(
                Note(
                    t("the flight controller was not restarted: it does not fly or answer before it is"),
                    level="warning",
                )
            )
        self._inner.close()
