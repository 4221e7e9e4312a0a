from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from dronekit_cfg.catalog import codec
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Kind, SettingSpec, Spec

SPEC = Spec(
    "ardupilot",
    "copter",
    "4.5.6",
    {
        "FULL": SettingSpec(
            "FULL",
            kind=Kind.INT16,
            unit="cm",
            minimum=-1.5,
            maximum=300,
            increment=0.5,
            values={-1: "off", 2: "on"},
            bits={0: "a", 31: "z"},
            default=7,
            read_only=True,
            volatile=True,
            calibration=True,
            identity=True,
            reboot=True,
            enabled_by="OTHER",
        ),
        "BARE": SettingSpec("BARE"),
        "ZERO": SettingSpec("ZERO", kind=Kind.REAL32, minimum=0.0, default=0),
        "TEXTY": SettingSpec("TEXTY", kind=Kind.TEXT, label="a label", options=("AUTO", "OFF"), default="OFF"),
        "TWIN": SettingSpec("TWIN", values={-1: "off", 2: "on"}),
        "Ünï": SettingSpec("Ünï", unit="µs"),
    },
    source="by hand",
)


@pytest.mark.parametrize("name", ["s.json.gz", "s.json.xz"])
def test_what_is_written_is_read_back_whole(tmp_path: Path, name: str) -> None:
    codec.dump(SPEC, tmp_path / name)
    found = codec.load(tmp_path / name)
    assert dict(found.settings) == SPEC.settings
    assert (found.family, found.vehicle, found.version, found.source) == ("ardupilot", "copter", "4.5.6", "by hand")
    assert found.exact


def test_the_same_spec_gives_the_same_bytes(tmp_path: Path) -> None:
    codec.dump(SPEC, tmp_path / "a.json.gz")
    codec.dump(SPEC, tmp_path / "b.json.gz")
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def test_labels_shared_by_settings_are_stored_once() -> None:
    content = json.loads(codec.pack(SPEC))
    assert len(content["tables"]) == 2


def test_settings_behave_as_a_mapping() -> None:
    found = codec.unpack(codec.pack(SPEC)).settings
    assert len(found) == 6
    assert "FULL" in found
    assert "NOPE" not in found
    assert found.get("NOPE") is None
    assert list(found) == sorted(SPEC.settings)
    assert found["FULL"] is found["FULL"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not packed at all",
        b"\x1f\x8b\x08",
        gzip.compress(b'{"format": "dronekit-cfg/spec/v1"}')[:-9],
        gzip.compress(b"[]"),
        gzip.compress(b"{"),
        gzip.compress(b'{"format": "dronekit-cfg/spec/v9"}'),
        gzip.compress(b'{"format": "dronekit-cfg/spec/v1", "settings": [], "tables": []}'),
    ],
    ids=lambda data: f"{len(data)}-bytes-{data[-4:].hex()}",  # gzip carries the time, and ids must be stable
)
def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.json.gz"
    path.write_bytes(data)
    with pytest.raises(MetadataError, match=r"broken\.json\.gz") as caught:
        codec.load(path)
    assert caught.value.hint


def test_a_missing_file_is_a_metadata_error(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="cannot be read"):
        codec.load(tmp_path / "none.json.gz")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_LIMIT", 1000)
    path = tmp_path / "huge.json.gz"
    path.write_bytes(gzip.compress(b" " * 2000))
    with pytest.raises(MetadataError, match="too large"):
        codec.load(path)
