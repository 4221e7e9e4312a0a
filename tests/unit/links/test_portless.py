"""Boards that are plugged in and have no port: named on Linux, where the kernel tells what is on the bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links import portless
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.serial_port import SerialLink


def plug(root: Path, vendor: str, product: str) -> None:
    folder = root / "1-4"
    folder.mkdir()
    (folder / "idVendor").write_text(f"{vendor}\n")
    (folder / "idProduct").write_text(f"{product}\n")


@pytest.mark.parametrize(
    ("vendor", "product", "words", "remedy"),
    [
        ("0483", "df11", "DFU mode", "boot button"),
        ("2e3c", "DF11", "DFU mode", "boot button"),
        ("0483", "572a", "disk", "eject"),
        ("2e3c", "5720", "disk", "eject"),
    ],
)
@pytest.mark.parametrize("device", ["auto", "/dev/ttyACM7"])
def test_a_board_without_a_port_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: str, product: str, words: str, remedy: str, device: str
) -> None:
    monkeypatch.setattr(portless, "SYSFS", tmp_path)
    plug(tmp_path, vendor, product)
    link = SerialLink(f"serial:{device}", device, 115200, RealClock(), ports=tuple)
    with pytest.raises(LinkOpenError) as caught:
        link.open()
    assert words in caught.value.message
    assert remedy in caught.value.hint


@pytest.mark.parametrize("ids", [("0483", "5740"), ("1d6b", "0002")])
def test_other_devices_are_none_of_our_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: tuple[str, str]
) -> None:
    monkeypatch.setattr(portless, "SYSFS", tmp_path)
    plug(tmp_path, *ids)
    assert portless.portless_board() is None


def test_where_no_bus_is_told_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portless, "SYSFS", tmp_path / "absent")
    assert portless.portless_board() is None
