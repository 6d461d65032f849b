"""Putting a version to work."""

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.core.services import Actor, record_audit, require_reason
from apps.experiments.policy import read_policy
from apps.experiments.services import check_policy
from apps.training.artifacts import ArtifactRefused, open_artifact
from apps.training.models import Activation, ModelVersion, Recipe
from apps.training.services.holding import hold
from apps.training.services.runs import artifact_path

_Status = ModelVersion.Status


@transaction.atomic
def activate(*, version: ModelVersion, by: Actor | None = None, reason: str = "") -> ModelVersion:
    """Makes the version live and retires the one that was. ``by`` None is a fit that goes live by itself.

    Raises ``Conflict`` for a version that was refused or whose files were removed.
    """
    # One activation of a recipe at a time.
    Recipe.objects.select_for_update(no_key=True).get(pk=version.recipe_id)
    same_recipe = ModelVersion.objects.filter(recipe_id=version.recipe_id)
    same_recipe.filter(status=_Status.LIVE).exclude(pk=version.pk).update(status=_Status.RETIRED)
    now = timezone.now()
    usable = same_recipe.filter(pk=version.pk).exclude(status=_Status.REFUSED).exclude(artifact="")
    if not usable.update(status=_Status.LIVE, activated_at=now):
        raise Conflict(f"Version {version.name} was refused or its files were removed; fit the recipe again.")
    version.refresh_from_db(fields=["status", "activated_at"])
    Activation.objects.create(
        version=version,
        recipe_id=version.recipe_id,
        at=now,
        by=by.get_username() if by else "",
        reason=reason,
    )
    return version


@transaction.atomic
def go_back(*, version: ModelVersion, by: Actor | None, reason: str) -> ModelVersion:
    """Makes a version live that was before, and holds its recipe there: nothing that comes by itself makes
    another one live, until ``let_go`` or a fit that somebody asks for.

    Raises ``InvalidInput`` without a reason, ``Conflict`` for a version that did not serve before, or serves,
    and for one whose files are not there any more; either for one that lacks an arm which is asked for.
    """
    require_reason(reason)
    recipe = Recipe.objects.select_for_update(no_key=True).get(pk=version.recipe_id)
    found = ModelVersion.objects.get(pk=version.pk)
    if found.status != _Status.RETIRED:
        raise Conflict(f"Version {found.name} is {found.status}: go back to one that is retired.")
    before = ModelVersion.objects.filter(recipe=recipe, status=_Status.LIVE).first()
    arms = _arms_of(found)
    served = activate(version=found, by=by, reason=reason)
    if before and set(before.parameters) - arms:
        policy = read_policy()
        check_policy(strategy=policy.strategy.to_json(), recipe=policy.recipe, expected_version=None)
    hold(recipe, by=by, reason=reason)
    record_audit(
        "training.go_back",
        by=by,
        target=served,
        before={"version": before.name if before else ""},
        after={"version": served.name},
        reason=reason,
    )
    return served


def _arms_of(version: ModelVersion) -> frozenset[str]:
    """Raises ``Conflict`` where its files cannot be opened: what serves would refuse them, unseen."""
    gone = f"The files of version {version.name}"
    if not version.artifact:
        raise Conflict(f"{gone} were removed: fit the recipe again.")
    try:
        artifact = open_artifact(artifact_path(version.artifact), version.manifest_sha256)
    except ArtifactRefused as refusal:
        raise Conflict(f"{gone} cannot be read ({refusal.reason}): fit the recipe again.") from refusal
    return frozenset(artifact.about["arms"])


@transaction.atomic
def pin(*, version: ModelVersion, by: Actor | None, is_pinned: bool = True) -> ModelVersion:
    """Keeps the version's files however many come after it, or no longer.

    Raises ``Conflict`` where there are none left to keep.
    """
    found = ModelVersion.objects.select_for_update().get(pk=version.pk)
    if is_pinned and not found.artifact:
        raise Conflict(f"The files of version {found.name} were removed: there is nothing to keep.")
    if found.is_pinned != is_pinned:
        before = {"is_pinned": found.is_pinned}
        found.is_pinned = is_pinned
        found.save(update_fields=["is_pinned"])
        verb = "pin" if is_pinned else "unpin"
        record_audit(
            f"training.{verb}_version", by=by, target=found, before=before, after={"is_pinned": is_pinned}
        )
    return found
