"""`detect` looks and changes nothing: a vehicle that sits in its CLI stays there, and is told by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dronekit_cfg.cli.commands import detect
from dronekit_cfg.engine.connection import LinkOptions
from dronekit_cfg.links import portless
from dronekit_cfg.model import Identity

Run = Callable[..., Any]


def test_a_vehicle_in_its_cli_is_named_and_not_restarted(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[LinkOptions] = []
    identity = Identity("inav", "", "9.0.0", "9.0.0 (a7932b92)", "SITL", uid="")

    @contextmanager
    def connect(options: LinkOptions, **_: object) -> Iterator[Any]:
        asked.append(options)
        yield SimpleNamespace(identity=identity, driver=SimpleNamespace(look_only=True, left_in_cli=True))

    monkeypatch.setattr("dronekit_cfg.engine.connection.connect", connect)
    said = cli("detect", "--link", "tcp:127.0.0.1:5760")
    assert [options.look_only for options in asked] == [True]
    assert said.code == 0
    assert "inav 9.0.0 (a7932b92), SITL, sits in its CLI" in " ".join(said.out.split())
    assert "not saved is lost" in said.out


@pytest.mark.parametrize(("arguments", "named"), [((), True), (("--link", "tcp:127.0.0.1:1"), False)])
def test_a_board_in_dfu_mode_is_told_where_a_port_is_missed(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], named: bool
) -> None:
    for name, number in (("idVendor", "0483"), ("idProduct", "df11")):
        (tmp_path / "1-4").mkdir(exist_ok=True)
        (tmp_path / "1-4" / name).write_text(number)
    monkeypatch.setattr(portless, "SYSFS", tmp_path)
    if not arguments:
        monkeypatch.setattr(detect, "_look", lambda *_: [])
    said = cli("detect", *arguments)
    assert said.code == 3
    assert ("DFU mode" in said.err) is named
