"""Packs: every mistake is an error at load with file, line and column, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.rules.pack import load_folder, load_pack, parse_pack
from dronekit_cfg.rules.source import MAX_BYTES

HEAD = "format: dronekit-cfg/rules/v1\npack: mine\nrules:\n"
RULE = """\
  - id: MY-R1
    title: Too high
    severity: warning
    applies: {family: ardupilot}
    inputs: {cells: null}
    violation: p("RTL_ALT") > 100 * cells
    message: "RTL_ALT is {RTL_ALT} with {cells} cells"
    why: It is too high.
    remedy: Lower it.
    source: our handbook
    examples:
      bad: {settings: {RTL_ALT: 900}, inputs: {cells: 6}}
      good: {settings: {RTL_ALT: 300}, inputs: {cells: 6}}
"""


def problems(text: str, known: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        parse_pack(text, "mine.yaml", known=known)
    return [str(p) for p in caught.value.problems]


def changed(old: str, new: str, text: str = HEAD + RULE) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_good_pack_loads_with_the_place_of_each_rule() -> None:
    (rule,) = parse_pack(HEAD + RULE, "mine.yaml").rules
    assert (rule.id, rule.line, rule.column, rule.file, rule.waivable) == ("MY-R1", 4, 5, "mine.yaml", True)
    assert rule.reads == ("RTL_ALT",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('p("RTL_ALT") >', 'q("RTL_ALT") >', "mine.yaml:9:16: MY-R1: there is no function q"),
        ("100 * cells", "100 * cels", "mine.yaml:9:37: MY-R1: cels is neither"),
        ("violation: p", "violation: 'p", "mine.yaml:17:1: not valid YAML"),
        ('p("RTL_ALT")', 'p("RTL_ATL")', "mine.yaml:9:5: MY-R1: the setting RTL_ATL occurs in neither example"),
        ("{RTL_ALT} with", "{RTL_ATL} with", "mine.yaml:10:5: MY-R1: {RTL_ATL} is not a setting or input"),
        ("{RTL_ALT} with", "{RTL_ALT!r} with", "mine.yaml:10:5: MY-R1: {RTL_ALT} is not"),
        ("{RTL_ALT} with", "{RTL_ALT with", "mine.yaml:10:5: MY-R1: braces in the message"),
        ("severity: warning", "severity: fatal", "mine.yaml:6:5"),
        ("  - id: MY-R1", "  - id: my rule", "mine.yaml:4:5"),
        ("family: ardupilot", "family: helicopter", "mine.yaml:7:15"),
        ("{family: ardupilot}", "{family: ardupilot, firmware: 4.x}", "mine.yaml:7:34: '4.x' is no version range"),
        ("    why: It is too high.\n", "", "mine.yaml:4:5"),
        ("    why:", "    whi:", "mine.yaml:4:5"),
        ("{cells: null}", "{cells: null, mass: 1}", "mine.yaml:8:27: MY-R1: the input mass is not used"),
        ("{cells: null}", "{cells: null, vlos: true}", "mine.yaml:8:27: vlos is a word of the rule language"),
        ("RTL_ALT: 900", "RTL_ALT: 500", "mine.yaml:14:5: MY-R1: the bad example gives passed, not violated"),
        ("RTL_ALT: 300", "RTL_ALT: 800", "mine.yaml:14:5: MY-R1: the good example gives violated, not passed"),
        (
            "{RTL_ALT: 300}, inputs: {cells: 6}",
            "{RTL_ALT: 300}",
            "mine.yaml:14:5: MY-R1: the good example gives not-applicable, not passed (the input cells was not given)",
        ),
        ("pack: mine", "pack: mine\npack: other", "mine.yaml:3:1: not valid YAML: found duplicate key"),
        ("title: Too high", "title: &a Too high", "mine.yaml:5:12: anchors and aliases are not allowed"),
        ("title: Too high", "title: *a", "mine.yaml:5:12: "),
        ("title: Too high", "title: [", "mine.yaml:"),
        ("rules/v1", "rules/v9", "mine.yaml:1:1"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_at_its_place(old: str, new: str, expected: str) -> None:
    assert any(p.startswith(expected) for p in problems(changed(old, new))), problems(changed(old, new))


def test_all_mistakes_of_a_file_are_reported_at_once_in_their_order() -> None:
    second = changed("MY-R1", "MY-R2", RULE).replace("100 * cells", "100 * cels")
    found = problems(HEAD + changed('p("RTL_ALT") >', 'q("RTL_ALT") >', RULE) + second)
    assert [p.split(": ")[0] for p in found] == ["mine.yaml:9:16", "mine.yaml:22:37"]


def test_a_name_that_no_known_firmware_has_is_an_error_with_the_closest_name() -> None:
    text = (HEAD + RULE).replace("RTL_ALT", "RTL_ATL")
    (found,) = problems(text, known=("RTL_ALT", "FS_THR_ENABLE"))
    assert "no known firmware has a setting RTL_ATL; did you mean RTL_ALT?" in found


def test_an_expression_over_several_lines_is_reported_at_its_line() -> None:
    text = changed('violation: p("RTL_ALT") > 100 * cells', 'violation: >-\n      q("RTL_ALT") >\n      100 * cells')
    assert problems(text)[0].startswith("mine.yaml:10:")


def test_one_id_twice_is_an_error() -> None:
    assert any("rule MY-R1 is already in mine.yaml" in p for p in problems(HEAD + RULE + RULE))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "mine.yaml"),
        (b"\xff\xfe\x00junk", "byte 0 is not UTF-8"),
        (b"<html><body>Not found</body></html>", "mine.yaml"),
        (b"- " * 400_000 + b"x", "mine.yaml"),
        (b"{" * 5000, "mine.yaml"),
        (b"a: \x00", "not valid YAML"),
        (b" " * (MAX_BYTES + 1), "larger than"),
    ],
    ids=["empty", "binary", "html", "deep list", "deep map", "null byte", "huge"],
)
def test_a_file_that_is_no_pack_is_a_clear_error_and_no_traceback(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(FileProblems) as caught:
        load_pack(path)
    assert message in str(caught.value)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match="cannot be read"):
        load_pack(tmp_path / "gone.yaml")


def test_a_folder_of_packs_reports_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + RULE)
    (tmp_path / "b.yml").write_text(changed("100 * cells", "100 * cels"))
    (tmp_path / "c.yaml").write_text(HEAD + RULE)
    (tmp_path / "notes.txt").write_text("not a pack")
    with pytest.raises(FileProblems) as caught:
        load_folder(tmp_path)
    text = str(caught.value)
    assert "cels is neither" in text
    assert "rule MY-R1 is already in" in text
    (tmp_path / "b.yml").unlink()
    (tmp_path / "c.yaml").unlink()
    assert [p.name for p in load_folder(tmp_path)] == ["mine"]


def test_an_error_can_be_waived_only_where_its_rule_says_so() -> None:
    (plain,) = parse_pack(changed("severity: warning", "severity: error"), "mine.yaml").rules
    text = changed("severity: warning", "severity: error\n    waivable: true")
    (allowed,) = parse_pack(text, "mine.yaml").rules
    assert (plain.waivable, allowed.waivable) == (False, True)
