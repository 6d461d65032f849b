"""The page of a recipe leads to its rollout, and says where that stands."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.training.admin.rollouts import ASK
from apps.training.models import BackTest, Recipe
from apps.training.services.rollouts import promote, roll_back, serve_everybody
from tests.experiments.setup import make_running, make_version
from tests.factories import make_staff
from tests.training.rolling import ask, candidate, clock, fresh, make_candidate, nothing_kept, servable

__all__ = ["candidate", "clock", "fresh", "nothing_kept", "servable"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("servable", "clock", "fresh")]

ADD = reverse("admin:training_rollout_add")


def page_of(recipe: Recipe, *permissions: str) -> str:
    client = Client()
    client.force_login(make_staff(permissions=["training.view_recipe", *permissions]))
    answer: Any = client.get(reverse("admin:training_recipe_change", args=[recipe.pk]))
    return " ".join(answer.content.decode().split())


def offers(recipe: Recipe, *permissions: str) -> bool:
    return f'href="{ADD}?recipe={recipe.name}">Roll out</a>' in page_of(recipe, *permissions or (ASK,))


def test_what_passed_and_serves_nobody_can_be_rolled_out_from_its_page(candidate: Recipe) -> None:
    assert offers(candidate)
    assert not offers(candidate, "training.view_rollout"), "asking takes a permission"


def test_what_has_not_passed_is_not_offered(candidate: Recipe) -> None:
    assert not offers(Recipe.objects.create(name="unfitted"))
    assert not offers(make_version("untested").recipe)
    BackTest.objects.update(passed=False)
    assert not offers(candidate)


def test_where_it_cannot_be_rolled_out_its_page_says_why(candidate: Recipe) -> None:
    assert "It cannot be rolled out yet." not in page_of(candidate, ASK)
    BackTest.objects.update(passed=False, against="other", overridden_at=timezone.now())
    said = (
        "It cannot be rolled out yet. Recipe &#x27;bold&#x27; was not tested beside &#x27;standard&#x27;,"
        " which serves: fit it, which tests it (manage.py train --recipe bold)."
    )
    assert said in page_of(candidate, ASK)
    BackTest.objects.update(against="standard", overridden_at=None)
    said = (
        "It cannot be rolled out yet. Recipe &#x27;bold&#x27; did not pass its test beside"
        " &#x27;standard&#x27;, which serves."
    )
    assert said in page_of(candidate, ASK)
    assert said not in page_of(candidate), "whoever may not ask is told nothing of it"
    assert "It cannot be rolled out yet." not in page_of(Recipe.objects.get(name="standard"), ASK)


def test_what_serves_or_is_asked_for_is_not_offered(candidate: Recipe) -> None:
    second = make_candidate("second")
    pinned = make_candidate("pinned")
    make_running("pinning", pinned_recipe="pinned")
    assert not offers(Recipe.objects.get(name="standard"))
    assert not offers(pinned)
    ask()
    assert not offers(candidate)
    assert offers(second)
    ask("second")
    assert not offers(second), "it waits for its turn"
    roll_back(by=None, reason="no")
    assert offers(candidate), "once more"


def test_it_says_where_its_rollout_stands_to_whoever_may_see_it(candidate: Recipe) -> None:
    look = "training.view_rollout"
    assert "Its last rollout" not in page_of(candidate, look)
    rollout = ask()
    address = reverse("admin:training_rollout_change", args=[rollout.pk])
    said = f"Its last rollout, {rollout.pk}: "
    page = page_of(candidate, look)
    assert f"{said}in steps" in page
    assert f'<a href="{address}">To rollout {rollout.pk}</a>' in page
    assert "Its last rollout" not in page_of(candidate)
    promote(by=None, reason="urgent")
    assert f"{said}promoted" in page_of(candidate, look)
    serve_everybody(by=None, reason="<b>urgent</b>")
    assert f"{said}serves everybody, &lt;b&gt;urgent&lt;/b&gt;" in page_of(candidate, look)
    second = make_candidate("second")
    waits = make_candidate("third", beside=("standard", "bold"))
    assert "Its last rollout" not in page_of(second, look)
    BackTest.objects.create(
        recipe=second, against="bold", n_train=1, n_test=1, n_people=1, passed=True, seconds=1.0
    )
    ask("second")
    ask("third")
    assert "waiting, second is being rolled out" in page_of(waits, look)
