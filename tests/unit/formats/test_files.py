"""Text files as Windows and Linux tools leave them, and writing that survives a crash."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, StateError, UsageError
from dronekit_cfg.formats import files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_is_read_in_every_encoding_that_windows_tools_save(encoding: str) -> None:
    assert files.decode("GPS1_TYPE,2\r\n".encode(encoding), "x.param") == "GPS1_TYPE,2\r\n"


def test_a_file_that_is_not_utf8_names_the_line_and_the_remedy() -> None:
    data = "A,1\n# коментар\n".encode("cp1251")
    with pytest.raises(FileProblems) as caught:
        files.decode(data, "x.param")
    assert str(caught.value) == "x.param:2: the file is not UTF-8 text"
    assert "save it as UTF-8" in caught.value.hint


@pytest.mark.parametrize("data", [b"\x7fELF\x01\x00\x00\x01", b"A,1\nB\x00,2\n"])
def test_a_binary_file_is_refused(data: bytes) -> None:
    with pytest.raises(FileProblems, match="binary"):
        files.decode(data, "x")


def test_a_missing_file_is_an_error_of_usage_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read") as caught:
        files.read_bytes(tmp_path / "none.param")
    assert caught.value.hint


def test_a_folder_in_the_place_of_a_file_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        files.read_bytes(tmp_path)
    assert caught.value.hint == "name a file inside it"


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * 11)
    assert files.read_bytes(path, limit=11) == b"x" * 11
    with pytest.raises(FileProblems, match="larger than 10 bytes"):
        files.read_bytes(path, limit=10)


@pytest.mark.parametrize("text", ["<!DOCTYPE html>\n<body>", "\n <HTML lang=en>", "<?xml version='1.0'?>\n<html>"])
def test_a_saved_web_page_is_recognized(text: str) -> None:
    assert files.is_html(text)
    assert not files.is_html("# a comment about < and >\nA,1\n")


def test_lines_are_counted_as_editors_count_them() -> None:
    assert files.lines_of("a\r\nb\rc\n\nd\x0be\n") == ["a", "b", "c", "", "d\x0be"]


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    files.write_atomic(path, "нове\r\n")
    assert path.read_bytes() == "нове\r\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_data_is_synced_before_it_takes_the_place_of_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    seen: list[str] = []

    def fsync(handle: int) -> None:
        seen.append(path.read_text())

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_atomic(path, "new")
    assert seen[0] == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permissions")],
)
def test_a_disk_that_refuses_is_a_state_error_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StateError) as caught:
        files.write_atomic(path, "new")
    assert remedy in caught.value.hint
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_an_interrupted_write_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(tmp_path / "a.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        files.write_atomic(tmp_path / "none" / "a.json", "new")
    assert "folder does not exist" in caught.value.hint
