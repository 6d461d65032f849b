"""``docs/algorithms.md`` says of every arm, and of the rating predictor, what parameters there are."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from apps.algorithms.arms.parameters import Rule, Settings
from apps.algorithms.prediction import PredictorSettings
from apps.algorithms.registry import ARMS

DOCUMENT = Path(__file__).parents[2] / "docs" / "algorithms.md"
SECTIONS = {
    title: text
    for title, _, text in (
        part.partition("\n") for part in re.split(r"^## ", DOCUMENT.read_text(), flags=re.M)[1:]
    )
}
SETTINGS = {
    **{name: arm.settings_class for name, arm in ARMS.items()},
    "Rating predictor": PredictorSettings,
}


def parameter_rows(section: str) -> dict[str, tuple[str, str]]:
    """Default and range of each parameter of a section's table, by its name."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return {name: (default, values) for name, default, values in rows}


def row_of(default: Any, rule: Rule) -> tuple[str, str]:
    """What the table must say, from what the code says."""
    values = re.sub(r"^(one of|a whole number from|a number from) ", "", rule.description)
    numbers = re.sub(r"[\d.]+(e[+-]\d+)?", lambda found: written(float(found[0])), values)
    return written(default), numbers.replace("None", "none")


def written(value: Any) -> str:
    return f"{value:,.12g}" if isinstance(value, int | float) else str(value)


def test_every_arm_has_a_section_in_the_order_of_the_registry() -> None:
    assert [name for name in SECTIONS if name.islower()] == list(ARMS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_section_lists_the_parameters_with_default_and_range(name: str) -> None:
    settings: type[Settings] = SETTINGS[name]
    expected = {one.name: row_of(one.default, one.metadata["rule"]) for one in fields(settings)}
    assert parameter_rows(SECTIONS[name]) == expected


@pytest.mark.parametrize("name", SETTINGS)
def test_a_section_says_when_to_use_it_and_what_it_costs(name: str) -> None:
    for part in ("**Good**", "**Cost:**"):
        assert part in SECTIONS[name]
