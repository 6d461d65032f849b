"""The pages of one experiment, as links from each to the others."""

from django.http import HttpRequest
from django.urls import reverse

from apps.core.admin.links import PageLink
from apps.experiments.models import Experiment

VIEW = "experiments.view_experiment"
ADD = "experiments.add_experiment"
CHANGE = "experiments.change_experiment"
START = "experiments.start_experiment"
OVERRIDE = "experiments.override_experiment"
SEE_VIEWERS = "recommendations.view_viewer"
"""For the lists that one of them would get."""


def page_url(page: str, key: str) -> str:
    return reverse(f"admin:experiments_experiment_{page}", args=[key])


def act_url(act: str, key: str) -> str:
    return reverse("admin:experiments_experiment_act", args=[key, act])


def may_change(request: HttpRequest, experiment: Experiment) -> bool:
    """A change of what runs begins a phase, which is a start: it takes both permissions. What has ended stays
    as it was.
    """
    if experiment.ended_at is not None:
        return False
    needed = (CHANGE,) if experiment.state == Experiment.State.DRAFT else (CHANGE, START)
    return bool(request.user.has_perms(needed))


def navigation(request: HttpRequest, experiment: Experiment, current: str) -> list[PageLink]:
    """All pages of the experiment that this member of staff may open; ``current`` is the name of this one."""
    pages = {"overview": "Results", "segments": "By segment and day"}
    if may_change(request, experiment):
        pages["design"] = "Design"
    pages["debug"] = "Where a viewer stands"
    return [PageLink(title, page_url(page, experiment.key), page == current) for page, title in pages.items()]
