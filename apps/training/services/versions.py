"""Putting a version to work."""

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.core.services import Actor, record_audit
from apps.training.models import Activation, ModelVersion, Recipe

_Status = ModelVersion.Status


@transaction.atomic
def activate(*, version: ModelVersion, by: Actor | None = None, reason: str = "") -> ModelVersion:
    """Makes the version live and retires the one that was. ``by`` None is a fit that goes live by itself.

    Raises ``Conflict`` for a version that was refused or whose files were removed.
    """
    # One activation of a recipe at a time.
    Recipe.objects.select_for_update().get(pk=version.recipe_id)
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
