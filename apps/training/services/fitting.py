"""The arms of a version: learned from all ratings, or from the live version by what changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.algorithms.arms.svd import Svd
from apps.algorithms.base import InvalidParameter, Recommender
from apps.algorithms.prediction import RatingPredictor
from apps.algorithms.registry import ARMS, compact_arms, fit_arms, update_arms
from apps.algorithms.types import Float32
from apps.core.errors import Conflict, InvalidInput
from apps.training.artifacts import Artifact, ArtifactRefused
from apps.training.catching_up import CaughtUp, catch_up
from apps.training.cores import training_cores
from apps.training.corpus import Corpus, open_corpus
from apps.training.datasets import build_corpus
from apps.training.engines import Engine
from apps.training.models import ModelVersion, Recipe, UpdateType
from apps.training.parameters import check_parameters, split_parameters
from apps.training.registry import Stored, load_version
from apps.training.services.work import Work

READ, PREDICT, SAVE, CHECK = "read ratings", "predicted ratings", "save", "check"
BACK_TEST = "back-test"
STEPS = (READ, *ARMS, PREDICT, SAVE, CHECK)
"""Of every fit; that of a recipe which has still to prove itself tests it after the first."""


SHUFFLED = "the recipe shuffles its ratings, and an update could not tell whose rating is of which film."
NO_RATINGS = "There are no ratings to learn from: load some with manage.py load_movielens demo."


@dataclass(frozen=True, eq=False)
class Live:
    """The version that serves while another one is made."""

    version: ModelVersion
    artifact: Artifact
    engine: Engine


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a version will be. ``n_learned`` ratings are new in it, ``n_read`` rows of them were read.

    ``before`` is the corpus that it was updated from, and ``shared`` the files, of which it shares those that
    stay. A full retrain shares none: they may be damaged one day. ``exposure`` None has still to be drawn.
    """

    update_type: UpdateType
    corpus: Corpus
    arms: Mapping[str, Recommender]
    predictor: RatingPredictor
    n_learned: int
    n_read: int
    before: Corpus | None = None
    shared: Artifact | None = None
    exposure: Float32 | None = None


def load_live(recipe: Recipe, work: Work) -> Live | None:
    """None where there is none, or where its files are not what they were, which ``work`` is told."""
    version = ModelVersion.objects.filter(recipe=recipe, status=ModelVersion.Status.LIVE).first()
    if version is None:
        return None
    stored = Stored(version.name, version.artifact, version.manifest_sha256)
    try:
        artifact, engine = load_version(stored, recipe=recipe.name)
    except ArtifactRefused as refusal:
        work.warn(f"The live version {version.name} cannot be read. {refusal}")
        return None
    return Live(version, artifact, engine)


def read_everything(work: Work) -> Corpus:
    """Raises ``InvalidInput`` for parameters that are wrong, ``Conflict`` when there is nothing to learn
    from."""
    work.begin(READ)
    try:
        check_parameters(work.run.recipe.parameters)
    except InvalidParameter as error:
        raise InvalidInput(f"Recipe {work.run.recipe.name!r} cannot be fitted: {error}") from error
    corpus = build_corpus(split_parameters(work.run.recipe.parameters).data, work.warn)
    if corpus.n_ratings == 0:
        raise Conflict(NO_RATINGS)
    people, films = corpus.interactions.n_users, corpus.interactions.n_items
    work.say(f"Learns from {corpus.n_ratings:,} ratings by {people:,} people, of {films:,} films.")
    return corpus


def fit_from_nothing(corpus: Corpus, work: Work, rng: np.random.Generator) -> Fitted:
    """Raises ``InvalidInput`` for parameters that are wrong."""
    try:
        parameters, predicting, _ = split_parameters(work.run.recipe.parameters)
        predictor = RatingPredictor(**predicting)
        with training_cores():
            arms = fit_arms(ARMS, corpus.interactions, rng, parameters=parameters, before_each=work.begin)
            work.begin(PREDICT)
            predictor.fit(corpus.interactions)
    except InvalidParameter as error:
        raise InvalidInput(f"Recipe {work.run.recipe.name!r} cannot be fitted: {error}") from error
    return Fitted(UpdateType.FULL, corpus, arms, predictor, corpus.n_ratings, corpus.n_ratings)


def find_start(live: Live | None, work: Work) -> Corpus | None:
    """What the live version was fitted on, or None, and why no update can begin with it is told."""
    why = _why_no_update(live)
    if live is None or why:
        work.warn(f"Fitted from nothing: {why}")
        return None
    try:
        before = open_corpus(live.version.name)
        data = split_parameters(work.run.recipe.parameters).data
    except (ArtifactRefused, InvalidParameter) as refusal:
        work.warn(f"Fitted from nothing: what {live.version.name} was fitted on cannot be read. {refusal}")
        return None
    if data.shuffled:
        work.warn(f"Fitted from nothing: {SHUFFLED}")
        return None
    if before.data != data:
        work.warn(f"Fitted from nothing: version {live.version.name} learned from other data.")
        return None
    return before


def read_news(before: Corpus, work: Work) -> CaughtUp:
    work.begin(READ)
    caught = catch_up(before, work.warn)
    since = f"{before.read_at:%Y-%m-%d %H:%M:%S} UTC"
    work.say(
        f"Since {since} {caught.n_changed:,} ratings came, changed or went; read {caught.n_read:,} rows."
    )
    return caught


def compact_live(live: Live, before: Corpus, work: Work) -> Fitted:
    """The live version with what updates left beside its arms worked in, and nothing new: what was said since
    goes on waiting for its update."""
    with training_cores():
        arms = compact_arms(live.engine.arms, before_each=work.begin)
    return Fitted(
        UpdateType.WARM_START,
        before,
        arms,
        live.engine.predictor,
        n_learned=0,
        n_read=0,
        before=before,
        shared=live.artifact,
        exposure=live.engine.traits.exposure,
    )


def update_live(live: Live, before: Corpus, caught: CaughtUp, work: Work, rng: np.random.Generator) -> Fitted:
    """The live version's arms after what ``caught`` tells, with the parameters that they have there."""
    delta = caught.delta
    with training_cores():
        arms = update_arms(live.engine.arms, delta, rng, before_each=work.begin)
        work.begin(PREDICT)
        predictor = live.engine.predictor.update(delta)
    return Fitted(
        UpdateType.WARM_START,
        caught.corpus,
        arms,
        predictor,
        caught.n_changed,
        caught.n_read,
        before=before,
        shared=live.artifact,
        # Of all people's lists: some people's ratings hardly move it, and the nightly fit draws it anew.
        exposure=delta.carried(live.engine.traits.exposure),
    )


def _why_no_update(live: Live | None) -> str:
    if live is None:
        return "no version of the recipe serves"
    lacking = [name for name in ARMS if name not in live.engine.arms]
    return f"version {live.version.name} has no {', '.join(lacking)}" if lacking else ""


def svd_metrics(fitted: Fitted) -> Mapping[str, Any]:
    """What the decomposition holds of the ratings."""
    svd = fitted.arms.get("svd")
    if not isinstance(svd, Svd):
        return {}
    ratio = svd.explained_variance(fitted.corpus.interactions)
    return {
        "explained_variance_ratio": None if ratio is None else round(ratio, 4),
        "n_components": int(svd.arrays()["factors"].shape[1]),
    }
