"""The page about scenarios is true: its example loads, and its table has every expectation and no other."""

from __future__ import annotations

import re
from pathlib import Path

from dronekit_cfg.hil.scenario import KINDS, load_scenario
from dronekit_cfg.hil.seeds import draw

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text("utf-8")


def test_the_example_can_be_flown_with_and_without_a_seed(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "my-gap.yaml"
    path.write_text(example, "utf-8")
    scenario = load_scenario(path)
    assert len(draw(scenario, None).steps) > 3
    assert {name for name, _ in draw(scenario, 1).drawn} == {"later, in seconds", "SIM_WIND_DIR", "step 2, at"}


def test_the_table_names_every_expectation() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+):", row)} == {*KINDS, "at_most"}
