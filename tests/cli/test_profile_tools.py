"""`profile compose|new|diff|migrate|sign|verify-signature`, `profile lock --check` of a build, and `keys`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.formats.snapshot_json import save_snapshot
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value

Run = Callable[..., Any]
STACK = "ardupilot/fpv-7in+gnss-single-ublox+rc-elrs"
INPUTS = ("-i", "cells=6", "-i", "port_rc=2")

PROFILE = """\
format: dronekit-cfg/profile/v1
name: mine
version: 1.0.0
family: ardupilot
vehicle: copter
names: "4.6"
settings:
  RTL_ALT: 1500 # home
"""


def test_a_stack_is_composed_locked_and_checked(cli: Run, tmp_path: Path) -> None:
    made = cli("profile", "compose", STACK, *INPUTS, "--name", "alpha", "--require", "imu=>=2")
    assert made.code == 0, made.err
    assert "--input port_gps=N" in made.out  # a role without a port is told about
    file = tmp_path / "builds" / "alpha.yaml"
    assert "SERIAL2_PROTOCOL: 23" in file.read_text("utf-8")
    assert cli("profile", "lock", "--check", file).code == 0
    file.write_text(file.read_text("utf-8").replace("GPS2_TYPE: 0", "GPS2_TYPE: 1"), "utf-8")
    found = cli("profile", "lock", "--check", file, "--json")
    assert found.code == 1
    assert found.document["differences"] == [{"what": "GPS2_TYPE", "locked": "1", "now": "0"}]
    assert cli("profile", "show", file).code == 2


def test_a_build_is_not_written_over_and_requires_what_can_be_checked(cli: Run) -> None:
    assert cli("profile", "compose", STACK, *INPUTS).code == 0
    again = cli("profile", "compose", STACK, *INPUTS)
    assert (again.code, "exists" in again.err) == (2, True)
    assert cli("profile", "compose", STACK, *INPUTS, "--yes").code == 0
    wrong = cli("profile", "compose", STACK, *INPUTS, "--require", "gimbal=fitted")
    assert (wrong.code, "no kind of part" in wrong.err) == (2, True)


def test_a_profile_is_made_from_a_snapshot(cli: Run, tmp_path: Path) -> None:
    settings = (
        Setting("FENCE_ALT_MAX", Value(Kind.REAL32, 77.0), Value(Kind.REAL32, 100.0)),
        Setting("FENCE_RADIUS", Value(Kind.REAL32, 300.0), Value(Kind.REAL32, 300.0)),
        Setting("COMPASS_OFS_X", Value(Kind.REAL32, 5.0), Value(Kind.REAL32, 0.0)),
    )
    identity = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev", "sitl", "00ff")
    save_snapshot(tmp_path / "snap.json", Snapshot(identity, "2026-11-22T20:00:00Z", "mavftp", settings))
    assert cli("profile", "new", "snap.json", "--name", "flying").code == 0
    text = (tmp_path / "flying.yaml").read_text("utf-8")
    assert "FENCE_ALT_MAX: 77" in text
    assert "FENCE_RADIUS" not in text
    assert "COMPASS_OFS_X" not in text
    assert cli("profile", "lint", "./flying.yaml").code == 0


def test_two_profiles_are_compared(cli: Run) -> None:
    one, two = "ardupilot/fpv-7in+gnss-single-ublox", "ardupilot/fpv-7in+gnss-dual-ublox"
    found = cli("profile", "diff", one, two, "-i", "cells=6", "--json")
    assert found.code == 1
    assert {d["what"] for d in found.document["differences"]} == {"EK3_AFFINITY", "GPS2_GNSS_MODE", "GPS2_TYPE"}
    assert cli("profile", "diff", one, one, "-i", "cells=6").code == 0


def test_a_profile_is_migrated_with_every_change_shown(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(PROFILE, "utf-8")
    shown = cli("profile", "migrate", file, "--to", "copter@4.7")
    assert shown.code == 0
    assert "RTL_ALT_M: 15" in shown.out
    assert "nothing was written" in shown.out
    assert file.read_text("utf-8") == PROFILE
    assert cli("profile", "migrate", file, "--to", "copter@4.7", "--yes").code == 0
    assert file.read_text("utf-8").endswith('names: "4.7"\nsettings:\n  RTL_ALT_M: 15 # home\n')
    assert "nothing to change" in cli("profile", "migrate", file, "--to", "copter@4.7").out


def test_who_set_a_value_over_whom_and_why(cli: Run) -> None:
    said = cli("profile", "show", "ardupilot/fpv-7in+gnss-resilient", "-i", "cells=6", "--why", "FENCE_ACTION")
    assert said.code == 0
    assert "gnss-resilient" in said.out
    assert "replaces the value of base/ardupilot-copter" in said.out
    assert "because" in said.out


def test_a_lock_is_signed_and_checked(cli: Run, tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="signing needs the extra dronekit-cfg[sign]")
    (tmp_path / "ring").mkdir()
    assert cli("keys", "generate", "ring/me").code == 0
    assert cli("keys", "show", "ring", "--json").document["keys"][0]["name"] == "me"
    assert cli("profile", "lock", "ardupilot/fpv-7in", "-i", "cells=6", "-o", "a.json").code == 0
    assert cli("profile", "sign", "a.json", "--key", "ring/me").code == 0
    checked = cli("profile", "verify-signature", "a.json", "--keyring", "ring", "--json")
    assert (checked.code, checked.document["signers"]) == (0, ["me"])
    assert cli("profile", "lock", "ardupilot/fpv-7in", "-i", "cells=4", "-o", "a.json").code == 0
    assert cli("profile", "verify-signature", "a.json", "--keyring", "ring").code == 2


@pytest.fixture
def ring(cli: Run, tmp_path: Path) -> Path:
    pytest.importorskip("cryptography", reason="signing needs the extra dronekit-cfg[sign]")
    (tmp_path / "ring").mkdir()
    assert cli("keys", "generate", "ring/me").code == 0
    return tmp_path / "ring"


SIM = ("--link", "sim:ardupilot-copter?fresh", "--yes")


def test_only_a_signed_lock_is_applied_where_a_signature_is_required(cli: Run, ring: Path) -> None:
    asked = ("--require-signature", ring, *SIM)
    assert cli("profile", "lock", "ardupilot/fpv-7in", "-i", "cells=6", "-o", "a.json").code == 0
    unsigned = cli("apply", "a.json", *asked)
    assert (unsigned.code, "is not signed" in unsigned.err) == (2, True)
    named = cli("apply", "fpv-7in", "-i", "cells=6", *asked)
    assert (named.code, "not a signed lock" in named.err) == (2, True)
    assert cli("profile", "sign", "a.json", "--key", ring / "me").code == 0
    assert cli("profile", "lock", "ardupilot/fpv-7in", "-i", "cells=4", "-o", "b.json").code == 0
    Path("b.json.sig").write_bytes(Path("a.json.sig").read_bytes())
    moved = cli("apply", "b.json", *asked)
    assert (moved.code, "another lock" in moved.err) == (2, True)
    done = cli("apply", "a.json", *asked)
    assert done.code == 0, done.err


def test_an_inventory_tells_what_is_fitted(cli: Run) -> None:
    found = cli("info", "--inventory", "--json", "--link", "sim:ardupilot-copter?fresh").document["inventory"]
    assert {p["kind"] for p in found} >= {"imu", "compass", "baro", "gps"}
    assert "Told by" in cli("info", "--inventory", "--link", "sim:ardupilot-copter?fresh").out


def test_a_vehicle_that_lacks_a_required_part_does_not_verify(cli: Run) -> None:
    made = cli("profile", "compose", STACK, *INPUTS, "--name", "alpha", "--require", "imu=>=9")
    assert made.code == 0, made.err
    found = cli("verify", "builds/alpha.yaml", "--link", "sim:ardupilot-copter?fresh", "--json")
    assert found.code == 1
    assert [f["message"] for f in found.document["findings"] if f["id"] == "part-missing"] == [
        "the build requires imu: >=9, and fitted is: SITL, SITL"
    ]
    assert [(r["part"], r["requires"], r["holds"]) for r in found.document["fitted"]] == [("imu", ">=9", False)]


def test_what_is_fitted_is_shown_beside_what_the_build_requires(cli: Run) -> None:
    required = ("--require", "imu=>=2", "--require", "compass=external")
    assert cli("profile", "compose", STACK, *INPUTS, "--name", "beta", *required).code == 0
    shown = cli("verify", "builds/beta.yaml", "--link", "sim:ardupilot-copter?fresh").out.splitlines()
    rows = [line.split() for line in shown if line.startswith(("imu ", "compass "))]
    assert rows[0] == ["imu", ">=2", "SITL,", "SITL", "yes"]
    assert rows[1][:2] == ["compass", "external"]
    assert rows[1][-1] == "yes"


def test_a_profile_of_a_px4_vehicle_takes_the_defaults_from_a_fresh_one(cli: Run) -> None:
    identity = Identity("px4", "copter", "1.16.0", "1.16.0", "50", "aa")

    def saved(name: str, family: str = "px4", **values: int) -> str:
        settings = tuple(Setting(n, Value(Kind.INT32, v)) for n, v in values.items())
        save_snapshot(Path(name), Snapshot(replace(identity, family=family), "2026-11-22T20:00:00Z", "list", settings))
        return name

    flown = saved("flown.json", NAV_RCL_ACT=3, MPC_XY_VEL_MAX=8)
    told = cli("profile", "new", flown, "--name", "first")
    assert "2 settings" in told.out
    assert "--defaults" in told.out
    fresh = cli(
        "profile", "new", flown, "--defaults", saved("fresh.json", NAV_RCL_ACT=2, MPC_XY_VEL_MAX=8), "--name", "two"
    )
    assert "1 setting;" in fresh.out
    other = cli("profile", "new", flown, "--defaults", saved("other.json", "inav", NAV_RCL_ACT=2), "--name", "three")
    assert (other.code, "other.json is of inav" in other.err) == (2, True)


def test_what_only_a_talk_tells_can_be_required(cli: Run) -> None:
    """The simulated board has four ESCs that answer, and a receiver that is set up and silent."""
    wanted = ("esc=4", "esc.type=PWM", "gnss=fitted", "gnss.firmware=M10")
    required = [word for want in wanted for word in ("--require", want)]
    assert cli("profile", "compose", "betaflight/fpv-7in", "-i", "cells=6", "--name", "gamma", *required).code == 0
    found = cli("verify", "builds/gamma.yaml", "--link", "sim:betaflight?fresh", "--json")
    assert [(r["part"], r["holds"]) for r in found.document["fitted"]] == [
        ("esc", True),
        ("esc.type", True),
        ("gnss", False),
        ("gnss.firmware", False),
    ]
    missing = [f["message"] for f in found.document["findings"] if f["id"] == "part-missing"]
    assert missing == [
        "the build requires gnss: fitted, and fitted is: VIRTUAL (does not answer)",
        "the build requires gnss.firmware: M10, and fitted is: VIRTUAL (tells no firmware) (does not answer)",
    ]


def test_an_apply_says_how_many_parts_its_record_names_and_which_are_silent(cli: Run) -> None:
    done = cli("apply", "betaflight/fpv-7in", "-i", "cells=6", "--yes", "--link", "sim:betaflight?fresh")
    (line,) = [line for line in done.out.splitlines() if line.startswith("as built")]
    assert line.split(maxsplit=2)[2] == "8 parts named in the receipt; silent: gps 1"


PORTS = ("-i", "port_gps=3", "-i", "port_gps2=4", "-i", "port_rc=2")
SWAPPED = ("-i", "cells=6", *PORTS, "--link", "sim:ardupilot-copter")


def test_swapping_a_module_is_one_word_and_shows_only_what_the_swap_changes(cli: Run) -> None:
    stack = "heavy-lift-hexa+gnss-{gnss}+rc-elrs+gnss-resilient"
    assert cli("apply", stack.format(gnss="dual-ublox"), *SWAPPED, "--yes", "-q").code == 0

    def planned(gnss: str) -> dict[str, tuple[float, float]]:
        found = cli("plan", stack.format(gnss=gnss), *SWAPPED, "--json")
        return {c["name"]: (c["old"]["value"], c["wanted"]["value"]) for c in found.document["plan"]["changes"]}

    assert planned("dual-ublox") == {}
    # what the old module had set is cleared: the second receiver, its port, and the lane that followed it
    assert planned("single-ublox") == {"GPS2_TYPE": (2, 0), "EK3_AFFINITY": (1, 0), "SERIAL4_PROTOCOL": (5, -1)}
    assert planned("dronecan") == {
        "GPS1_TYPE": (2, 9),
        "GPS2_TYPE": (2, 0),
        "GPS_AUTO_CONFIG": (1, 2),
        "EK3_AFFINITY": (1, 0),
        "SERIAL3_PROTOCOL": (5, -1),
        "SERIAL4_PROTOCOL": (5, -1),
        "CAN_P1_DRIVER": (0, 1),
    }


def test_one_name_is_planned_for_the_family_that_the_vehicle_is_and_the_plan_names_the_files(cli: Run) -> None:
    for link, family in (("sim:ardupilot-copter?fresh", "ardupilot"), ("sim:px4-copter?fresh", "px4")):
        shown = cli("plan", "heavy-lift+gnss-resilient", "-i", "cells=6", "--link", link)
        assert shown.code == 1, shown.err
        for part in ("base", "airframes/heavy-lift.yaml", "overlays/gnss-resilient.yaml"):
            assert f"{family}/{part}" in shown.out
