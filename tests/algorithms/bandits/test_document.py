"""The figures of ``docs/BANDIT_SELECTOR.md`` that can be worked out are what the code gives."""

import re
from pathlib import Path

import numpy as np
import pytest

from apps.algorithms.bandits.propensity import rank_probabilities
from apps.algorithms.bandits.state import BanditState
from apps.algorithms.bandits.thompson import MIN_DRAWS, SURE, ThompsonSampler
from apps.algorithms.context import CONTEXT_SIZES, N_CONTEXTS
from apps.algorithms.drafting import equal_slot_probabilities, slot_propensities
from apps.algorithms.ope import MIN_ESS, MIN_UNITS, Rows, ips, snips

TEXT = " ".join((Path(__file__).parents[3] / "docs" / "BANDIT_SELECTOR.md").read_text().split())
THREE = np.array([31.0, 21.0, 1.0]), np.array([171.0, 181.0, 5.0])


def two_digits(values):
    return " | ".join(f"{value:.2f}".lstrip("0") for value in values)


def test_the_three_arms_are_drawn_as_often_as_it_says():
    ranks = rank_probabilities(*THREE)
    for name, row in zip("ABC", ranks, strict=True):
        assert f"| {name} | {two_digits(row)} |" in TEXT
    ranks = 0.97 * ranks + 0.01
    [slot] = slot_propensities(ranks[:, :2], equal_slot_probabilities(1, 2))
    assert "(.523 + .432) / 2 = .478" in TEXT
    assert [*ranks[0, :2], slot[0]] == pytest.approx([0.523, 0.432, 0.478], abs=0.0006)


def test_the_empty_cell_is_believed_as_it_says():
    trials = np.array([[400.0, 400], [400, 400], [400, 400], [0, 400]])
    successes = np.array([[40.0, 60], [80, 60], [60, 60], [0, 60]])
    sampler = ThompsonSampler("ab", (2, 2))
    for shown, liked, said in ((0, 0, (0.20, 0.10, 0.31)), (1000, 40, (0.049, 0.038, 0.063))):
        trials[3, 0], successes[3, 0] = shown, liked
        found = sampler.posterior(BanditState(trials.copy(), successes.copy(), np.zeros(2)))
        assert [found.mean[3, 0], found.low[3, 0], found.high[3, 0]] == pytest.approx(said, abs=0.006)


def test_the_four_films_are_weighed_as_it_says():
    rows = Rows(
        np.array([0, 0, 1, 1]), *(np.zeros(4, dtype=np.int64) for _ in range(2)), np.arange(4), ("A", "B")
    )
    log = np.array([1.0, 0, 0, 1]), np.array([0.8, 0.5, 0.2, 0.5]), np.full((4, 2), 0.5), rows
    assert "IPS says 1.625 / 4 = .406, SNIPS 1.625 / 5.125 = .317" in TEXT
    assert [ips(*log).value, snips(*log).value] == pytest.approx([0.406, 0.317], abs=0.0005)
    assert ips(*log).ess == pytest.approx(3.04, abs=0.005)


def test_its_numbers_are_those_of_the_code():
    sampler = ThompsonSampler("a")
    for part in (
        f"probability .{sampler.explore * 100:02.0f} (`explore`)",
        f"`sharpness` {sampler.sharpness:g}, so".replace("0.", "."),
        f"above {sampler.max_share:.0%} of the first draws".replace("%", " %"),
        f"from {MIN_DRAWS} draws on",
        f"with a probability above {SURE:g}".replace("0.", "."),
        f"effective sample is below {MIN_ESS}",
        f"fewer than {MIN_UNITS} viewers",
        f"{' · '.join(map(str, CONTEXT_SIZES))} = {N_CONTEXTS}",
        f"each of the {sum(CONTEXT_SIZES)} values",
    ):
        assert part in TEXT, part


def test_every_parameter_has_its_row():
    rows = re.findall(r"\| ((?:`\w+`(?:, )?)+) \| ", TEXT.partition("### Settings")[2])
    named = set(re.findall(r"\w+", " ".join(rows)))
    assert named == {"alpha", "beta", "sharpness", "optimistic", "half_life", "explore", "max_share"}
