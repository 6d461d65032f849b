"""The documents on evaluation say what can be asked for and what is measured."""

import re
from pathlib import Path
from typing import Any

import pytest

from apps.algorithms.evaluation import MEANS, PROTOCOLS
from apps.training.models import Recipe
from apps.training.reporting import OVER_LISTS
from tests.house import House, make_house

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "EVALUATION_FRAMEWORK.md").read_text()
SHORT = {"average_precision": "average precision", "recall_at_2k": "recall, and at 2k"}
"""What a measure is called where its name is not it."""


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> House:
    settings.ARTIFACT_DIR = tmp_path / "models"
    return make_house()


def test_every_measure_is_defined() -> None:
    said = TEXT.lower().replace("-", " ")
    for measure in (*MEANS, *OVER_LISTS):
        assert SHORT.get(measure, measure.replace("_", " ")) in said, measure


@pytest.mark.parametrize("document", ["EVALUATION_FRAMEWORK.md", "evaluation.md"])
def test_every_protocol_has_its_row(document: str) -> None:
    rows = re.findall(r"^\| `([a-z][a-z-]*)`", (DOCS / document).read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(PROTOCOLS)


@pytest.mark.django_db
def test_two_recipes_are_compared_as_it_says(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    Recipe.objects.get_or_create(name="standard", defaults={"parameters": {}})
    Recipe.objects.create(name="tuned", parameters={"hybrid": {"weight_svd": 5.0}})
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code
    exec(code[1], {"__name__": __name__})  # noqa: S102 - our own document
    assert capsys.readouterr().out.startswith("Difference(value=")
