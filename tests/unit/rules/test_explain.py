"""What `rules list` and `rules explain` show."""

from __future__ import annotations

import json

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.explain import explain, listing
from dronekit_cfg.rules.shipped import shipped_rules


def test_a_rule_is_explained_with_what_why_measured_source_and_both_examples() -> None:
    lines = explain("AP-R20", shipped_rules()).lines()
    text = "\n".join(lines)
    assert lines[0] == "AP-R20"
    for part in (
        "What:        Optical flow is fitted but no source uses it (error)",
        "Applies to:  ardupilot; copter",
        "Measured:    Copter 4.7-dev simulator landed 16.1 s after the loss instead of 8.1 s.",
        "Waiver:      cannot be waived",
        "  Breaks it:\n    FLOW_TYPE: 6\n    EK3_SRC1_VELXY: 3\n    EK3_SRC2_VELXY: 0\n    -> FLOW_TYPE is 6, but no",
        "  Keeps it:\n    FLOW_TYPE: 6\n    EK3_SRC1_VELXY: 3\n    EK3_SRC2_VELXY: 5",
    ):
        assert part in text


def test_inputs_and_flags_of_an_example_are_shown() -> None:
    text = "\n".join(explain("AP-R15", shipped_rules()).lines())
    assert "flags: vlos" in text
    assert "input rc_independent = True" in text
    assert "Inputs:      rc_independent (False)" in text


def test_the_id_is_found_whatever_its_case() -> None:
    assert explain("ap-r20", shipped_rules()).id == "AP-R20"


def test_an_unknown_id_is_an_error_with_the_closest_ones() -> None:
    with pytest.raises(UsageError) as caught:
        explain("AP-R200", shipped_rules())
    assert "AP-R20" in caught.value.hint


def test_everything_in_the_list_can_be_explained_and_is_json() -> None:
    rows = listing(shipped_rules())
    assert len(rows) == len(shipped_rules()) + len(BUILTIN)
    for rule_id, severity, _, title in rows:
        found = explain(rule_id, shipped_rules())
        assert (found.severity, found.title) == (severity, title)
        assert json.loads(json.dumps(found.data()))["id"] == rule_id
        assert all(line == line.rstrip() for line in found.lines())
