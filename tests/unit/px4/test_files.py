"""Files that PX4 people have: start scripts, exports of ground stations, the board's own storage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats.param_family import family_of_names
from dronekit_cfg.formats.read_any import read_settings
from dronekit_cfg.model import Kind, Value

GOLDEN = Path(__file__).parents[2] / "golden" / "px4"
SCRIPT = """#!/bin/sh
# @name Heavy one
. ${R}etc/init.d/rc.mc_defaults

param set-default CA_ROTOR_COUNT 6
param set-default MC_ROLLRATE_P 0.18
param set-default -s MPC_TILTMAX_AIR 25   # slow
param set BAT1_N_CELLS 12
if param compare SYS_HAS_GPS 1
then
\tparam set-default EKF2_GPS_CTRL 7
fi
set OUTPUT_MODE pwm
"""


def test_an_airframe_script_gives_its_settings_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "4999_heavy"
    path.write_text(SCRIPT)
    found = read_settings(path)
    assert (found.kind, found.family) == ("px4-script", "px4")
    assert found.settings == {
        "CA_ROTOR_COUNT": 6,
        "MC_ROLLRATE_P": Value(Kind.REAL32, 0.18).raw,
        "MPC_TILTMAX_AIR": 25,
        "BAT1_N_CELLS": 12,
    }
    assert found.lines["BAT1_N_CELLS"] == 8
    assert [w.line for w in found.warnings] == [11]


def test_a_script_value_that_is_no_number_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("param set-default NAV_RCL_ACT two\n")
    with pytest.raises(FileProblems) as caught:
        read_settings(path)
    assert [p.line for p in caught.value.problems] == [1]


def test_the_storage_file_of_a_board_is_refused_by_name(tmp_path: Path) -> None:
    """As parameters.bson of a real PX4 begins: length, INT32 element, name, value, end."""
    body = b"\x10NAV_RCL_ACT\x00\x02\x00\x00\x00\x00"
    path = tmp_path / "parameters.bson"
    path.write_bytes((len(body) + 4).to_bytes(4, "little") + body)
    with pytest.raises(FileProblems, match="BSON"):
        read_settings(path)


def test_two_columns_of_ulog_params_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("NAV_RCL_ACT,2\nCOM_RC_LOSS_T,0.5\n")
    assert read_settings(path).settings == {"NAV_RCL_ACT": 2, "COM_RC_LOSS_T": 0.5}


def test_every_setting_of_a_real_px4_survives_a_qgroundcontrol_file(
    tmp_path: Path, listed: list[tuple[str, str, float]]
) -> None:
    rows = [f"1\t1\t{n}\t{v if k == 'INT32' else format(v, '.18f')}\t{6 if k == 'INT32' else 9}" for n, k, v in listed]
    path = tmp_path / "px4.params"
    path.write_text("# Onboard parameters for Vehicle 1\n#\n# Stack: PX4 Pro\n" + "\n".join(rows) + "\n")
    found = read_settings(path)
    assert found.family == "px4"
    assert {n: json.dumps(v.raw) for n, v in found.settings.items() if isinstance(v, Value)} == {
        n: json.dumps(Value(Kind(k), v).raw) for n, k, v in listed
    }


def test_the_names_tell_which_autopilot_a_file_is_of(tmp_path: Path, listed: list[tuple[str, str, float]]) -> None:
    ardupilot = json.loads((GOLDEN.parent / "ardupilot" / "params-copter-4.7-dev.json").read_text())
    assert family_of_names(name for name, *_ in listed) == "px4"
    assert family_of_names(name for name, *_ in ardupilot) == "ardupilot"
    assert family_of_names(["GPS1_TYPE"]) is None
    path = tmp_path / "x.param"
    path.write_text("NAV_RCL_ACT,2\nGPS_1_GNSS,0\n")
    assert read_settings(path).family == "px4"
