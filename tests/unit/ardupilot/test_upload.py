"""Uploads of packed settings: whole or without effect."""

from __future__ import annotations

from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.talk.mavlink_ftp import FtpRefused, download, upload

PATH = "@PARAM/param.pck"
DATA = bytes(i * 7 % 256 for i in range(239 * 9 + 50))


def connected(rig: Any) -> ArdupilotDriver:
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    return driver


def put(rig: Any, driver: ArdupilotDriver, data: bytes = DATA) -> None:
    rig.run(driver.codec, upload(driver._conversation, PATH, data))


@pytest.mark.parametrize(("loss", "seed"), [(0.0, 1), *((0.15, s) for s in range(10))])
def test_an_upload_arrives_whole_whatever_the_link_loses(bench: Any, fake: Any, loss: float, seed: int) -> None:
    vehicle = fake(loss_up=loss, loss_down=loss, seed=seed)
    rig = bench(vehicle)
    put(rig, connected(rig))
    assert vehicle.uploads[-1] == DATA


def test_the_first_block_goes_last_so_that_a_broken_upload_is_no_settings_file(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)
    original, left = vehicle.ftp_write, [9]

    def breaks(*args: Any) -> None:
        if left[0]:
            left[0] -= 1
            original(*args)

    vehicle.ftp_write = breaks
    with pytest.raises(NoAnswer, match="nothing was applied"):
        put(rig, driver)
    vehicle.close()
    assert vehicle.uploads[-1] == bytes(239) + DATA[239:]


def test_the_end_of_an_upload_is_waited_for(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)
    original = vehicle.ftp_close
    vehicle.ftp_close = lambda *args: original(*args[:-1], args[-1] + (2.0 if vehicle.fd == "w" else 0.0))
    start = rig.time
    put(rig, driver)
    assert 2.0 < rig.time - start < 3.0


def test_a_short_upload_is_one_block(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    put(rig, connected(rig), b"short")
    assert vehicle.uploads == [b"short"]


def test_a_file_that_is_not_there_is_named(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    with pytest.raises(FtpRefused, match=r"@SYS/none\.txt: there is no such file"):
        rig.run(driver.codec, download(driver._conversation, "@SYS/none.txt"))
