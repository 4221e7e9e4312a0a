"""Where profiles are found, and what is said when they are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.formats.shipped import shipped

Profile = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("heavy-lift", "airframes/heavy-lift.yaml"),
        ("base/ardupilot-copter", "base/ardupilot-copter.yaml"),
        ("ardupilot-copter", "base/ardupilot-copter.yaml"),
        ("gnss-dual", "overlays/gnss-dual.yaml"),
        ("overlays/gnss-dual", "overlays/gnss-dual.yaml"),
        ("ardupilot/heavy-lift", "airframes/heavy-lift.yaml"),
        ("ardupilot/airframes/heavy-lift", "airframes/heavy-lift.yaml"),
    ],
)
def test_a_profile_is_found_by_as_much_of_its_path_as_is_given(library: Library, name: str, path: str) -> None:
    assert library.find(name).as_posix().endswith(f"lib/ardupilot/{path}")


def test_a_mistyped_name_is_answered_with_the_closest_one(library: Library) -> None:
    with pytest.raises(UsageError, match='no profile "heavylift"') as caught:
        library.find("heavylift")
    assert caught.value.hint == 'did you mean "heavy-lift"?'
    with pytest.raises(UsageError) as caught:
        library.find("zzz")
    assert "profile list" in caught.value.hint


def test_a_name_that_two_families_have_needs_the_family(library: Library, profile: Profile) -> None:
    profile("betaflight/airframes/heavy-lift", "gps_provider: UBLOX", family="betaflight")
    with pytest.raises(UsageError, match=r"several families .*: ardupilot, betaflight") as caught:
        library.find("heavy-lift")
    assert "ardupilot/heavy-lift or betaflight/heavy-lift" in caught.value.hint
    assert "betaflight" in library.find("heavy-lift", family="betaflight").parts
    assert "betaflight" in library.find("betaflight/heavy-lift").parts


def test_a_profile_of_another_family_is_said_to_be_one(library: Library) -> None:
    with pytest.raises(UsageError, match="is for ardupilot, not for px4"):
        library.find("heavy-lift", family="px4")


def test_a_profile_of_the_user_hides_a_later_one_of_the_same_name(
    library: Library, tmp_path: Path, profile: Profile
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "heavy-lift.yaml").write_text("format: dronekit-cfg/profile/v1\nname: heavy-lift\nfamily: ardupilot\n")
    both = Library([own, *library.search], with_shipped=False)
    assert both.find("heavy-lift") == own / "heavy-lift.yaml"
    assert [e.path for e in both.list() if e.name == "heavy-lift"] == [own / "heavy-lift.yaml"]


def test_the_same_name_in_two_folders_of_one_family_needs_the_folder(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/heavy-lift")
    with pytest.raises(UsageError, match="airframes/heavy-lift, overlays/heavy-lift"):
        library.find("heavy-lift")
    assert "overlays" in library.find("overlays/heavy-lift").parts


def test_a_path_is_taken_as_it_is_and_from_beside_the_file_that_names_it(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "lib" / "ardupilot" / "airframes" / "heavy-lift.yaml"
    assert library.find(str(path)) == path
    assert library.find("./heavy-lift.yaml", beside=path.parent) == path
    with pytest.raises(UsageError, match="there is no profile file") as caught:
        library.find("./heavylift.yaml", beside=path.parent)
    assert "heavy-lift.yaml" in caught.value.hint


def test_the_list_tells_kind_family_version_and_summary(library: Library) -> None:
    listed = [(e.kind, e.name, e.family, e.version, e.summary) for e in library.list()]
    assert listed == [
        ("airframe", "heavy-lift", "ardupilot", "1.2.0", ""),
        ("base", "base/ardupilot-copter", "ardupilot", "1.0.0", "what every copter wants"),
        ("overlay", "gnss-dual", "ardupilot", "1.0.0", ""),
        ("overlay", "gnss-resilient", "ardupilot", "1.0.0", ""),
    ]
    assert library.list(family="px4") == ()


def test_a_broken_file_is_listed_with_its_problem_and_hides_no_other(library: Library, profile: Profile) -> None:
    path = profile("ardupilot/airframes/broken")
    path.write_text("name: [\n")
    entry = next(e for e in library.list() if e.name == "broken")
    assert "not valid YAML" in entry.problem
    assert entry.family == "ardupilot"
    assert library.find("heavy-lift")


def test_a_unit_file_is_found_by_uid_and_is_no_profile(library: Library, profile: Profile) -> None:
    path = profile("units/00ff")
    assert library.unit("00ff") == path
    assert library.unit("1234") is None
    assert library.unit("") is None
    assert "00ff" not in [e.name for e in library.list()]


def test_a_folder_that_does_not_exist_is_an_empty_library(tmp_path: Path) -> None:
    assert Library([tmp_path / "none"], with_shipped=False).list() == ()


def test_the_shipped_folders_of_a_checkout_are_beside_the_package() -> None:
    assert (shipped("schemas") / "profile.v1.schema.json").is_file()
    assert shipped("profiles").is_dir()


def test_an_installed_package_finds_its_data_inside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "dronekit_cfg"
    (package / "_data" / "profiles").mkdir(parents=True)
    monkeypatch.setattr("dronekit_cfg.formats.shipped.files", lambda _: package)
    shipped.cache_clear()
    try:
        assert shipped("profiles") == package / "_data" / "profiles"
        assert shipped("schemas") == package / "_data" / "schemas"
    finally:
        shipped.cache_clear()


def test_every_shipped_profile_is_read_and_is_called_as_its_file() -> None:
    for entry in Library().list():
        assert entry.problem == ""
        assert load_layer(entry.path).name in (entry.name, entry.path.stem)
        assert entry.summary
