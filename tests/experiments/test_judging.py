"""The verdict on a phase, in words and as what the ledger keeps."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.experiments.figures import Figures
from apps.experiments.judging import Verdict, effect_text, judge
from tests.experiments.counts import clicked, growing, looking, make_figures, make_plan, rated

THREE = {"control": 0.5, "one": 0.25, "two": 0.25}


def said(control: Any, *treatments: Any, days: float = 15.5, plan: Any = None, **values: Any) -> Verdict:
    return judge(plan or make_plan(**values), make_figures(clicked(control, *treatments), days=days))


def test_a_winner_is_shipped_in_one_sentence() -> None:
    found = said((20_000, 4000), (20_000, 4300))
    assert (found.outcome, found.variant, found.why_not) == ("ship", "treatment", ())
    assert found.sentence == (
        "Ship treatment: Units that click +7.5 %, always-valid 95 % [+1.0, +14.5]; SRM ok; day 16 of 28"
    )


def test_the_sentence_of_a_planned_test_says_which_look_decided() -> None:
    plan = make_plan(test="planned", horizon_days=10)
    looks = growing(8, 1000, 0.1, 0.13)
    found = judge(plan, looking(*looks))
    assert found.outcome == "ship"
    assert found.goals[0].crossed is not None
    assert found.sentence == (
        "Ship treatment: Units that click +30.0 %, always-valid 95 % [+13.4, +49.4], past its planned bound"
        f" on day {found.goals[0].crossed.day}; SRM ok; day 9 of 10"
    )


def test_a_loser_is_not_shipped() -> None:
    found = said((20_000, 4000), (20_000, 3600))
    assert (found.outcome, found.variant) == ("keep_control", "control")
    assert found.sentence.startswith("Keep control: Units that click -10.0 %, always-valid 95 % [")


def test_less_is_better_of_what_is_dismissed() -> None:
    groups = {"control": rated(5000, 1000, 50_000), "treatment": rated(5000, 800, 50_000)}
    found = judge(make_plan(goals=("dismiss_rate",)), make_figures({"dismiss_rate": groups}))
    assert (found.outcome, found.variant) == ("ship", "treatment")
    assert found.sentence.startswith("Ship treatment: Dismissed -20.0 %, always-valid 95 % [-")
    worse = dict(zip(groups, reversed(groups.values()), strict=True))
    again = judge(make_plan(goals=("dismiss_rate",)), make_figures({"dismiss_rate": worse}))
    assert again.outcome == "keep_control"


def test_waiting_says_what_for() -> None:
    figures = make_figures(clicked((900, 90), (880, 90)), days=0.2, planned_units=10_000.0)
    found = judge(make_plan(), figures)
    assert (found.outcome, found.variant) == ("wait", "")
    assert found.why_not == (
        "Day 1 of 28.",
        "1,780 of 10,000 units that were planned.",
        "Units that click of treatment may differ by chance alone.",
    )
    assert found.sentence == (
        "Wait: Units that click +2.3 %, always-valid 95 % [-36.9, +65.7]; SRM ok; day 1 of 28"
    )


@pytest.mark.parametrize(
    ("units", "opening"),
    [
        (400, "No difference was found, though one of 5 % may be there: "),
        (400_000, "No difference was found, and none of 5 % or more is left to find: "),
    ],
)
def test_no_difference_says_how_large_one_may_be(units: int, opening: str) -> None:
    found = said((units, units // 10), (units, units // 10), days=28.0)
    assert found.outcome == "no_difference"
    assert found.sentence.startswith(f"{opening}Units that click +0.0 %")
    assert found.sentence.endswith("; SRM ok; day 28 of 28")


def test_of_several_treatments_the_best_that_is_sure_is_shipped() -> None:
    found = said((20_000, 4000), (10_000, 2300), (10_000, 2500), weights=THREE)
    assert (found.outcome, found.variant) == ("ship", "two")
    assert "always-valid 97.5 % [" in found.sentence
    chance = said((20_000, 4000), (10_000, 2020), (10_000, 2500), weights=THREE)
    assert chance.variant == "two"


def test_control_is_kept_once_every_treatment_is_worse() -> None:
    worse, same = (10_000, 1500), (10_000, 2000)
    assert said((20_000, 4000), worse, worse, weights=THREE).outcome == "keep_control"
    waits = said((20_000, 4000), worse, same, weights=THREE)
    assert waits.outcome == "wait"
    assert waits.why_not[1:] == (
        "Units that click of one is worse.",
        "Units that click of two may differ by chance alone.",
    )
    ended = said((20_000, 4000), worse, same, weights=THREE, days=28.0)
    assert ended.sentence.startswith("No difference was found, though one of 5 % may be there: Units")
    assert " +0.0 %, " in ended.sentence


def test_units_shared_out_otherwise_are_trusted_in_nothing() -> None:
    found = said((10_000, 1000), (9000, 2000), guardrails={"clicked_units": 0.1})
    assert found.outcome == "unhealthy"
    assert found.why_not == (
        "Units are not shared out as planned (control 10,000 of 9,500 expected, treatment 9,000 of 9,500"
        " expected): whatever did that may have made the effect.",
    )
    assert found.sentence == f"Trust nothing yet: {found.why_not[0]}"
    assert said((10_000, 1000), (9_600, 960)).outcome == "wait"


def test_a_unit_where_none_can_be_is_an_alarm() -> None:
    found = said((500, 50), (500, 50), (3, 0), weights={"control": 0.5, "one": 0.5, "two": 0.0})
    assert found.outcome == "unhealthy"
    assert found.why_not == ("3 units are in two, which has weight 0: find out how they came there.",)
    assert {one.comparison.variant for one in found.goals} == {"one"}
    assert found.as_json()["sample_ratio"] == {"p_value": 0.0, "chi2": None, "mismatch": True}


def test_harm_is_rolled_back_whatever_the_goal_says() -> None:
    metrics = clicked((5000, 500), (5000, 900)) | {
        "empty_rate": {"control": rated(5000, 0, 20_000), "treatment": rated(5000, 600, 20_000)}
    }
    found = judge(make_plan(guardrails={"clicked_units": 0.1, "empty_rate": 0.01}), make_figures(metrics))
    assert (found.outcome, found.variant) == ("roll_back", "treatment")
    assert found.sentence.startswith("Roll treatment back: Empty lists +3.0 points, always-valid 97.5 % [+")
    assert found.sentence.endswith("; SRM ok; day 4 of 28")


def test_a_phase_without_units_waits_and_says_so() -> None:
    found = judge(make_plan(guardrails={"ctr": 0.1}), make_figures({}, days=0.0))
    assert (found.outcome, found.sample_ratio.p_value) == ("wait", None)
    assert found.sentence == "Wait: Units that click unknown; no units yet; day 1 of 28"


@pytest.mark.parametrize("test", ["planned", "any_time"])
def test_a_test_that_ended_without_anything_to_read_is_not_well(test: str) -> None:
    plan = make_plan(test=test, horizon_days=7)
    found = judge(plan, looking(*[clicked((40, 0), (40, 3))] * 7))
    assert (found.outcome, found.why_not) == (
        "unhealthy",
        (
            "The test is over, and Units that click of treatment cannot be computed: see whether its lists"
            " and the control's are counted, or choose a goal that more units reach.",
        ),
    )


def test_a_planned_verdict_stays_after_its_horizon() -> None:
    plan = make_plan(test="planned", horizon_days=14)
    looks = growing(14, 100, 0.1, 0.11)
    ended = judge(plan, looking(*looks, days=14.0))
    later = make_figures(clicked((9000, 900), (9000, 1800)), looks=tuple(looks), days=40.0)
    assert (ended.outcome, judge(plan, later).outcome) == ("no_difference", "no_difference")
    assert judge(plan, later).sentence == ended.sentence
    found = judge(make_plan(horizon_days=14), later)
    assert found.outcome == "ship", "what may be read at any time may be read after the horizon too"


def test_all_the_planned_units_end_a_planned_test_before_its_horizon() -> None:
    plan = make_plan(test="planned", horizon_days=28)
    figures = looking(*growing(5, 100, 0.1, 0.11), planned_units=1000.0)
    found = judge(plan, figures)
    assert (found.outcome, found.why_not) == (
        "no_difference",
        (
            "All units that were planned are counted, which ends the test before its horizon.",
            "Units that click of treatment may differ by chance alone.",
        ),
    )
    assert judge(make_plan(horizon_days=28), figures).outcome == "wait"


def test_without_a_treatment_there_is_nothing_to_decide() -> None:
    found = said((500, 50), (0, 0), weights={"control": 1.0, "treatment": 0.0}, guardrails={"ctr": 0.1})
    assert (found.outcome, found.goals, found.guardrails) == ("wait", (), ())
    assert found.sentence == "Wait: no treatment has a weight above 0; SRM ok; day 16 of 28"


def test_a_level_is_never_said_to_be_more_than_it_is() -> None:
    plan = make_plan(alpha=0.05, guardrails=dict.fromkeys(("ctr", "novelty", "clicked_units"), 0.1))
    found = judge(plan, make_figures(clicked((500, 50), (500, 60))))
    assert "always-valid 98.3 % [" in effect_text(found.guardrails[-1].comparison)


groups = st.tuples(st.integers(0, 3000), st.floats(0, 1)).map(lambda pair: (pair[0], int(pair[0] * pair[1])))


@given(
    looks=st.lists(st.tuples(groups, groups), max_size=6),
    days=st.floats(0, 40),
    planned=st.none() | st.floats(1, 1e5),
    test=st.sampled_from(["planned", "any_time"]),
)
def test_a_verdict_is_made_again_from_what_is_kept(
    looks: list[Any], days: float, planned: float | None, test: str
) -> None:
    plan = make_plan(test=test, horizon_days=6, goals=("clicked_units", "ctr"), guardrails={"ctr": 0.1})
    metrics = [clicked(*look) | {"ctr": clicked(*look)["clicked_units"]} for look in looks]
    figures = looking(*metrics, days=days, planned_units=planned)
    kept = json.loads(json.dumps(figures.as_json()), parse_float=_as_a_database)
    assert Figures.from_json(kept) == figures
    again = judge(plan, Figures.from_json(kept)).as_json()
    assert again == json.loads(json.dumps(judge(plan, figures).as_json(), allow_nan=False))


def _as_a_database(text: str) -> float | int:
    """One may give whole numbers back without their fraction."""
    return int(float(text)) if float(text).is_integer() else float(text)
