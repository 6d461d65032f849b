"""The pages of a version of the bandit, as staff see them: on a phone and on a desk, in both themes."""

import re
from datetime import timedelta
from itertools import product

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.bandits.models import BanditPolicy
from apps.events.models import RecommendationEvent
from tests.bandits.log import ARMS, make_log, make_policy, serve
from tests.browser.acts import enter_admin
from tests.browser.test_every_page import SCHEMES, WIDTHS
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ("beliefs/", "context/", "activity/?days=30", "off-policy/", "begin/")
# What is around the content is unfold's.
AXE = """async () => {
  const found = await axe.run({ include: [["#content"]] }, { preload: false, resultTypes: ["violations"] });
  const words = (rule, node) => `${rule.id}: ${node.html} ${node.failureSummary}`;
  return found.violations.flatMap((rule) => rule.nodes.map((node) => words(rule, node)));
}"""


@pytest.fixture
def policy(transactional_db: None, nothing_kept: None) -> BanditPolicy:
    """A version before it, and forty viewers' lists."""
    make_policy()
    policy = make_policy()
    for number in range(40):
        arms = [ARMS[(number + spot) % 3] for spot in range(6)]
        ids = serve(make_log(policy, arms, at=timezone.now() - timedelta(hours=6 * number)))
        RecommendationEvent.objects.filter(pk__in=ids[: number % 4]).update(outcome="success")
    make_user("ada", is_staff=True, is_superuser=True)
    return policy


def enter(page: Page) -> None:
    enter_admin(page, "bandits/banditpolicy/", "Bandit policies")


def faults_of(page: Page, name: str) -> list[str]:
    """What axe finds in the page's own part, and what is wider than the screen."""
    page.evaluate(AXE_SCRIPT)
    faults = []
    for scheme, width in product(SCHEMES, WIDTHS):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate(AXE)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the screen")
        faults += [f"{name} at {width} px, {scheme}: {fault}" for fault in found]
    return faults


def test_pages_fit_a_phone_and_a_desk_and_nothing_complains(page: Page, policy: BanditPolicy) -> None:
    enter(page)
    faults = []
    page.goto(f"/admin/bandits/banditpolicy/{policy.pk}/change/")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for name in PAGES:
        page.goto(f"/admin/bandits/banditpolicy/{policy.pk}/{name}")
        faults += faults_of(page, name)
    assert faults == []


def test_a_context_is_chosen_and_a_version_begun_by_keys_alone_without_script(
    plain_page: Page, policy: BanditPolicy
) -> None:
    page = plain_page
    enter(page)
    page.goto(f"/admin/bandits/banditpolicy/{policy.pk}/context/")
    page.get_by_label("Time of day").select_option("evening")
    page.get_by_role("button", name="Show").press("Enter")
    expect(page).to_have_url(re.compile("time_of_day=evening"))
    expect(page.get_by_role("img", name="Beliefs by arm")).to_be_visible()
    page.get_by_role("link", name="Begin a new version").press("Enter")
    page.get_by_label("Sharpness").fill("0.2")
    page.get_by_label("Reason").fill("By keyboard")
    page.get_by_role("button", name="Begin").press("Enter")
    expect(page.get_by_text(f"Version {policy.version + 1} has begun.")).to_be_visible()
