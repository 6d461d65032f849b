"""``manage.py evaluate``, on the database and straight on a data folder."""

import io
import json
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from apps.algorithms.evaluation import PROTOCOLS, RerankedLists, evaluate, film_facts, measure, report
from apps.algorithms.registry import ARMS, fit_arms
from apps.algorithms.traits import film_traits
from apps.core.management.base import Refused
from apps.training.datasets import build_interactions
from apps.training.models import Recipe
from apps.training.services import evaluating
from apps.training.services.evaluating import evaluate_arms, make_plan
from apps.training.vectors import keep_vectors
from tests.factories import make_movie, make_rating, make_user
from tests.house import House, make_house
from tests.tiny_movielens import write_tiny_movielens

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> House:
    settings.ARTIFACT_DIR = tmp_path / "models"
    return make_house()


def ask(*arguments: str) -> str:
    out = io.StringIO()
    call_command("evaluate", *arguments, stdout=out)
    return out.getvalue()


def measured(*arguments: str) -> dict[str, Any]:
    return dict(json.loads(ask(*arguments, "--json")))


def refusal(*arguments: str) -> str:
    with pytest.raises(Refused) as refused:
        ask(*arguments)
    return str(refused.value)


def test_measures_every_arm_and_the_predictor(house: House) -> None:
    result = measured()
    assert list(result["arms"]) == list(ARMS)
    assert (result["protocol"], result["relevant"], result["k"]) == ("last", 4.0, 10)
    assert all(arm["n_seen"] == 0 for arm in result["arms"].values())
    assert all(
        arm["ndcg"]["value"] <= result["arms"][result["best"]]["ndcg"]["value"]
        for arm in result["arms"].values()
    )
    assert set(result["differences"]) == set(ARMS) - {result["best"]}
    assert result["predictions"]["n"] > 0
    # The flags of the catalogue are known.
    assert result["arms"]["popular"]["niche_share"]["value"] == 0


def test_gives_what_the_measures_themselves_give(house: House) -> None:
    result = measured("--arms", "item_cf", "--protocol", "within-viewer", "--seed", "7", "--k", "5")
    protocol = PROTOCOLS["within-viewer"]
    (split,) = protocol.splits(build_interactions(), np.random.default_rng(7), protocol.test_share)
    arm = fit_arms(["item_cf"], split.train, np.random.default_rng(7))["item_cf"]
    own = evaluate(arm, split.train, split.test, k=5, relevant=None)
    assert own.ndcg is not None
    assert result["arms"]["item_cf"]["ndcg"]["value"] == pytest.approx(own.ndcg.value, abs=1e-9)
    assert result["arms"]["item_cf"]["coverage"] == pytest.approx(own.coverage)


@pytest.mark.parametrize(("share", "folds"), [("0.5", 2), ("0.33", 3), ("0.2", 5)])
def test_says_the_share_that_k_fold_holds_back(house: House, share: str, folds: int) -> None:
    result = measured("--arms", "popular", "--protocol", "k-fold", "--test-share", share)
    assert result["test_share"] == 1 / folds
    # Every rating is predicted in the one part that holds it back.
    assert result["predictions"]["n"] == result["n_ratings"]
    plan = make_plan(protocol="k-fold", test_share=float(share))
    data = build_interactions()
    assert len(list(plan.protocol.splits(data, np.random.default_rng(0), plan.test_share))) == folds


def test_the_same_seed_gives_the_same_figures(house: House) -> None:
    def figures(seed: str) -> Any:
        result = measured("--arms", "svd,popular", "--protocol", "random", "--seed", seed)
        for arm in result["arms"].values():
            arm.pop("seconds")
        return result["arms"]

    assert figures("3") == figures("3") != figures("4")


def test_takes_the_parameters_of_a_recipe_or_of_a_file(house: House, tmp_path: Path) -> None:
    Recipe.objects.create(name="narrow", parameters={"svd": {"factors": 1}})
    file = tmp_path / "narrow.json"
    file.write_text('{"svd": {"factors": 1}}')
    ours, theirs, plain = (
        measured("--arms", "svd", *more)["arms"]["svd"]["ndcg"]
        for more in (["--recipe", "narrow"], ["--parameters", str(file)], [])
    )
    assert ours == theirs != plain


