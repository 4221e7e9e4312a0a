"""`module`: commands of a radio module, listed, and given only with a yes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]
TX = ("--link", "sim:elrs-tx")


def test_commands_are_listed_and_none_is_given(cli: Run) -> None:
    said = cli("module", "list", *TX)
    assert said.code == 0
    assert said.out.split() == ["VTX_Administrator/Send_VTx", "WiFi_Connectivity/Enable_WiFi", "Bind"]


def test_a_command_needs_a_yes_and_says_what_became_of_it(cli: Run) -> None:
    assert cli("module", "run", "Bind", *TX).code == 2
    said = cli("module", "run", "Bind", "--yes", "--json", *TX)
    assert said.code == 0
    assert json.loads(said.out)["done"] is True


def test_what_has_no_such_commands_says_so(cli: Run) -> None:
    said = cli("module", "list", "--link", "sim:ublox-m10")
    assert said.code == 4
    assert "ublox" in said.err
