"""`detect` looks and changes nothing: a vehicle that sits in its CLI stays there, and is told by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions
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
