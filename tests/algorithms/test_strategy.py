import json
from contextlib import suppress

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.algorithms.strategy import (
    DEFAULT_BANDIT_ARMS,
    InvalidStrategy,
    Strategy,
    parse_strategy,
    strategy_schema,
)

ARMS = ("hybrid", "svd", "item_cf", "als", "popular")


def errors_of(data, known_arms=ARMS):
    with pytest.raises(InvalidStrategy) as refusal:
        parse_strategy(data, known_arms)
    return refusal.value.errors


def test_nothing_said_is_the_hybrid_alone():
    assert parse_strategy({}, ARMS) == Strategy()
    assert Strategy().to_json() == {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.5}


def test_fixed_arms_are_ordered_by_name_whatever_the_order_of_the_json():
    strategy = parse_strategy({"arms": {"svd": 0.25, "hybrid": 0.75}, "diversity": 1}, ARMS)
    assert strategy.arms == ("hybrid", "svd")
    assert strategy.weights == (0.75, 0.25)
    assert strategy.slots is None
    assert strategy.diversity == 1.0


def test_bandit_arms_keep_their_order():
    strategy = parse_strategy({"policy": "bandit", "arms": ["svd", "als", "item_cf"], "slots": 2}, ARMS)
    assert strategy == Strategy("bandit", ("svd", "als", "item_cf"), None, 2)


def test_a_bandit_has_six_arms_and_draws_three_by_default():
    strategy = parse_strategy({"policy": "bandit"}, DEFAULT_BANDIT_ARMS)
    assert strategy.arms == DEFAULT_BANDIT_ARMS
    assert strategy.slots == 3


def test_a_bandit_of_two_arms_draws_two_by_default():
    assert parse_strategy({"policy": "bandit", "arms": ["svd", "als"]}, ARMS).slots == 2


KNOWN = "Choose a known arm: als, hybrid, item_cf, popular, svd."


@pytest.mark.parametrize(
    ("data", "pointer", "detail"),
    [
        (None, "", 'Give an object such as {"policy": "fixed", "arms": {"hybrid": 1}}.'),
        ([], "", 'Give an object such as {"policy": "fixed", "arms": {"hybrid": 1}}.'),
        ({"policy": "greedy"}, "/policy", "Choose one of: fixed, bandit."),
        ({"policy": ["fixed"]}, "/policy", "Choose one of: fixed, bandit."),
        ({"a/b~": 1}, "/a~1b~0", "Remove this key; allowed are: policy, arms, diversity."),
        ({"slots": 2}, "/slots", "Remove this key; allowed are: policy, arms, diversity."),
        ({"arms": {}}, "/arms", 'Give an object of arms and weights such as {"hybrid": 1}.'),
        ({"arms": ["hybrid"]}, "/arms", 'Give an object of arms and weights such as {"hybrid": 1}.'),
        ({"arms": {"magic": 1}}, "/arms/magic", KNOWN),
        ({"arms": {"hybrid": 0.5, "svd": 0.6}}, "/arms", "Make the weights sum to 1; they sum to 1.1."),
        ({"arms": {"hybrid": 1e308, "svd": 1e308}}, "/arms", "Make the weights sum to 1; they sum to inf."),
        ({"diversity": 1.1}, "/diversity", "Give a number from 0 to 1."),
        ({"diversity": "0.5"}, "/diversity", "Give a number from 0 to 1."),
        ({"diversity": None}, "/diversity", "Give a number from 0 to 1."),
    ],
)
def test_refuses_with_a_pointer_and_what_to_do(data, pointer, detail):
    assert errors_of(data) == [(pointer, detail)]


@pytest.mark.parametrize("weight", [0, -1, True, "1", None, float("nan"), float("inf"), 10**400])
def test_refuses_weights_that_are_not_finite_and_above_zero(weight):
    detail = "Give a weight above 0; leave the arm out to switch it off."
    assert errors_of({"arms": {"hybrid": weight}}) == [("/arms/hybrid", detail)]


@pytest.mark.parametrize(
    ("bandit", "pointer", "detail"),
    [
        ({"arms": {"svd": 1}}, "/arms", "Give a list of two or more arms."),
        ({"arms": ["svd"]}, "/arms", "Give a list of two or more arms."),
        ({"arms": ["svd", "als", "svd"]}, "/arms/2", "Name each arm once; this one is named before."),
        ({"arms": ["svd", "als", {}]}, "/arms/2", KNOWN),
        ({"arms": ["svd", "als"], "slots": 3}, "/slots", "Give a whole number from 1 to the number of arms."),
        ({"arms": ["svd", "als"], "slots": 0}, "/slots", "Give a whole number from 1 to the number of arms."),
        (
            {"arms": ["svd", "als"], "slots": True},
            "/slots",
            "Give a whole number from 1 to the number of arms.",
        ),
        (
            {"arms": ["svd", "als"], "slots": 1.0},
            "/slots",
            "Give a whole number from 1 to the number of arms.",
        ),
    ],
)
def test_refuses_bandits_with_a_pointer_and_what_to_do(bandit, pointer, detail):
    assert errors_of({"policy": "bandit", **bandit}) == [(pointer, detail)]


def test_refuses_everything_wrong_at_once_and_says_so_in_one_message():
    with pytest.raises(InvalidStrategy) as refusal:
        parse_strategy({"arms": {"magic": 1}, "diversity": 2, "speed": 1}, ARMS)
    assert str(refusal.value) == (
        "/speed: Remove this key; allowed are: policy, arms, diversity. "
        f"/arms/magic: {KNOWN} "
        "/diversity: Give a number from 0 to 1."
    )


def test_accepts_weights_that_sum_to_one_up_to_rounding():
    thirds = {"hybrid": 1 / 3, "svd": 1 / 3, "als": 1 / 3 + 5e-10}
    assert parse_strategy({"arms": thirds}, ARMS).arms == ("als", "hybrid", "svd")


FIXED = st.lists(st.sampled_from(ARMS), min_size=1, unique=True).map(
    lambda names: {"arms": dict.fromkeys(names, 1 / len(names))}
)
BANDIT = st.lists(st.sampled_from(ARMS), min_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(
        {"policy": st.just("bandit"), "arms": st.just(names), "slots": st.integers(1, len(names))}
    )
)


@given(data=FIXED | BANDIT, diversity=st.floats(0, 1))
def test_its_json_parses_to_the_same_strategy_and_keeps_the_schema(data, diversity):
    strategy = parse_strategy({**data, "diversity": diversity}, ARMS)
    written = json.loads(json.dumps(strategy.to_json()))
    assert parse_strategy(written, ARMS) == strategy
    jsonschema.validate(written, strategy_schema(ARMS))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["policy", "arms", "slots", "diversity", "svd"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(data=JSON)
def test_anything_else_is_refused_and_never_fails_otherwise(data):
    with suppress(InvalidStrategy):
        strategy = parse_strategy(data, ARMS)
        assert parse_strategy(strategy.to_json(), ARMS) == strategy


@pytest.mark.parametrize(
    "data", [{"arms": {"magic": 1}}, {"policy": "bandit", "arms": ["svd", "svd"]}, {"diversity": 2}, {"x": 1}]
)
def test_the_schema_refuses_what_the_parser_refuses(data):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, strategy_schema(ARMS))
