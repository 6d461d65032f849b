"""The figures of ``docs/DIVERSITY_ALGORITHM.md`` that can be worked out are what the code gives."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np

from apps.algorithms import reranking, traits
from apps.algorithms.reranking import Reranking, make_picker
from apps.algorithms.strategy import DEFAULT_DIVERSITY
from apps.algorithms.traits import FilmTraits

TEXT = (Path(__file__).parents[2] / "docs" / "DIVERSITY_ALGORITHM.md").read_text()
COSINES = np.array([[1, 0.8, 0.2, 0], [0.8, 1, 0.2, 0], [0.2, 0.2, 1, 0.1], [0, 0, 0.1, 1]])
"""Of the films A to D."""
N_SHORTLIST = reranking.SHORTLIST
# What follows the four: so that all have mean 0 and deviation 1, and nothing of it is ever placed.
KNOWN_BY_ALL = 2**30
EXAMPLE_DIVERSITY = 0.4


def example_columns() -> list[list[str]]:
    rows = re.findall(r"^\| ([A-D]) \| (.+) \|$", TEXT, re.MULTILINE)
    cells = [row.replace("−", "-").split(" | ") for _, row in rows if row.count("|") == 6]
    return [list(column) for column in zip(*cells, strict=True)]


def numbers(column: list[str]) -> np.ndarray:
    return np.array(column, dtype=np.float32)


def example_traits(columns: list[list[str]]) -> FilmTraits:
    more = N_SHORTLIST - 4
    genres = {name: spot for spot, name in enumerate(columns[3])}
    vectors = np.zeros((N_SHORTLIST, 4), dtype=np.float32)
    vectors[:4] = np.linalg.cholesky(COSINES)
    # Of what the example does not speak of there is nothing.
    values = {one.name: np.zeros(N_SHORTLIST, dtype=np.float32) for one in fields(FilmTraits)}
    values |= {
        "popularity": np.append(numbers(columns[1]), np.full(more, KNOWN_BY_ALL, dtype=np.float32)),
        "exposure": np.append(numbers(columns[2]), np.zeros(more, dtype=np.float32)),
        "vectors": vectors,
        "primary_genre": np.array([genres[name] for name in columns[3]] + [-1] * more, dtype=np.int32),
        "series": np.full(N_SHORTLIST, -1, dtype=np.int32),
        "is_niche": np.array([word == "yes" for word in columns[4]] + [False] * more),
    }
    return FilmTraits(**values)


def standard_scores(first: np.ndarray) -> np.ndarray:
    """``first`` and what makes mean 0 and deviation 1 of all."""
    more = N_SHORTLIST - len(first)
    mean = -first.sum() / more
    spread = np.sqrt((N_SHORTLIST - (first**2).sum()) / more - mean**2)
    others = mean + np.where(np.arange(more) % 2, spread, -spread)
    return np.concatenate([first, others]).astype(np.float32)


def test_the_four_films_come_in_the_order_that_was_worked_out():
    columns = example_columns()
    films = example_traits(columns)
    np.testing.assert_allclose(films.lift[:4], numbers(columns[5]), atol=0.005)
    worth = numbers(columns[0]) + EXAMPLE_DIVERSITY * films.lift[:4]
    np.testing.assert_allclose(worth, numbers(columns[6]), atol=0.005)
    picker = make_picker(
        standard_scores(numbers(columns[0])),
        excluded=np.empty(0, dtype=np.int64),
        n_slots=10,
        reranking=Reranking(films, EXAMPLE_DIVERSITY),
    )
    slate: list[int] = []
    for _ in range(4):
        pick = picker.pick(slate)
        assert pick
        slate.append(pick.item)
    order = " ".join("ABCD"[item] for item in slate)
    assert f"the list begins {order}." in " ".join(TEXT.split())


def test_the_formula_has_the_weights_of_the_code():
    said = " ".join(TEXT.split())
    for part in (
        f"{reranking.MMR_WEIGHT} * highest cosine",
        f"{reranking.GENRE_WEIGHT} * films of the slate",
        f"{traits.NICHE_WEIGHT} * [niche_i]",
        f"{traits.DAMPING_WEIGHT} * log2(1 + n_i)",
        f"{traits.EXPOSURE_WEIGHT} * log2(1 + 1000 * exposure_i)",
        f"`n (1 - {reranking.GENRE_CAP} d)`",
        f"`n (1 - {reranking.SERIES_CAP:g} d)`",
        f"best {reranking.SHORTLIST} films",
        f"d = diversity * n / (n + {reranking.HISTORY_SCALE:g})",
    ):
        assert part in said, part


def test_the_default_is_that_of_strategies():
    assert f"The default is {DEFAULT_DIVERSITY:g}.".replace("0.", ".") in " ".join(TEXT.split())


def test_the_table_is_the_one_of_the_figures():
    figures = (Path(__file__).parents[2] / "docs" / "evaluation" / "figures.md").read_text()
    section = figures.partition("## What diversity trades\n")[2].partition("\n## ")[0].strip()
    assert section.count("\n") > 10
    assert section in TEXT
