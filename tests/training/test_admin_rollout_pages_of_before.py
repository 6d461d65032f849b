"""Pages of rollouts that were opened, or are asked for, when what they are for is over."""

import pytest
from django.urls import reverse

from apps.training.admin.rollouts import ASK, PROMOTE, ROLL_BACK
from apps.training.models import Recipe
from apps.training.services.rollouts import promote, roll_back
from tests.training.rolling import ask, candidate, clock, fresh, make_candidate, nothing_kept, servable
from tests.training.test_admin_rollouts import act, act_url, staff_client, words

__all__ = ["candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("promote", "No rollout is under way: ask for one of a recipe first."),
        ("serve_everybody", "No rollout is under way: ask for one of a recipe first."),
        (
            "roll_back",
            "No rollout is under way, and what serves came by none: there is nothing to go back to.",
        ),
        ("withdraw", "does not wait: roll it back if it is under way."),
    ],
)
def test_no_page_asks_for_the_reason_of_an_act_that_does_not_fit_any_more(
    candidate: Recipe, name: str, said: str
) -> None:
    rollout, staff = ask(), staff_client(ASK, PROMOTE, ROLL_BACK)
    roll_back(by=None, reason="no")
    answer = staff.get(act_url(rollout, name), follow=True)
    own = reverse("admin:training_rollout_change", args=[rollout.pk])
    assert answer.redirect_chain == [(own, 302)]
    assert said in words(answer)
    assert said in words(act(staff, rollout, name)), "as whoever had it open is told"


@pytest.mark.parametrize("name", ["promote", "serve_everybody", "roll_back"])
def test_an_act_on_a_page_of_before_does_not_hit_another_rollout(candidate: Recipe, name: str) -> None:
    make_candidate("second")
    old = ask()
    roll_back(by=None, reason="no")
    now = ask("second")
    if name == "serve_everybody":
        promote(by=None, reason="urgent")
        now.refresh_from_db()
    before = now.status
    answer = act(staff_client(PROMOTE, ROLL_BACK), old, name)
    assert answer.status_code == 400
    said = f"This is not what serves any more: {now} is ({now.get_status_display().lower()})."
    assert said in words(answer)
    now.refresh_from_db()
    assert now.status == before