def test_prints_tables_for_a_document(house: House) -> None:
    lines = ask("--arms", "popular,genre").splitlines()
    n_ratings = build_interactions().ratings.nnz
    assert lines[0] == (
        f"the database: {n_ratings} ratings of 32 films by 12 people. Held back: last, 20%; to be found: "
        "4 stars or more; lists of 10; seed 42."
    )
    assert lines[2].startswith("| arm | ndcg | recall | recall at 2k |")
    assert [line.split(" | ")[0] for line in lines[4:6]] == ["| popular", "| genre"]
    assert lines[-1].startswith("Predicted ratings: RMSE ")


def test_draws_a_plot(house: House, tmp_path: Path) -> None:
    file = tmp_path / "arms.svg"
    ask("--arms", "popular,genre", "--plot", str(file))
    plot = ElementTree.parse(file)  # noqa: S314 - made here
    assert plot.getroot().tag.endswith("svg")
    assert list(tmp_path.glob("*.part")) == []


def test_prints_what_was_measured_before_it_draws(house: House, tmp_path: Path) -> None:
    file = tmp_path / "arms.svg"

    class Out(io.StringIO):
        """Puts a folder in the way of the plot once something is printed."""

        def write(self, text: str) -> int:
            file.mkdir(exist_ok=True)
            return super().write(text)

    out = Out()
    with pytest.raises(Refused) as refused:
        call_command("evaluate", "--arms", "popular", "--json", "--plot", str(file), stdout=out)
    assert str(refused.value) == f"Cannot write {file}: Is a directory"
    assert list(json.loads(out.getvalue())["arms"]) == ["popular"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_movielens(tmp_path)


def test_measures_a_data_folder_and_leaves_the_database_alone(folder: Path) -> None:
    result = measured("--data", str(folder), "--arms", "popular,item_cf", "--k", "3")
    assert result["data"] == ["ml-tiny"]
    assert (result["n_users"], result["n_films"]) == (12, 24)
    assert result["arms"]["item_cf"]["ndcg"]["value"] > 0
    assert build_interactions().n_items == 0


@pytest.fixture
def no_encoder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the refusal ends where the settings, and those of a child, name a model that is not there."""
    settings.TEXT_ENCODER, settings.TEXT_ENCODER_PATH = "minilm", tmp_path / "gone"
    monkeypatch.setenv("TEXT_ENCODER", "minilm")
    monkeypatch.setenv("TEXT_ENCODER_PATH", str(tmp_path / "gone"))
    return (
        ": mend the encoder, or choose other arms. Films that are new or changed have no vectors of minilm. "
        f"TEXT_ENCODER_PATH names {tmp_path / 'gone'}, and there is no such folder: copy the model there."
    )


@pytest.mark.parametrize(
    ("arguments", "arms"),
    [
        ([], "embeddings, long_tail"),
        (["--arms", "popular,long_tail"], "long_tail"),
        (["--arms", "popular", "--diversity", "0.4", "--recipe", "mixed"], "hybrid"),
    ],
)
def test_refuses_arms_whose_vectors_cannot_be_made(
    house: House, no_encoder: str, arguments: list[str], arms: str
) -> None:
    Recipe.objects.create(name="mixed", parameters={"hybrid": {"weight_embeddings": 1.0}})
    assert refusal(*arguments) == f"Without films' vectors there is no measuring {arms}{no_encoder}"


def test_measures_the_other_arms_without_vectors(house: House, no_encoder: str) -> None:
    assert list(measured("--arms", "popular,hybrid")["arms"]) == ["popular", "hybrid"]


def test_refuses_them_on_a_data_folder_too(folder: Path, no_encoder: str) -> None:
    said = refusal("--data", str(folder), "--arms", "embeddings", "--k", "3")
    assert said == f"Without films' vectors there is no measuring embeddings{no_encoder}"


def test_leaves_the_vectors_of_the_site_alone(
    folder: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VECTOR_DIR = tmp_path / "vectors"
    monkeypatch.setenv("VECTOR_DIR", str(settings.VECTOR_DIR))
    keep_vectors("lsa", "f1", [b"1" * 32], np.ones((1, 1), dtype=np.float32))
    before = list(settings.VECTOR_DIR.iterdir())
    measured("--data", str(folder), "--arms", "embeddings", "--k", "3")
    assert list(settings.VECTOR_DIR.iterdir()) == before


def test_says_what_the_importer_refuses(folder: Path) -> None:
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,9,1\n")
    assert refusal("--data", str(folder)) == (
        "ratings.csv, line 2: expected a rating from 0.5 to 5.0 by halves, but found '9'"
    )


def test_one_viewer_is_measured_without_standard_errors() -> None:
    # Held back, a film that the viewer alone rated would be cold: somebody else makes it known.
    viewer, other = make_user(), make_user()
    for day in range(1, 11):
        film = make_movie()
        make_rating(viewer, film, 5, at=datetime(2026, 1, day, tzinfo=UTC))
        make_rating(other, film, 3, at=datetime(2026, 1, 11 - day, tzinfo=UTC))
    arm = measured("--arms", "popular", "--k", "3", "--relevant", "4")["arms"]["popular"]
    assert arm["n_users"] == 1
    assert arm["ndcg"]["error"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--arms", "oracle"],
            f"There is no arm 'oracle'; the arms are: {', '.join(ARMS)}.",
        ),
        (
            ["--protocol", "hindsight"],
            "There is no protocol 'hindsight'; the protocols are: last, within-viewer, within-film, random, "
            "temporal, newcomers, k-fold.",
        ),
        (["--test-share", "1"], "The share held back must lie between 0 and 1, not 1.0."),
        (["--relevant", "nan"], "A film is relevant from 0.5 to 5 stars on, or always, by any; not 'nan'."),
        (["--relevant", "good"], "A film is relevant from 0.5 to 5 stars on, or always, by any; not 'good'."),
        (["--k", "33"], "k must be at most the number of films, which is 32, not 33."),
        (["--seed", "-1"], "The seed must be a whole number from 0, not -1."),
        (["--films", "films.csv"], "--films and --graph belong to --data; the database has its own."),
        (["--plot", "arms.png"], "A plot is written as SVG: name a file that ends in .svg, not arms.png"),
        (["--plot", "/nowhere/arms.svg"], "There is no folder /nowhere to write a plot to"),
        (["--recipe", "nobody's"], 'There is no recipe "nobody\'s"; the recipes are: standard.'),
        (["--recipe", "a", "--parameters", "b"], "Give --recipe or --parameters, not both."),
        (["--parameters", "/nowhere.json"], "Cannot read /nowhere.json: No such file or directory"),
        (
            ["--data", "/nowhere"],
            "There is no folder or file /nowhere; give demo, a folder, a zip or a URL",
        ),
    ],
)
def test_refuses_with_a_sentence(house: House, arguments: list[str], sentence: str) -> None:
    assert refusal(*arguments) == sentence


@pytest.mark.parametrize("share", ["0.9", "0.4"])
def test_refuses_to_hold_back_parts_that_are_not_equal(share: str) -> None:
    assert refusal("--protocol", "k-fold", "--test-share", share) == (
        "k-fold holds back one of n equal parts at a time: the share must be 1/n, such as 0.5, 0.33, 0.25, "
        f"0.2 or 0.1, not {share}."
    )


def test_refuses_parameters_that_no_arm_takes(house: House, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"svd": {"factors": 0}}')
    assert refusal("--parameters", str(file)) == (
        f"{file}: svd: factors must be a whole number from 1 to 512, not 0."
    )


def test_refuses_to_measure_nothing() -> None:
    assert refusal() == (
        "There are no ratings to measure with: load some with manage.py load_movielens demo."
    )


@pytest.mark.parametrize(("n_users", "n_films"), [(1, 1), (1, 12), (3, 1)])
def test_refuses_what_leaves_nothing_to_find(n_users: int, n_films: int) -> None:
    films = [make_movie() for _ in range(n_films)]
    for _ in range(n_users):
        viewer = make_user()
        for film in films:
            make_rating(viewer, film, 3)
    assert refusal("--arms", "popular", "--k", "1") == (
        "There is nothing to measure: no viewer has a rating to learn from and another one, held back, to "
        "find. More ratings are needed, or another protocol."
    )


def test_says_when_there_are_fewer_ratings_than_parts() -> None:
    make_rating(make_user(), make_movie(), 3)
    assert refusal("--protocol", "k-fold", "--k", "1") == (
        "These ratings cannot be parted so: folds must be 2 to the number of ratings, 1, not 5."
    )


def test_a_mistake_while_measuring_is_not_said_to_be_of_the_parting(house: House) -> None:
    plan, data = make_plan(arms=["popular"]), build_interactions()
    (split,) = plan.protocol.splits(data, np.random.default_rng(0), 0.2)
    fewer = replace(split.test, ratings=split.test.ratings[:3])
    broken = replace(plan.protocol, splits=lambda *arguments: iter([replace(split, test=fewer)]))
    with pytest.raises(ValueError, match=r"^known and test must be two parts of the same ratings$"):
        evaluate_arms(replace(plan, protocol=broken), data)


def test_measures_an_arm_at_several_diversities(house: House, tmp_path: Path) -> None:
    file = tmp_path / "trade.svg"
    result = measured("--arms", "hybrid", "--diversity", "0,0.4,1", "--k", "3", "--plot", str(file))
    assert list(result["arms"]) == ["hybrid", "hybrid 0.4", "hybrid 1"]
    assert [(one["arm"], one["diversity"]) for one in result["arms"].values()] == [
        ("hybrid", 0.0),
        ("hybrid", 0.4),
        ("hybrid", 1.0),
    ]
    assert all(one["n_seen"] == 0 for one in result["arms"].values())
    price = result["prices"]["hybrid 1"]
    ndcg = [result["arms"][name]["ndcg"]["value"] for name in ("hybrid", "hybrid 1")]
    assert price["value"] == pytest.approx(ndcg[1] - ndcg[0])
    assert price["low"] <= price["value"] <= price["high"]
    genres = [one["primary_genres"]["value"] for one in result["arms"].values()]
    assert genres[0] < genres[-1]
    assert ElementTree.parse(file).getroot().tag.endswith("svg")  # noqa: S314 - made here


def test_measures_what_the_traits_of_all_films_make_of_an_arm(house: House) -> None:
    plan = make_plan(arms=["svd"], diversities=(0.5,), k=5)
    data = build_interactions()
    (split,) = plan.protocol.splits(data, np.random.default_rng(plan.seed), plan.test_share)
    rng = np.random.default_rng(plan.seed)
    arms = fit_arms(["svd", "als", "hybrid"], split.train, rng)
    lists = RerankedLists(arms["svd"], film_traits(arms, split.train, rng), 0.5)
    facts = film_facts(split.train)
    own = report([measure(lists, split.train, split.test, facts, k=5, relevant=plan.relevant)])
    assert own.ndcg is not None
    assert evaluate_arms(plan, data).reports["svd 0.5"].ndcg == own.ndcg


def test_the_seconds_of_an_arm_are_not_those_of_what_re_ranking_reads(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[str] = []
    real = evaluating.fit_arms

    def fit_arms(names: Any, *rest: Any, **more: Any) -> Any:
        fitted.extend(names)
        time.sleep(1 if "als" in names else 0.1)
        return real(names, *rest, **more)

    monkeypatch.setattr(evaluating, "fit_arms", fit_arms)
    plan = make_plan(arms=["popular", "genre"], diversities=(0, 0.5), protocol="k-fold", test_share=0.5)
    seconds = evaluate_arms(plan, build_interactions()).seconds
    assert fitted == ["als", "hybrid", "popular", "genre"] * 2
    # Fitted once a part, and counted for each diversity.
    assert all(0.2 <= spent < 2 for spent in seconds.values())
    assert len(seconds) == 4


def test_refuses_diversities_that_are_none() -> None:
    assert refusal("--diversity", "0.5,1.5") == "Diversity lies between 0 and 1, not at 1.5."
    with pytest.raises(CommandError, match="numbers parted by commas are needed, not 'much'"):
        ask("--diversity", "much")
