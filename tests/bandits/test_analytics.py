"""``/analytics``: what programs and staff are told of the bandit."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.algorithms.context import N_CONTEXTS, Context
from tests.bandits.log import ARMS, make_log, make_policy, say, serve
from tests.callers import bearer
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/analytics"


@pytest.fixture
def staff() -> dict[str, str]:
    return dict(bearer(make_staff(permissions=["bandits.view_banditpolicy"])).headers)


def test_the_state_names_every_context_and_arm(client: Client, staff: dict[str, str]) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als", "svd"], viewer=viewer, context=7))
    say(viewer, ids[0], "click")
    told = client.get(f"{API}/bandit-state", headers=staff).json()
    assert (told["policy_version"], told["arms"], told["frozen"]) == (policy.version, list(ARMS), False)
    assert told["first_draw_shares"] == {"als": 0, "item_cf": 0, "svd": 1}
    assert len(told["contexts"]) == N_CONTEXTS
    context = told["contexts"][7]
    assert context["context"] == Context.from_index(7).as_dict()
    svd = context["arms"]["svd"]
    assert (svd["shown"], svd["successes"]) == (2, 1)
    assert svd["mean"] == pytest.approx(svd["alpha"] / (svd["alpha"] + svd["beta"]))
    assert 0 < svd["low"] < svd["mean"] < svd["high"] < 1
    assert sum(arm["p_best"] for arm in context["arms"].values()) == pytest.approx(1)


def test_an_arms_share_is_of_the_first_draws_in_the_context(client: Client, staff: dict[str, str]) -> None:
    policy = make_policy()
    for arms in (["svd", "als"], ["svd", "als"], ["svd"], ["als", "svd"]):
        serve(make_log(policy, arms, context=7))
    serve(make_log(policy, ["item_cf"], context=8))
    contexts = client.get(f"{API}/bandit-state", headers=staff).json()["contexts"]
    shares = [{arm: cell["share"] for arm, cell in contexts[spot]["arms"].items()} for spot in (7, 8, 9)]
    assert shares[0] == pytest.approx({"als": 0.25, "item_cf": 0, "svd": 0.75}, abs=1e-3)
    assert shares[1:] == [{"als": 0, "item_cf": 1, "svd": 0}, dict.fromkeys(ARMS)]


def test_stats_are_rates_of_what_counted_lately(client: Client, staff: dict[str, str]) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als", "svd", None], viewer=viewer))
    say(viewer, ids[0], "click")
    for explored, counted in ((True, True), (False, True), (False, True), (True, False)):
        log = make_log(policy, [], counted=counted)
        log.slate.posterior = {"explored": explored}
        serve(log)
    told = client.get(f"{API}/bandit/stats?days=7", headers=staff).json()
    assert (told["slates"], told["shown"], told["successes"]) == (4, 3, 1)
    assert told["explored_rate"] == 0.25
    assert told["success_rate"] == pytest.approx(1 / 3)
    assert told["arms"]["svd"] == {
        "shown": 2,
        "successes": 1,
        "success_rate": 0.5,
        "selection_rate": pytest.approx(2 / 3),
    }
    never = {"shown": 0, "successes": 0, "success_rate": None, "selection_rate": 0}
    assert (list(told["arms"]), told["arms"]["item_cf"]) == (list(ARMS), never)


def test_stats_name_every_arm_where_nothing_was_shown(client: Client, staff: dict[str, str]) -> None:
    make_policy()
    told = client.get(f"{API}/bandit/stats", headers=staff).json()
    never = {"shown": 0, "successes": 0, "success_rate": None, "selection_rate": None}
    assert (told["shown"], told["success_rate"]) == (0, None)
    assert told["arms"] == dict.fromkeys(ARMS, never)


def test_off_policy_answers_or_says_why_not(client: Client, staff: dict[str, str]) -> None:
    policy = make_policy()
    serve(make_log(policy, ["svd", "als"]))
    told = client.get(f"{API}/off-policy?policy=item_cf&days=3", headers=staff).json()
    assert (told["policy"], told["period_days"], told["films"], told["logged"]) == ("item_cf", 3, 2, 0)
    assert told["estimates"]["dr"]["reason"] == "not in the log: item_cf"


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("off-policy?policy=oracle", 400, "There is no policy 'oracle' to judge; there are: uniform, "),
        ("bandit-state?version=9", 404, "There is no version 9 of the bandit's policy."),
        ("bandit/stats?days=0", 400, "Ensure this value is greater than or equal to 1."),
    ],
)
def test_refuses_with_a_sentence(
    client: Client, staff: dict[str, str], path: str, status: int, detail: str
) -> None:
    make_policy()
    answer = client.get(f"{API}/{path}", headers=staff)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)


def test_says_when_no_bandit_has_served(client: Client, staff: dict[str, str]) -> None:
    answer = client.get(f"{API}/bandit-state", headers=staff)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("No bandit has served yet")


@pytest.mark.parametrize("path", ["bandit-state", "bandit/stats", "off-policy"])
def test_queries_do_not_grow_with_the_log(client: Client, staff: dict[str, str], path: str) -> None:
    policy = make_policy()
    counts = []
    for _ in range(2):
        serve(make_log(policy, ["svd", "als", "item_cf"] * 3))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{API}/{path}", headers=staff).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8
