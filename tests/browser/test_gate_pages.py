"""The gate's pages fit a phone and take no script."""

from itertools import product

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from apps.training.models import BackTest, ModelVersion, Recipe
from tests.browser.acts import enter_admin
from tests.browser.test_bandit_pages import AXE, SCHEMES, WIDTHS
from tests.factories import make_user
from tests.rows import NOW, make_back_test

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHECK = {"name": "nDCG@10 in the test", "figure": 0.0068, "limit": 0.1757, "passed": False}
MEANS = ("ndcg", "precision", "recall", "novelty", "intra_list_diversity", "serendipity", "tail_share")


@pytest.fixture
def test(transactional_db: None) -> BackTest:
    """A refused version, and the back-test that says why."""
    make_user("ada", is_staff=True, is_superuser=True)
    error = {"value": 1.0141, "error": 0.04}
    figures = {name: {"value": 0.1775, "error": 0.02} for name in MEANS} | {"coverage": 0.03, "gini": 0.9}
    measured = {**figures, "predictions": {"rmse": error, "mae": error}}
    test = make_back_test(
        checks=[CHECK],
        metrics={
            "k": 10,
            "recipe": measured,
            "against": measured,
            "popularity": figures,
            "ndcg_difference": {"value": -0.1707, "low": -0.2071, "high": -0.1352, "p_value": 0.0002},
        },
    )
    ModelVersion.objects.create(
        recipe=test.recipe,
        run=test.run,
        name="20261129T153000-7",
        status=ModelVersion.Status.REFUSED,
        refused_because="Recipe 'shuffled' did worse than 'standard', which serves, in its back-test.",
        artifact="20261129T153000-7",
        checks=[CHECK],
        manifest_sha256="0" * 64,
        read_at=NOW,
        n_users=1,
        n_movies=1,
        n_ratings=1,
        fit_seconds=1.0,
    )
    return test


def enter(page: Page) -> None:
    enter_admin(page, "training/backtest/", "Back-tests")


def test_pages_fit_a_phone_and_a_desk_and_nothing_complains(page: Page, test: BackTest) -> None:
    Recipe.objects.create(name="w" * 60)
    enter(page)
    version = ModelVersion.objects.get()
    faults = []
    for path, part in (
        (f"backtest/{test.pk}/change/", "What came of it"),
        (f"modelversion/{version.pk}/change/", "What it had to reach"),
        (f"recipe/{test.recipe_id}/change/", "Back-tests, the last first"),
        (f"modelversion/{version.pk}/override/", "What it had to reach"),
        ("trainingrun/", "Retrain now"),
    ):
        page.goto(f"/admin/training/{path}")
        page.evaluate(AXE_SCRIPT)
        assert part in page.content()
        for scheme, width in product(SCHEMES, WIDTHS):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 800})
            found = page.evaluate(AXE)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append("wider than the screen")
            faults += [f"{path} at {width} px, {scheme}: {fault}" for fault in found]
    assert faults == []


def test_a_refusal_is_overridden_without_script(plain_page: Page, test: BackTest) -> None:
    enter(plain_page)
    plain_page.goto(f"/admin/training/modelversion/{ModelVersion.objects.get().pk}/change/")
    plain_page.get_by_role("link", name="Override the refusal").click()
    plain_page.get_by_label("Reason").fill("A drill")
    plain_page.get_by_role("button", name="Override").click()
    expect(plain_page.get_by_text("is now the live one of recipe")).to_be_visible()
    expect(plain_page.get_by_text("A drill").first).to_be_visible()
    test.refresh_from_db()
    assert (ModelVersion.objects.get().status, test.overridden_because) == ("live", "A drill")
