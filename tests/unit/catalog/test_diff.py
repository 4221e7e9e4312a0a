from __future__ import annotations

from dronekit_cfg.catalog.diff import compare
from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import Kind, SettingSpec, Spec


def spec(version: str, *settings: SettingSpec) -> Spec:
    return Spec("ardupilot", "copter", version, {s.name: s for s in settings})


def test_equal_specs_do_not_differ() -> None:
    one = spec("1", SettingSpec("A", minimum=0, maximum=1))
    assert compare(one, one).same


def test_new_gone_and_changed_settings_are_told_apart() -> None:
    before = spec("1", SettingSpec("GONE"), SettingSpec("R", minimum=0, maximum=1), SettingSpec("V", values={0: "off"}))
    after = spec("2", SettingSpec("NEW"), SettingSpec("R", minimum=0, maximum=2), SettingSpec("V", values={0: "Off"}))
    found = compare(before, after)
    assert (found.new, found.gone, found.renamed) == (("NEW",), ("GONE",), ())
    assert [(c.name, c.parts) for c in found.changed] == [("R", ("range",)), ("V", ("values",))]
    assert not found.same


def test_every_kind_of_change_has_its_heading() -> None:
    before = spec("1", SettingSpec("A", kind=Kind.INT8, unit="cm", increment=1, bits={0: "x"}, default=1))
    after = spec(
        "2",
        SettingSpec("A", kind=Kind.INT16, unit="m", increment=2, bits={1: "x"}, default=2, reboot=True, enabled_by="B"),
    )
    (changed,) = compare(before, after).changed
    assert set(changed.parts) == {"kind", "unit", "increment", "bits", "default", "flags", "enabled_by"}


def test_a_type_or_default_that_one_version_does_not_tell_is_no_change() -> None:
    before = spec("1", SettingSpec("A", kind=Kind.INT8, default=3))
    assert compare(before, spec("2", SettingSpec("A"))).same


def test_a_renamed_setting_is_neither_new_nor_gone_and_its_scaled_numbers_are_no_change() -> None:
    renames = load_renames("ardupilot", "copter")
    old = spec("1", SettingSpec("RTL_ALT", unit="cm", maximum=300000), SettingSpec("GPS_TYPE", values={1: "AUTO"}))
    new = spec(
        "2", SettingSpec("RTL_ALT_M", unit="m", maximum=3000), SettingSpec("GPS1_TYPE", values={1: "AUTO", 9: "CAN"})
    )
    found = compare(old, new, renames)
    assert (found.new, found.gone) == ((), ())
    assert [(e.old, e.new) for e in found.renamed] == [("GPS_TYPE", "GPS1_TYPE"), ("RTL_ALT", "RTL_ALT_M")]
    assert [(c.name, c.parts) for c in found.changed] == [("GPS_TYPE", ("values",))]
    back = compare(new, old, renames)
    assert (back.new, back.gone) == ((), ())
    assert [c.name for c in back.changed] == ["GPS1_TYPE"]


def test_the_shipped_4_5_and_4_7_dev_differ_as_their_firmware_does() -> None:
    a, b = spec_for("ardupilot", "copter", "4.5.6"), spec_for("ardupilot", "copter", "4.7.0-dev")
    assert a is not None
    assert b is not None
    found = compare(a, b, load_renames("ardupilot", "copter"))
    assert ("GPS_TYPE", "GPS1_TYPE") in [(e.old, e.new) for e in found.renamed]
    assert {"EK3_OPTIONS", "FENCE_AUTOENABLE", "ARMING_NEED_LOC"} <= set(found.new)
    assert "GPS_MIN_DGPS" in found.gone
    changed = {c.name: c.parts for c in found.changed}
    assert "kind" in changed["SERIAL1_OPTIONS"]  # INT16 became INT32
    assert "default" in changed["EK3_SRC_OPTIONS"]  # 1 became 0
    assert "values" in changed["FS_EKF_ACTION"]  # 0, report only, is new
