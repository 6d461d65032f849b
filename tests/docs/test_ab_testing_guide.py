"""The guide's example is a design that an import takes, and its table names every field."""

import json
import re
from pathlib import Path

import pytest

from apps.experiments.models import Experiment
from apps.experiments.services import Design, VariantDesign, import_designs

TEXT = (Path(__file__).parents[2] / "docs" / "AB_TESTING_GUIDE.md").read_text()


@pytest.mark.django_db
def test_the_example_can_be_imported() -> None:
    (example,) = re.findall(r"```\n(\{\"schema.*?)```", TEXT, re.DOTALL)
    assert import_designs(json.loads(example), by=None).created == ("popular-first",)
    assert Experiment.objects.get().segments == ["cold"]


def test_the_table_names_every_field() -> None:
    table = TEXT.partition("| field | default |")[2]
    first = [line.split("|")[1] for line in table.splitlines()[2:] if line]
    named = set(re.findall(r"`(\w+)`", " ".join(first)))
    assert named == set(Design.__dataclass_fields__)
    assert [name for name in VariantDesign.__dataclass_fields__ if name not in table] == []
