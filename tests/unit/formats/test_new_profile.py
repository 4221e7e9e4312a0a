"""A profile from a vehicle that flies, and two profiles compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.engine.generations import generation_of
from dronekit_cfg.families.ardupilot.quirks import protected
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.new_profile import new_profile
from dronekit_cfg.formats.profile_diff import diff_profiles
from dronekit_cfg.formats.profile_yaml import parse_layer
from dronekit_cfg.model import Identity, Kind, Scalar, Setting, Snapshot, Value

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"
Profile = Callable[..., Path]


def snapshot(changed: dict[str, float]) -> Snapshot:
    rows = json.loads((GOLDEN / "params-copter-4.7-dev.json").read_text("utf-8"))
    settings = tuple(
        Setting(n, Value(Kind(k), changed.get(n, d if d is not None else v)), Value(Kind(k), d if d is not None else v))
        for n, k, v, d in rows
    )
    identity = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev (2598e9d4)", "sitl", "1")
    return Snapshot(identity, "2026-11-22T20:00:00Z", "mavftp", settings)


CHANGED = {
    "FENCE_ALT_MAX": 77.0,
    "SERIAL2_PROTOCOL": 23,
    "SERIAL1_BAUD": 115,
    "FS_EKF_THRESH": 0.7,
    "RTL_ALT": 2500,
    "INS_ACCOFFS_X": 0.25,  # calibration
    "SYSID_THISMAV": 4,
    "MAV_SYSID": 4,  # identity
    "STAT_BOOTCNT": 12,  # volatile
}


def test_only_what_somebody_chose_is_in_the_profile() -> None:
    made = new_profile(
        snapshot(CHANGED), "mine", spec=spec_for("ardupilot", "copter", "4.7.0.dev0"), protected=protected
    )
    layer = parse_layer(made.text, "mine.yaml")
    assert {s.name: s.value for s in layer.settings} == {
        "FENCE_ALT_MAX": 77,
        "SERIAL2_PROTOCOL": 23,
        "SERIAL1_BAUD": 115,
        "FS_EKF_THRESH": 0.7,
        "RTL_ALT": 2500,
    }
    assert made.settings == 5
    assert {"INS_ACCOFFS_X", "STAT_BOOTCNT"} <= set(made.left_out)
    assert (layer.family, layer.vehicle, layer.firmware, layer.names) == ("ardupilot", "copter", ">=4.7,<4.8", "4.7")


def test_settings_are_grouped_and_labelled() -> None:
    made = new_profile(
        snapshot(CHANGED), "mine", spec=spec_for("ardupilot", "copter", "4.7.0.dev0"), protected=protected
    )
    lines = made.text.splitlines()
    assert [line for line in lines if line.startswith("  # ")] == ["  # FENCE", "  # FS", "  # RTL", "  # SERIAL"]
    assert any(line.startswith("  SERIAL2_PROTOCOL: 23  # ") and "RCIN" in line for line in lines)
    assert "2598e9d4" in lines[0]


def test_a_vehicle_at_its_defaults_gives_a_profile_without_settings() -> None:
    made = new_profile(snapshot({}), "mine", protected=protected)
    assert made.settings == 0
    assert parse_layer(made.text, "mine.yaml").settings == ()


def test_texts_that_yaml_would_misread_are_in_quotes() -> None:
    texts = {"failsafe_procedure": "DROP", "gps_auto_config": "ON", "craft_name": 'my "quad": 5', "v": "0123", "e": "-"}
    settings = tuple(Setting(n, Value(Kind.TEXT, v)) for n, v in texts.items())
    found = Snapshot(Identity("betaflight", "", "4.6.0", "4.6.0", "sitl", "1"), "now", "cli", settings)
    layer = parse_layer(new_profile(found, "mine").text, "mine.yaml")
    assert {s.name: s.value for s in layer.settings} == texts


def test_two_profiles_are_compared_with_the_reason_of_what_changed(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/flagged", "GPS1_TYPE: {value: 9, because: on the bus}", "flags: [bvlos]\n")
    one = resolve("heavy-lift", library, inputs={"cells": "6"})
    two = resolve("heavy-lift+flagged", library, inputs={"cells": "4"})
    found = {d.what: d for d in diff_profiles(one, two)}
    assert set(found) == {"GPS1_TYPE", "BATT_LOW_VOLT", "flags"}
    gps = found["GPS1_TYPE"]
    assert (gps.a, gps.b, gps.why, gps.layer) == ("2", "9", "on the bus", "flagged")
    assert (found["BATT_LOW_VOLT"].a, found["BATT_LOW_VOLT"].b) == ("21", "14")
    assert (found["flags"].a, found["flags"].b) == ("vlos", "bvlos")
    assert diff_profiles(one, one) == ()


@pytest.mark.parametrize("name", ["gnss-single-ublox", "gnss-dronecan"])
def test_a_module_that_is_taken_away_is_shown_with_nothing_in_its_place(name: str) -> None:
    library = Library()
    with_module = resolve(f"fpv-7in+{name}", library, family="ardupilot", inputs={"cells": "6"})
    found = {
        d.what: (d.a, d.b)
        for d in diff_profiles(with_module, resolve("fpv-7in", library, family="ardupilot", inputs={"cells": "6"}))
    }
    assert found["GPS2_TYPE"] == ("0", "")


@pytest.mark.parametrize(
    ("settings", "series", "expected"),
    [
        ({"RTL_ALT_M": 30}, "4.7", "4.7"),
        ({"RTL_ALT": 3000}, "4.7", "4.6"),  # a development version before the change to metres
        ({"RTL_ALT": 3000, "MAV1_EXTRA1": 4}, "4.7", ""),  # and one in the middle of the changes
        ({"FENCE_RADIUS": 300}, "4.7", "4.7"),
    ],
)
def test_a_development_version_may_have_the_names_of_the_series_before(
    settings: dict[str, Scalar | None], series: str, expected: str
) -> None:
    assert generation_of(settings, series, family="ardupilot", vehicle="copter") == expected


def test_what_is_at_the_default_of_the_metadata_is_left_out_where_the_vehicle_tells_none() -> None:
    spec = spec_for("px4", "copter", "1.16")
    assert spec is not None
    assert spec.settings["NAV_DLL_ACT"].default == 0
    settings = (
        Setting("NAV_DLL_ACT", Value(Kind.INT32, 0)),
        Setting("NAV_RCL_ACT", Value(Kind.INT32, 3)),
        Setting("NOBODY_KNOWS_IT", Value(Kind.INT32, 0)),
    )
    identity = Identity("px4", "copter", "1.16.0", "1.16.0", "50", "aa")
    made = new_profile(Snapshot(identity, "2026-11-22T20:00:00Z", "list", settings), "mine", spec=spec)
    assert [s.name for s in parse_layer(made.text, "mine.yaml").settings] == ["NAV_RCL_ACT", "NOBODY_KNOWS_IT"]


def test_a_fresh_vehicle_shows_the_defaults_that_its_airframe_brings() -> None:
    def px4(**values: int) -> Snapshot:
        settings = tuple(Setting(n, Value(Kind.INT32, v)) for n, v in values.items())
        return Snapshot(Identity("px4", "copter", "1.16.0", "1.16.0", "50", "aa"), "now", "list", settings)

    spec = spec_for("px4", "copter", "1.16")
    flown, fresh = px4(NAV_DLL_ACT=0, NAV_RCL_ACT=3, SYS_AUTOSTART=4001), px4(NAV_DLL_ACT=2, NAV_RCL_ACT=3)
    made = new_profile(flown, "mine", spec=spec, fresh=fresh)
    # 0 is the metadata's default and not the airframe's, so somebody chose it; what only the one has is chosen too
    assert {s.name: s.value for s in parse_layer(made.text, "mine.yaml").settings} == {
        "NAV_DLL_ACT": 0,
        "SYS_AUTOSTART": 4001,
    }


def test_what_inav_changes_by_itself_after_a_reset_is_never_taken_for_untouched() -> None:
    on = Value(Kind.TEXT, "ON")
    settings = (Setting("feature.GPS", on, on), Setting("feature.VBAT", on, on))
    found = Snapshot(Identity("inav", "copter", "9.0.0", "9.0.0", "sitl", "1"), "now", "cli", settings)
    assert [s.name for s in parse_layer(new_profile(found, "mine").text, "mine.yaml").settings] == ["feature.GPS"]


@pytest.mark.parametrize(("family", "first", "other"), [("betaflight", "0", "2"), ("inav", "1", "3")])
def test_the_first_profile_is_selected_after_a_reset(family: str, first: str, other: str) -> None:
    settings = (
        Setting("battery_profile", Value(Kind.TEXT, first)),
        Setting("profile", Value(Kind.TEXT, other)),
    )
    found = Snapshot(Identity(family, "copter", "9.0.0", "9.0.0", "sitl", "1"), "now", "cli", settings)
    assert [s.name for s in parse_layer(new_profile(found, "mine").text, "mine.yaml").settings] == ["profile"]
