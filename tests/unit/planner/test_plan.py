"""The planner, on hand-made vehicles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dronekit_cfg.model import (
    INT_RANGES,
    Identity,
    Kind,
    Origin,
    Phase,
    Scalar,
    Setting,
    SettingSpec,
    Snapshot,
    Spec,
    StepKind,
    Value,
    Wanted,
)
from dronekit_cfg.planner.plan import Goal, make_plan

IDENTITY = Identity("ardupilot", "copter", "4.7.0", "4.7.0", "0", "aa")
HERE = Origin("profile", "p.yaml", 7, 3)


class Policy:
    def phase(self, name: str) -> Phase:
        if name.endswith(("_ENABLE", "_TYPE")):
            return Phase.ENABLE
        return Phase.LINK if name.startswith("SERIAL") else Phase.SET

    def protected(self, name: str) -> str:
        return {"INS_ACCOFFS_X": "calibration", "STAT_RUNTIME": "volatile"}.get(name, "")

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        kind = known.value.kind if known else Kind.REAL32
        low, high = INT_RANGES.get(kind, (-1e38, 1e38))
        if not low <= value <= high:
            raise ValueError(f"{name} is {kind}: {value} does not fit")
        return Value(kind, value)


def snapshot(**values: tuple[Kind, float]) -> Snapshot:
    settings = tuple(Setting(n, Value(k, v), Value(k, v)) for n, (k, v) in values.items())
    return Snapshot(IDENTITY, "2026-01-01T00:00:00Z", "mavftp", settings)


BASE = snapshot(
    FENCE_ENABLE=(Kind.INT8, 0),
    FS_THR_ENABLE=(Kind.INT8, 1),
    RTL_ALT=(Kind.REAL32, 1500),
    SERIAL1_BAUD=(Kind.INT32, 57),
    INS_ACCOFFS_X=(Kind.REAL32, 0.1),
    STAT_RUNTIME=(Kind.INT32, 10),
)
SPEC = Spec(
    "ardupilot",
    "copter",
    "4.7",
    {
        **{s.name: SettingSpec(s.name) for s in BASE.settings},
        "FENCE_RADIUS": SettingSpec("FENCE_RADIUS", minimum=30, maximum=10000, unit="m", enabled_by="FENCE_ENABLE"),
        "FS_THR_ENABLE": SettingSpec("FS_THR_ENABLE", values={0: "off", 1: "RTL", 3: "Land"}, reboot=True),
    },
)


def goal(*pairs: tuple[str, Scalar], include: frozenset[str] = frozenset()) -> Goal:
    return Goal("test", "sha256:0", tuple(Wanted(n, v, HERE, "because") for n, v in pairs), include)


def test_only_what_differs_changes() -> None:
    plan = make_plan(goal(("FS_THR_ENABLE", 1), ("RTL_ALT", 3000)), BASE, SPEC, Policy())
    assert [(c.name, str(c.old), str(c.wanted)) for c in plan.changes] == [("RTL_ALT", "1500", "3000")]
    assert plan.changes[0].because == "because"


def test_a_vehicle_that_is_as_wanted_has_an_empty_plan() -> None:
    plan = make_plan(goal(("RTL_ALT", 1500)), BASE, SPEC, Policy())
    assert (plan.changes, plan.steps) == ((), ())


def test_enabling_comes_first_and_our_own_link_last() -> None:
    plan = make_plan(goal(("SERIAL1_BAUD", 115), ("RTL_ALT", 3000), ("FENCE_ENABLE", 1)), BASE, SPEC, Policy())
    assert [c.name for c in plan.changes] == ["FENCE_ENABLE", "RTL_ALT", "SERIAL1_BAUD"]


def test_a_hidden_setting_waits_for_its_enabler_and_a_reboot() -> None:
    plan = make_plan(goal(("FENCE_RADIUS", 200), ("FENCE_ENABLE", 1)), BASE, SPEC, Policy())
    hidden = next(c for c in plan.changes if c.name == "FENCE_RADIUS")
    assert (hidden.old, hidden.appears_after) == (None, "FENCE_ENABLE")
    assert [s.kind for s in plan.steps] == [
        StepKind.WRITE,
        StepKind.REBOOT,
        StepKind.WRITE,
        StepKind.VERIFY,
        StepKind.REBOOT,
        StepKind.VERIFY,
    ]
    assert not plan.errors


def test_a_hidden_setting_whose_enabler_stays_off_is_an_error_that_names_it() -> None:
    plan = make_plan(goal(("FENCE_RADIUS", 200)), BASE, SPEC, Policy())
    (error,) = plan.errors
    assert "FENCE_ENABLE" in error.message
    assert error.origin == HERE


def test_an_unknown_setting_is_an_error_with_the_closest_names() -> None:
    (error,) = make_plan(goal(("FS_THR_ENABEL", 1)), BASE, SPEC, Policy()).errors
    assert "FS_THR_ENABLE" in error.remedy


def test_without_exact_metadata_an_unknown_setting_is_tried_by_name() -> None:
    near = Spec("ardupilot", "copter", "4.6", SPEC.settings, exact=False)
    plan = make_plan(goal(("NEW_THING", 1)), BASE, near, Policy())
    assert (plan.missing, plan.errors) == (("NEW_THING",), ())


def test_an_optional_setting_is_left_out_with_a_note_where_the_firmware_has_it_not() -> None:
    there = Origin("profile", "p.yaml", 9, 3)
    names = ("GPS_RESCUE", "OTHER")
    wish = Goal(
        "test",
        "sha256:0",
        (*(Wanted(n, 1, there, optional=True) for n in names), Wanted("RTL_ALT", 3000, HERE)),
    )
    plan = make_plan(wish, BASE, SPEC, Policy())
    assert [c.name for c in plan.changes] == ["RTL_ALT"]
    assert plan.notes == ("left out, because this firmware was built without: GPS_RESCUE, OTHER",)
    assert not plan.errors


def test_of_several_names_for_one_entry_the_one_that_the_firmware_has_is_enough() -> None:
    same = (Wanted("RTL_ALT", 3000, HERE, optional=True), Wanted("RTL_HEIGHT", 30, HERE, optional=True))
    plan = make_plan(Goal("test", "sha256:0", same), BASE, SPEC, Policy())
    assert ([c.name for c in plan.changes], plan.notes) == (["RTL_ALT"], ())


def test_a_value_that_does_not_fit_its_storage_is_an_error_before_anything_is_written() -> None:
    (error,) = make_plan(goal(("FENCE_ENABLE", 255)), BASE, SPEC, Policy()).errors
    assert "INT8" in error.message


def test_calibration_is_left_alone_unless_asked_for() -> None:
    wish = ("INS_ACCOFFS_X", 0.5)
    plan = make_plan(goal(wish), BASE, SPEC, Policy())
    assert (plan.changes, plan.skipped) == ((), ("INS_ACCOFFS_X",))
    assert "--include calibration" in plan.findings[0].remedy
    asked = make_plan(goal(wish, include=frozenset({"calibration"})), BASE, SPEC, Policy())
    assert [c.name for c in asked.changes] == ["INS_ACCOFFS_X"]


def test_volatile_settings_are_never_written_even_when_asked_for() -> None:
    plan = make_plan(goal(("STAT_RUNTIME", 0), include=frozenset({"volatile"})), BASE, SPEC, Policy())
    assert (plan.changes, plan.skipped) == ((), ("STAT_RUNTIME",))


def test_a_setting_under_its_old_name_is_carried_over_with_its_unit() -> None:
    class Metres:
        def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
            return ("RTL_ALT", float(value) * 100) if name == "RTL_ALT_M" and has("RTL_ALT") else None

    plan = make_plan(goal(("RTL_ALT_M", 30)), BASE, SPEC, Policy(), Metres())
    assert [(c.name, str(c.wanted)) for c in plan.changes] == [("RTL_ALT", "3000")]
    assert "RTL_ALT_M" in plan.notes[0]


def test_a_rename_that_a_person_must_decide_is_an_error() -> None:
    class Inverted:
        def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
            raise ValueError("ARMING_CHECK counts the other way round")

    (error,) = make_plan(goal(("ARMING_CHECK", 1)), BASE, SPEC, Policy(), Inverted()).errors
    assert "other way round" in error.message


def test_the_same_input_gives_the_same_digest_and_another_value_another() -> None:
    one = make_plan(goal(("RTL_ALT", 3000)), BASE, SPEC, Policy())
    assert one.digest == make_plan(goal(("RTL_ALT", 3000)), BASE, SPEC, Policy()).digest
    assert one.digest != make_plan(goal(("RTL_ALT", 3001)), BASE, SPEC, Policy()).digest


def test_a_profile_that_sets_nothing_on_this_firmware_is_an_error_with_its_place() -> None:
    wish = Goal("test", "sha256:0", (Wanted("GPS_RESCUE", 1, HERE, optional=True),))
    (error,) = make_plan(wish, BASE, SPEC, Policy()).errors
    assert (error.id, error.origin) == ("sets-nothing", HERE)
    assert error.remedy


CLI = Snapshot(
    Identity("betaflight", "copter", "4.6.0", "4.6.0", "SITL", "aa"),
    "2026-01-01T00:00:00Z",
    "cli",
    (
        Setting("small_angle", Value(Kind.UINT8, 25), Value(Kind.UINT8, 25)),
        Setting("rateprofile.0.roll_srate", Value(Kind.UINT8, 67), Value(Kind.UINT8, 67)),
    ),
)


def test_a_line_appended_behind_a_profile_is_of_the_whole_vehicle_where_its_setting_is() -> None:
    wish = goal(("small_angle", 20), ("rateprofile.0.roll_srate", 70), ("rateprofile.0.small_angle", 30))
    plan = make_plan(wish, CLI, None, Policy())
    # the later line counts, as on the vehicle
    changes = {c.name: str(c.wanted) for c in plan.changes}
    assert changes == {"rateprofile.0.roll_srate": "70", "small_angle": "30"}
    assert len(plan.changes) == 2
    assert plan.notes == ("rateprofile.0.small_angle is small_angle: a setting of the whole vehicle",)


def test_the_closest_names_are_of_the_setting_and_not_of_its_profile() -> None:
    spec = Spec("betaflight", "copter", "4.6.0", {s.name: SettingSpec(s.name) for s in CLI.settings})
    (error,) = make_plan(goal(("rateprofile.0.smal_angle", 30)), CLI, spec, Policy()).errors
    assert error.remedy == "did you mean small_angle?"
    (other,) = make_plan(goal(("rateprofile.0.ROL_SRATE", 30)), CLI, spec, Policy()).errors
    assert other.remedy == "did you mean rateprofile.0.roll_srate?"


def test_a_value_that_does_not_fit_is_told_with_its_name() -> None:
    class Terse(Policy):
        def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
            raise ValueError("'abc' is not a number")

    (error,) = make_plan(goal(("small_angle", "abc")), CLI, None, Terse()).errors
    assert error.message == "small_angle: 'abc' is not a number"
