"""The pages of one version of the bandit's policy, as links from each to the others."""

from django.http import HttpRequest
from django.urls import reverse

from apps.bandits.models import BanditPolicy
from apps.core.admin import Link
from apps.core.admin.links import PageLink

BEGIN = "bandits.add_banditpolicy"
"""The permission to begin a version."""
CHANGE = "bandits.change_banditpolicy"
"""The permission to freeze a version, and to let it draw again."""
PAGES = {
    "beliefs": ("What it believes", "grid_on"),
    "context": ("One context", "show_chart"),
    "activity": ("What it did", "monitoring"),
    "off_policy": ("What others would have earned", "compare_arrows"),
}


def page_url(page: str, policy: BanditPolicy) -> str:
    return reverse(f"admin:bandits_banditpolicy_{page}", args=[policy.pk])


def navigation(request: HttpRequest, policy: BanditPolicy, current: str) -> list[PageLink]:
    """All pages of the version that this member of staff may open; ``current`` is the name of this one."""
    links = [PageLink(f"Version {policy.version}", page_url("change", policy), current == "change")]
    links += [PageLink(title, page_url(page, policy), current == page) for page, (title, _) in PAGES.items()]
    if request.user.has_perm(BEGIN):
        links.append(PageLink("Begin a new version", page_url("begin", policy), current == "begin"))
    if request.user.has_perm(CHANGE) and not policy.frozen:
        links.append(PageLink("Freeze", page_url("freeze", policy), current == "freeze"))
    return links


def link_to(page: str, policy: BanditPolicy) -> Link:
    title, icon = PAGES[page]
    return Link(title, page_url(page, policy), icon)


def begin_link(request: HttpRequest, policy: BanditPolicy) -> Link | None:
    if not request.user.has_perm(BEGIN):
        return None
    return Link("Begin a new version", page_url("begin", policy), "add_circle")


def freeze_link(request: HttpRequest, policy: BanditPolicy) -> Link | None:
    if policy.frozen or not request.user.has_perm(CHANGE):
        return None
    return Link("Freeze", page_url("freeze", policy), "ac_unit")
