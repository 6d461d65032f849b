"""What is believed in one context, in the admin."""

import re

import pytest
from django.test import Client

from apps.algorithms.context import N_CONTEXTS, Context
from apps.bandits.beliefs import believed
from apps.bandits.services import freeze
from tests.bandits.admin import lines_of, n_queries, page_of, url_of
from tests.bandits.log import ARMS, make_log, make_policy, say, serve
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db
SEVENTH = Context.from_index(7).as_dict()


@pytest.fixture(autouse=True)
def staff(client: Client) -> None:
    client.force_login(make_staff(permissions=["bandits.view_banditpolicy"]))


def test_the_context_in_which_most_was_shown_comes_unasked(client: Client) -> None:
    policy = make_policy()
    serve(make_log(policy, ["svd"], context=3))
    serve(make_log(policy, ["svd", "als"], context=7))
    page = page_of(client, policy, "context")
    for value in SEVENTH.values():
        assert f'<option value="{value}" selected>' in page
    assert page.count("<polygon") == len(ARMS)
    assert "Nothing was shown in this context yet" not in page


def test_the_table_has_what_is_believed_and_counted(client: Client) -> None:
    policy, viewer = make_policy(), make_user()
    ids = serve(make_log(policy, ["svd", "als", "svd"], viewer=viewer, context=7))
    say(viewer, ids[0], "click")
    rows = {row["arm"]: row for row in lines_of(client, policy, "context_csv", **SEVENTH)}
    beliefs = believed(policy.version).beliefs
    assert (rows["svd"]["shown"], rows["svd"]["successes"]) == ("2", "1")
    for spot, arm in enumerate(ARMS):
        assert float(rows[arm]["mean"]) == pytest.approx(beliefs.posterior.mean[7, spot])
        assert float(rows[arm]["p_first"]) == pytest.approx(beliefs.rank_propensities(7)[spot, 0])
    assert sum(float(row["p_best"]) for row in rows.values()) == pytest.approx(1)
    mean = f"{beliefs.posterior.mean[7, ARMS.index('svd')]:.1%}"
    assert f'<td class="number">{mean}</td>' in page_of(client, policy, "context", **SEVENTH)


def test_the_curve_is_highest_at_the_mode_of_the_belief(client: Client) -> None:
    policy, viewer = make_policy(), make_user()
    for _ in range(3):
        serve(make_log(policy, ["svd"] * 20, viewer=viewer, context=7))
    page = page_of(client, policy, "context", **SEVENTH)
    curve = re.findall(r'<polygon[^>]*points="([^"]*)"', page)[ARMS.index("svd")]
    points = [tuple(map(float, point.split(","))) for point in curve.split()]
    at, _ = min(points, key=lambda point: point[1])
    alpha, beta = (getattr(believed(policy.version).beliefs, name)[7, 2] for name in ("alpha", "beta"))
    ticks = re.findall(r'<text x="([\d.]+)%"[^>]*text-anchor="\w+">([\d.]+)%</text>', page)
    axis = [(float(x), float(label) / 100) for x, label in ticks]
    (low_x, low), (high_x, high) = axis[0], axis[-1]
    value = low + (at - low_x) / (high_x - low_x) * (high - low)
    assert value == pytest.approx((alpha - 1) / (alpha + beta - 2), abs=0.01)


def test_a_context_without_films_says_where_its_beliefs_come_from(client: Client) -> None:
    policy = make_policy()
    assert "Nothing was shown in this context yet" in page_of(client, policy, "context")


def test_a_frozen_version_says_that_nothing_is_drawn_by_these(client: Client) -> None:
    policy = make_policy()
    freeze(version=policy.version, reason="a test", by=None)
    said = "Frozen: fixed weights serve, and no arm is drawn by these beliefs."
    assert said in page_of(client, policy, "context")


def test_each_part_of_the_context_is_named_beside_its_value(client: Client) -> None:
    page = page_of(client, make_policy(), "context", **SEVENTH)
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*(.*?)\s*</dd>", page.partition('id="curves"')[2])
    names = ("Time of day", "Day", "Viewer", "Genre saturation", "Session")
    assert found == list(zip(names, SEVENTH.values(), strict=True))


def test_the_heat_map_is_of_the_contexts_asked_for(client: Client) -> None:
    policy = make_policy()
    parts = {"day_type": "weekend", "user_segment": "cold"}
    wanted = [Context.from_index(spot).as_dict() for spot in range(N_CONTEXTS)]
    wanted = [context for context in wanted if parts.items() <= context.items()]
    page = page_of(client, policy, "beliefs", **parts, time_of_day="")
    rows = page.partition("Contexts and arms")[2].partition("</table>")[0]
    assert rows.count('<th scope="row"') == len(wanted)
    assert f"{len(wanted)} contexts, each named by time of day, day, viewer" in page
    assert '<option value="weekend" selected>' in page
    assert f'{url_of(policy, "csv")}?day_type=weekend&amp;user_segment=cold"' in page
    lines = lines_of(client, policy, "csv", **parts)
    assert [line["time_of_day"] for line in lines[:: len(ARMS)]] == [one["time_of_day"] for one in wanted]
    assert {line["day_type"] for line in lines} == {"weekend"}
    assert len(lines_of(client, policy, "csv")) == N_CONTEXTS * len(ARMS)


def test_the_heat_map_refuses_a_part_that_is_none(client: Client) -> None:
    policy = make_policy()
    answer = client.get(url_of(policy, "beliefs"), {"day_type": "monday"})
    assert answer.status_code == 400
    assert "monday is not one of the available choices." in answer.content.decode()
    assert client.get(url_of(policy, "csv"), {"day_type": "monday"}).status_code == 404


def test_refuses_a_context_that_is_none(client: Client) -> None:
    policy = make_policy()
    answer = client.get(url_of(policy, "context"), SEVENTH | {"time_of_day": "noon"})
    assert answer.status_code == 400
    said = "Select a valid choice. noon is not one of the available choices."
    assert said in answer.content.decode()
    assert client.get(url_of(policy, "context_csv"), {"day_type": "weekday"}).status_code == 404


def test_queries_do_not_grow_with_the_counts(client: Client) -> None:
    policy = make_policy()
    found = []
    for _ in range(2):
        for context in range(5):
            serve(make_log(policy, ["svd", "als", "item_cf"] * 2, context=context))
        found.append(n_queries(client, policy, "context"))
    assert found[0] == found[1] <= 12
