from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.catalog import store
from dronekit_cfg.errors import MetadataError, StateError, UsageError
from dronekit_cfg.model import SettingSpec, Spec


def spec(version: str, family: str = "ardupilot", vehicle: str = "copter", name: str = "X") -> Spec:
    return Spec(family, vehicle, version, {name: SettingSpec(name)}, source=f"test {version}")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of specs that stands for the shipped one."""
    folder = tmp_path / "shipped"
    for version in ("4.3.2", "4.5.1", "4.5.6", "4.7.0.dev0"):
        store.save_user_spec(spec(version), folder)
    store.save_user_spec(spec("1.15.4", "px4", ""), folder)
    (folder / "README.md").write_text("not a spec", encoding="utf-8")
    monkeypatch.setattr(store, "shipped_dir", lambda: folder)
    return folder


@pytest.mark.parametrize(
    ("asked", "chosen", "exact", "said"),
    [
        ("4.5.6", "4.5.6", True, ""),
        ("v4.5.6", "4.5.6", True, ""),
        ("4.7.0-dev", "4.7.0.dev0", True, ""),
        ("4.7.0.dev0", "4.7.0.dev0", True, ""),
        ("4.7.0", "4.7.0.dev0", False, "same series"),
        ("4.5.0", "4.5.1", False, "same series"),
        ("4.5.2", "4.5.1", False, "same series"),
        ("4.5.9", "4.5.6", False, "same series"),
        ("4.5", "4.5.1", False, "same series"),
        ("4.6.2", "4.5.6", False, "nearest lower"),
        ("4.9.0", "4.7.0.dev0", False, "nearest lower"),
        ("4.2.0", "4.3.2", False, "nearest higher"),
        ("0.0.0", "4.7.0.dev0", False, "does not tell its version"),
        ("", "4.7.0.dev0", False, "does not tell its version"),
        ("master", "4.7.0.dev0", False, "does not tell its version"),
    ],
)
@pytest.mark.usefixtures("shipped")
def test_the_spec_is_chosen_by_the_stated_rule(asked: str, chosen: str, exact: bool, said: str) -> None:
    found = store.spec_for("ardupilot", "copter", asked)
    assert found is not None
    assert (found.version, found.exact) == (chosen, exact)
    assert said in found.source


def test_a_release_comes_before_a_development_version_of_the_same_number(shipped: Path) -> None:
    store.save_user_spec(spec("4.7.0"), shipped)
    for asked in ("4.7.2", "4.7", "5.0", "", "4.7-dev"):
        found = store.spec_for("ardupilot", "copter", asked)
        assert found is not None
        assert found.version == ("4.7.0.dev0" if "dev" in asked else "4.7.0"), asked


@pytest.mark.usefixtures("shipped")
def test_another_vehicle_or_family_has_no_spec() -> None:
    assert store.spec_for("ardupilot", "plane", "4.5.6") is None
    assert store.spec_for("betaflight", "fc", "4.5.0") is None


@pytest.mark.usefixtures("shipped")
def test_a_spec_for_any_vehicle_serves_every_vehicle_of_its_family() -> None:
    found = store.spec_for("px4", "copter", "1.15.4")
    assert found is not None
    assert (found.vehicle, found.exact) == ("copter", True)


@pytest.mark.usefixtures("shipped")
def test_the_users_own_spec_wins_over_a_shipped_one_of_the_same_version(tmp_path: Path) -> None:
    own = tmp_path / "own"
    store.save_user_spec(spec("4.5.6", name="MINE"), own)
    found = store.spec_for("ardupilot", "copter", "4.5.6", user_dir=own)
    assert found is not None
    assert list(found.settings) == ["MINE"]
    near = store.spec_for("ardupilot", "copter", "4.5.7", user_dir=own)
    assert near is not None
    assert list(near.settings) == ["MINE"]


@pytest.mark.usefixtures("shipped")
def test_the_users_exact_spec_wins_over_a_near_shipped_one(tmp_path: Path) -> None:
    store.save_user_spec(spec("4.6.2"), tmp_path / "own")
    found = store.spec_for("ardupilot", "copter", "4.6.2", user_dir=tmp_path / "own")
    assert found is not None
    assert (found.version, found.exact) == ("4.6.2", True)


def test_specs_are_listed_with_the_users_own_first(shipped: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    path = store.save_user_spec(spec("4.6.0"), own)
    listed = store.list_specs(own)
    assert listed[0] == store.SpecFile(path, "ardupilot", "copter", "4.6.0", user=True)
    assert len(listed) == 6
    assert all(f.path.parent == shipped and not f.user for f in listed[1:])


@pytest.mark.usefixtures("shipped")
def test_a_user_folder_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    assert store.spec_for("ardupilot", "copter", "4.5.6", user_dir=tmp_path / "none") is not None


@pytest.mark.usefixtures("shipped")
def test_a_damaged_spec_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    own = tmp_path / "own"
    store.save_user_spec(spec("4.5.6"), own).write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(MetadataError):
        store.spec_for("ardupilot", "copter", "4.5.6", user_dir=own)


@pytest.mark.parametrize("version", ["", "../../x", "next"])
def test_a_spec_with_an_unfit_version_is_not_saved(tmp_path: Path, version: str) -> None:
    with pytest.raises(UsageError):
        store.save_user_spec(spec(version), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StateError, match="cannot be written"):
        store.save_user_spec(spec("4.5.6"), tmp_path / "file")


def test_a_dashed_version_is_saved_under_a_name_that_is_found_again(tmp_path: Path) -> None:
    store.save_user_spec(spec("4.8.0-dev"), tmp_path)
    found = store.spec_for("ardupilot", "copter", "4.8.0-dev", user_dir=tmp_path)
    assert found is not None
    assert found.exact
