"""Writes over good and bad links: what became of each is named, and a wrong "written" is never said."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver

from dronekit_cfg.model import Change, Kind, Outcome, Phase, Value, Verdict


def connected(rig: Any) -> ArdupilotDriver:
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    return driver


def change(name: str, kind: Kind, raw: float, old: float | None = None) -> Change:
    return Change(name, None if old is None else Value(kind, old), Value(kind, raw), Phase.SET)


def write(rig: Any, *changes: Change, driver: ArdupilotDriver | None = None) -> tuple[Outcome, ...]:
    driver = driver or connected(rig)
    outcomes: tuple[Outcome, ...] = rig.run(driver.codec, driver.write(changes))
    assert [o.name for o in outcomes] == [c.name for c in changes]
    return outcomes


THR = change("FS_THR_VALUE", Kind.INT16, 980, old=975)


def test_a_write_is_confirmed_by_its_echo(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    (outcome,) = write(rig, THR)
    assert (outcome.verdict, outcome.echoed, outcome.detail) == (Verdict.WRITTEN, Value(Kind.INT16, 980), "")
    assert rig.vehicles[0].sets == [("FS_THR_VALUE", 980.0)]


def test_names_of_sixteen_characters_are_written(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    (outcome,) = write(rig, change("SIXTEEN_CHARS_16", Kind.INT16, 8, old=7))
    assert outcome.ok
    assert rig.vehicles[0].params["SIXTEEN_CHARS_16"][1] == 8


def test_writes_fly_ten_at_a_time(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    start = rig.time
    changes = [change(n, Kind(k), 5, old=v) for n, (k, v) in rig.vehicles[0].params.items() if v != 5][:60]
    assert all(o.ok for o in write(rig, *changes, driver=driver))
    assert rig.time - start == pytest.approx(60 / 10 * 0.02, abs=1e-6)


def test_a_clamped_value_is_named_with_its_range(bench: Any, fake: Any) -> None:
    (outcome,) = write(bench(fake()), change("EK3_GPS_CHECK", Kind.INT16, 255, old=31))
    assert (outcome.verdict, outcome.echoed) == (Verdict.CLAMPED, Value(Kind.INT8, 127))
    assert outcome.detail == "INT8 holds -128 to 127"


def test_a_denied_write_is_named(bench: Any, fake: Any) -> None:
    rig = bench(fake(denied={"FS_THR_VALUE"}))
    (outcome,) = write(rig, THR)
    assert (outcome.verdict, outcome.echoed, outcome.detail) == (
        Verdict.DENIED,
        Value(Kind.INT16, 975),
        "write denied",
    )


def test_a_write_without_effect_and_without_a_word_is_denied_after_a_second_try(bench: Any, fake: Any) -> None:
    rig = bench(fake(read_only_quietly={"FS_THR_VALUE"}))
    (outcome,) = write(rig, THR)
    assert (outcome.verdict, outcome.echoed) == (Verdict.DENIED, Value(Kind.INT16, 975))
    assert len(rig.vehicles[0].sets) == 2


@pytest.mark.parametrize("told", [False, True])
def test_an_unknown_name_is_unknown_and_not_lost(bench: Any, fake: Any, told: bool) -> None:
    good = change("BATT_CAPACITY", Kind.INT32, 5000, old=3300)
    outcomes = write(bench(fake(param_error=told)), change("NO_SUCH_SETTING", Kind.INT8, 1), good)
    assert [o.verdict for o in outcomes] == [Verdict.UNKNOWN, Verdict.WRITTEN]
    assert outcomes[0].echoed is None


def test_a_lost_echo_is_asked_for_again(bench: Any, fake: Any) -> None:
    rig = bench(fake(lose_echo={"FS_THR_VALUE": 1}))
    assert write(rig, THR)[0].ok
    assert len(rig.vehicles[0].sets) == 2


def test_a_write_that_never_echoes_is_confirmed_by_reading(bench: Any, fake: Any) -> None:
    (outcome,) = write(bench(fake(full=True)), THR)
    assert outcome.ok
    assert "reading it back was right" in outcome.detail


@pytest.mark.parametrize("stale", [[975.0], [975.0, 975.0]])
def test_stale_echoes_of_the_old_value_do_not_confuse(bench: Any, fake: Any, stale: list[float]) -> None:
    rig = bench(fake(late={"FS_THR_VALUE": stale}))
    (outcome,) = write(rig, THR)
    assert (outcome.verdict, outcome.echoed) == (Verdict.WRITTEN, Value(Kind.INT16, 980))


def test_a_stale_echo_while_the_write_itself_is_lost_does_not_count_as_refused(bench: Any, fake: Any) -> None:
    vehicle = fake(lose_set={"FS_THR_VALUE": 1})
    rig = bench(vehicle)
    driver = connected(rig)
    vehicle.value("FS_THR_VALUE", 65535, rig.time)
    (outcome,) = write(rig, THR, driver=driver)
    assert outcome.verdict is Verdict.WRITTEN
    assert vehicle.params["FS_THR_VALUE"][1] == 980


def test_stale_answers_to_the_checking_read_do_not_confuse(bench: Any, fake: Any) -> None:
    rig = bench(fake(late={"FS_THR_VALUE": [975.0], "FS_THR_VALUE?": [975.0]}))
    assert write(rig, THR)[0].ok


def test_a_link_that_falls_silent_loses_what_is_left_and_ends_soon(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    rig.vehicles[0].mute = True
    start = rig.time
    changes = [change(n, Kind(k), 5) for n, (k, _) in rig.vehicles[0].params.items()]
    outcomes = write(rig, *changes, driver=driver)
    assert {o.verdict for o in outcomes} == {Verdict.LOST}
    assert rig.time - start < 12
    assert "not sent" in outcomes[-1].detail


def test_a_deaf_vehicle_that_still_sends_telemetry_ends_as_lost(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    rig.vehicles[0].deaf = True
    assert write(rig, THR, driver=driver)[0].verdict is Verdict.LOST


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Value(Kind.INT32, 16777217), "cannot be sent exactly (float32 would make it 16777216)"),
        (Value(Kind.REAL32, float("nan")), "ignores"),
        (Value(Kind.REAL32, float("inf")), "ignores"),
        (Value(Kind.TEXT, "on"), "texts"),
    ],
)
def test_what_cannot_be_sent_is_denied_before_anything_is_sent(bench: Any, fake: Any, value: Value, why: str) -> None:
    rig = bench(fake())
    (outcome,) = write(rig, Change("BATT_CAPACITY", None, value, Phase.SET))
    assert (outcome.verdict, rig.vehicles[0].sets) == (Verdict.DENIED, [])
    assert why in outcome.detail


def test_a_large_integer_that_float32_holds_is_sent(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    assert write(rig, change("BATT_CAPACITY", Kind.INT32, 1 << 30, old=3300))[0].ok
    assert rig.vehicles[0].params["BATT_CAPACITY"][1] == 1 << 30


def test_two_writes_to_one_name_are_done_one_after_the_other(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    both = (THR, change("FS_THR_VALUE", Kind.INT16, 990, old=980))
    outcomes = rig.run(driver.codec, driver.write(both))
    assert [o.echoed.raw for o in outcomes] == [980, 990]


def test_no_writes_are_no_traffic(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    sent = len(rig.sent)
    assert write(rig, driver=driver) == ()
    assert len(rig.sent) == sent


def test_the_vehicles_own_number_goes_last_and_is_followed(bench: Any, fake: Any) -> None:
    vehicle = fake(params={"SYSID_THISMAV": ["INT16", 1], "FS_THR_VALUE": ["INT16", 975]})
    rig = bench(vehicle)
    driver = connected(rig)
    original = vehicle.on_param_set

    def renumber(m: Any, now: float) -> None:
        if m.param_id == "SYSID_THISMAV":
            vehicle.system = vehicle.tx.srcSystem = int(m.param_value)
        original(m, now)

    vehicle.on_param_set = renumber
    outcomes = write(rig, change("SYSID_THISMAV", Kind.INT16, 7, old=1), THR, driver=driver)
    assert all(o.ok for o in outcomes)
    assert [name for name, _ in vehicle.sets] == ["FS_THR_VALUE", "SYSID_THISMAV"]
    assert rig.run(driver.codec, driver.read(["FS_THR_VALUE"]))["FS_THR_VALUE"].value.raw == 980


@pytest.mark.parametrize(("loss", "seed"), [*itertools.product([0.1, 0.2, 0.3], range(12))])
def test_no_loss_makes_a_write_look_other_than_it_was(bench: Any, fake: Any, loss: float, seed: int) -> None:
    vehicle = fake(loss_up=loss, loss_down=loss, seed=seed, denied={"GRP2_SETTING21"})
    rig = bench(vehicle)
    driver = connected(rig)
    changes = [change(n, Kind(k), 77, old=v) for n, (k, v) in list(vehicle.params.items())[:40]]
    changes.append(change("NO_SUCH_SETTING", Kind.INT8, 1))
    changes.append(change("EK3_GPS_CHECK", Kind.INT16, 255, old=31))
    for outcome in write(rig, *changes, driver=driver):
        stored = vehicle.params.get(outcome.name, [None, None])[1]
        if outcome.verdict is Verdict.WRITTEN:
            assert stored == outcome.wanted.raw
        elif outcome.name == "NO_SUCH_SETTING":
            assert outcome.verdict is Verdict.UNKNOWN
        elif outcome.name == "EK3_GPS_CHECK":
            assert (outcome.verdict, stored) == (Verdict.CLAMPED, 127)
        else:
            assert (outcome.verdict, outcome.name) == (Verdict.DENIED, "GRP2_SETTING21")
