"""Putting a version to work, and removing files that nobody will go back to."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.training.artifacts import discard_artifact
from apps.training.models import ModelVersion, Recipe
from apps.training.services.runs import artifact_path

_Status = ModelVersion.Status


@transaction.atomic
def activate(*, version: ModelVersion) -> ModelVersion:
    """Makes the version live and retires the one that was.

    Raises ``Conflict`` for a version that was refused or whose files were removed.
    """
    # One activation of a recipe at a time.
    Recipe.objects.select_for_update().get(pk=version.recipe_id)
    same_recipe = ModelVersion.objects.filter(recipe_id=version.recipe_id)
    same_recipe.filter(status=_Status.LIVE).exclude(pk=version.pk).update(status=_Status.RETIRED)
    usable = same_recipe.filter(pk=version.pk).exclude(status=_Status.REFUSED).exclude(artifact="")
    if not usable.update(status=_Status.LIVE, activated_at=timezone.now()):
        raise Conflict(f"Version {version.name} was refused or its files were removed; fit the recipe again.")
    version.refresh_from_db(fields=["status", "activated_at"])
    return version


def remove_old_artifacts(*, recipe: Recipe) -> list[str]:
    """Removes the files of all but the last ``settings.ARTIFACTS_KEPT`` versions, never the live one's.

    The rows stay. Returns the names of the versions whose files went.
    """
    kept = ModelVersion.objects.filter(recipe=recipe).exclude(artifact="").order_by("-id")
    live = kept.filter(status=_Status.LIVE).values_list("pk", flat=True)
    old = [version for version in kept[settings.ARTIFACTS_KEPT :] if version.pk not in set(live)]
    removed = []
    for version in old:
        # The row first: what still names files has them.
        unused = ModelVersion.objects.filter(pk=version.pk).exclude(status=_Status.LIVE)
        if unused.update(artifact=""):
            discard_artifact(artifact_path(version.artifact))
            removed.append(version.name)
    return removed
