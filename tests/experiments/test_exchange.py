"""Designs go out as JSON, and come in again as the same designs: all of a file, or none of it."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import InvalidInput
from apps.core.models import AuditEntry
from apps.experiments.metrics import GOALS, METRICS
from apps.experiments.models import Experiment
from apps.experiments.services import (
    Design,
    create_experiment,
    delete_experiment,
    design_json,
    design_of,
    export_designs,
    import_designs,
)
from tests.experiments.setup import make_design, make_experiment, make_recipe_design, make_running

pytestmark = pytest.mark.django_db

SLUG = st.from_regex(r"[-a-zA-Z0-9_]{1,20}", fullmatch=True)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
DESIGNS = st.builds(
    make_design,
    SLUG,
    name=TEXT,
    hypothesis=TEXT,
    goals=st.lists(st.sampled_from(GOALS), min_size=1, unique=True).map(tuple),
    guardrails=st.dictionaries(st.sampled_from(sorted(METRICS)), st.floats(0.001, 1.0), max_size=4),
    range_start=st.floats(0, 0.4),
    range_end=st.floats(0.5, 1),
    segments=st.lists(st.sampled_from(["cold", "regular", "power"]), unique=True).map(tuple),
    languages=st.lists(st.sampled_from(["en", "de", "gsw"]), unique=True).map(tuple),
    age_from_days=st.none() | st.floats(0, 100),
    age_to_days=st.none() | st.floats(100, 1000),
    min_effect=st.floats(0.001, 10),
    test=st.sampled_from(Experiment.Test.values),
    horizon_days=st.integers(1, 365),
    ramp=st.sampled_from([(), ({"coverage": 0.2, "hours": 24}, {"coverage": 1, "approval": True})]),
    only_differing=st.booleans(),
    dry_run=st.booleans(),
)


def command(*arguments: object) -> str:
    out = io.StringIO()
    call_command("experiments", *map(str, arguments), stdout=out)
    return out.getvalue()


def document(*designs: Design, **changes: Any) -> dict[str, Any]:
    """Of designs, the first with these changes."""
    found = [design_json(one) for one in designs]
    found[0].update(changes)
    return {"schema": 1, "experiments": found}


def errors_of(given: object, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        import_designs(given, by=None, **options)
    return [(error.pointer, error.detail) for error in refusal.value.errors]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(design=DESIGNS)
def test_what_is_exported_and_imported_again_is_the_same_design(boss: User, design: Design) -> None:
    create_experiment(design=design, by=boss)
    exported = json.loads(json.dumps(export_designs([design.key])))
    delete_experiment(key=design.key, by=boss)
    assert import_designs(exported, by=boss).created == (design.key,)
    found = design_of(Experiment.objects.get(key=design.key))
    assert found == design
    delete_experiment(key=design.key, by=boss)


def test_the_command_writes_a_file_that_another_site_reads(tmp_path: Path) -> None:
    file = tmp_path / "designs.json"
    first, second = make_experiment("first"), make_recipe_design("second", recipes=["standard", "other"])
    assert command("export", "--output", file) == f"file: {file}\nn experiments: 1\n"
    first.delete()
    file.write_text(json.dumps({"schema": 1, "experiments": [*read(file), design_json(second)]}))
    assert command("import", file) == 'created: ["first","second"]\nreplaced: []\n'
    assert set(Experiment.objects.values_list("key", "state")) == {("first", "draft"), ("second", "draft")}
    assert design_of(Experiment.objects.get(key="second")) == second


def read(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["experiments"]
    return found


def test_an_export_is_of_all_or_of_the_keys_that_are_named() -> None:
    for key in ("b", "a", "c"):
        make_experiment(key)
    assert [one["key"] for one in json.loads(command("export"))["experiments"]] == ["a", "b", "c"]
    named = json.loads(command("export", "c", "a", "--json"))
    assert [one["key"] for one in named["experiments"]] == ["a", "c"]
    with pytest.raises(CommandError, match=r"^There is no experiment 'd' or 'e'\.$"):
        command("export", "d", "a", "e")


def test_a_file_that_is_wrong_anywhere_makes_nothing_and_says_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "designs.json"
    wrong = document(make_design("one"), make_design("two"), horizon_days=0, goals=["fame"])
    wrong["experiments"][1]["variants"][0]["weight"] = "half"
    file.write_text(json.dumps(wrong))
    with pytest.raises(CommandError, match=r"^3 things are wrong in .*, and nothing was imported\.$"):
        command("import", file)
    goal = f"Name one goal or more, each once, of: {', '.join(GOALS)}."
    assert capsys.readouterr().err.splitlines() == [
        "/experiments/1/variants/0/weight: Give a number.",
        f"/experiments/0/goals: {goal}",
        "/experiments/0/horizon_days: A horizon is 1 to 365 days.",
    ]
    assert not Experiment.objects.exists()


def test_of_many_errors_the_first_ones_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "designs.json"
    file.write_text(json.dumps(document(make_design(), **{f"field-{n}": n for n in range(1203)})))
    with pytest.raises(CommandError, match=r"^1203 things are wrong in .*, and nothing was imported\.$"):
        command("import", file)
    told = capsys.readouterr().err.splitlines()
    assert (len(told), told[-1]) == (201, "and 1,003 more")


KNOWN = ", ".join(Design.__dataclass_fields__)


@pytest.mark.parametrize(
    ("changes", "pointer", "detail"),
    [
        ({"goal": "ctr"}, "/goal", f"There is no field 'goal' here; there are: {KNOWN}."),
        ({"horizon_days": 28.0}, "/horizon_days", "Give a whole number."),
        ({"horizon_days": True}, "/horizon_days", "Give a whole number."),
        ({"min_effect": "5 %"}, "/min_effect", "Give a number."),
        ({"segments": "cold"}, "/segments", "Give a list of texts."),
        ({"age_from_days": "1"}, "/age_from_days", "Give a number, or null."),
        ({"dry_run": 1}, "/dry_run", "Give true or false."),
        ({"guardrails": []}, "/guardrails", "Give an object."),
        ({"variants": {}}, "/variants", "Give a list."),
        ({"variants": [1, {"name": "a", "weight": 1}]}, "/variants/0", "Give an object."),
        ({"variants": [{"name": "a"}]}, "/variants/0/weight", "This is needed."),
        ({"ramp": [{"coverage": 2}]}, "/ramp/0/coverage", "Coverage lies above 0 and up to 1."),
        ({"a/b~": 1}, "/a~1b~0", f"There is no field 'a/b~' here; there are: {KNOWN}."),
    ],
)
def test_refuses_what_does_not_fit_with_its_pointer(
    changes: Mapping[str, Any], pointer: str, detail: str
) -> None:
    given = document(make_design("good"), make_design("bad"))
    given["experiments"][1].update(changes)
    assert errors_of(given) == [(f"/experiments/1{pointer}", detail)]
    assert not Experiment.objects.exists()


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ([], [("", 'Give an object such as {"schema": 1, "experiments": []}.')]),
        (
            {"schema": 2, "experiments": [], "by": "me"},
            [
                ("/by", "There is no field 'by' here; there are: schema, experiments."),
                ("/schema", "This program reads schema 1."),
                ("/experiments", "Give a list of 1 to 200 experiments."),
            ],
        ),
        ({"schema": 1, "experiments": ["a"]}, [("/experiments/0", "Give an object.")]),
    ],
)
def test_refuses_a_document_that_is_none(given: object, errors: list[tuple[str, str]]) -> None:
    assert errors_of(given) == errors


def test_a_key_that_is_taken_is_refused_and_a_draft_replaced_where_asked_for() -> None:
    make_experiment("test")
    given = document(make_design("test", horizon_days=14), make_design("new"))
    taken = "There is a draft 'test' already: choose another key, or ask to replace it."
    assert errors_of(given) == [("/experiments/0/key", taken)]
    found = import_designs(given, by=None, replace=True)
    assert (found.created, found.replaced) == (("new",), ("test",))
    assert design_of(Experiment.objects.get(key="test")) == make_design("test", horizon_days=14)
    assert Experiment.objects.get(key="new").created_by == ""
    assert AuditEntry.objects.filter(action="experiments.change", actor_name="system").count() == 1


@pytest.mark.usefixtures("servable")
def test_one_that_runs_is_never_replaced_and_its_layer_stays() -> None:
    make_running("runs")
    make_experiment("draft")
    moved = make_recipe_design("draft", recipes=["standard", "other"])
    given = document(make_design("runs"), make_design("new"), make_design("new"))
    running = "There is an experiment 'runs' already, and it is running: choose another key."
    twice = "The document has 'new' twice: each experiment has a key of its own."
    assert errors_of(given, replace=True) == [("/experiments/0/key", running), ("/experiments/2/key", twice)]
    stays = "The layer stays as it was made: make a new experiment."
    given = document(make_design("fresh"), moved)
    assert errors_of(given, replace=True) == [("/experiments/1/layer", stays)]
    assert not Experiment.objects.filter(key__in=["new", "fresh"]).exists(), "all or none"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", r"^.*designs.json is not JSON that can be read: "),
        (None, r"^.*designs.json cannot be read: No such file or directory$"),
        (b" " * (5 * 1_048_576 + 1), r"^.*designs.json has more than 5,242,880 bytes.$"),
    ],
)
def test_refuses_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "designs.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        command("import", file)


def test_refuses_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    make_experiment("test")
    with pytest.raises(CommandError, match=r"missing/designs.json cannot be written: No such file"):
        command("export", "--output", tmp_path / "missing" / "designs.json")


def test_what_is_left_out_takes_its_default() -> None:
    whole = design_json(make_design("test"))
    given = {name: whole[name] for name in ("key", "name", "layer", "variants")}
    import_designs({"schema": 1, "experiments": [given]}, by=None)
    assert design_of(Experiment.objects.get()) == replace(make_design("test"), name=given["name"])
