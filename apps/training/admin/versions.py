"""Versions for staff."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.core.admin.columns import column
from apps.experiments.policy import current_policy
from apps.training.models import ModelVersion
from apps.training.registry import engine, refusal_of


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    group, icon, rank = "Training", "deployed_code", 2
    about = (
        "Fits that ended well. One version of each recipe is live; when its files cannot be loaded it is"
        " refused, and the version before serves."
    )
    empty = "The first training that ends well makes a version; popular films are shown until then."
    list_display = [
        "name",
        "recipe",
        "state",
        "n_users",
        "n_movies",
        "n_ratings",
        "fit_seconds",
        "activated_at",
    ]
    list_filter = ["status", "recipe"]
    list_select_related = ["recipe"]
    search_fields = ["name"]
    explanations = {
        "status": "live serves, unless the list says that its files are refused; retired did; refused failed"
        " a check beside what served.",
        "artifact": "The folder of its files below ARTIFACT_DIR. Empty once they were removed.",
        "metrics": "Seconds by step, bytes, rows read; of a fixed panel of people nDCG@10, and the share of"
        " films that reach somebody's list.",
        "checks": "What it had to reach beside the version that served, and what it did.",
        "refused_because": "Which of its checks it failed; empty for the others.",
        "run": "The fit that made it.",
    }

    @column("Status", ordering="status")
    def state(self, version: ModelVersion) -> str:
        """The status; of a live version that this process could not load, why it could not."""
        recipe = version.recipe.name
        if version.status != ModelVersion.Status.LIVE:
            return version.get_status_display()
        if recipe == current_policy().recipe:
            # A process that has not served yet has not tried; of other recipes it need not.
            engine(recipe)
        refusal = refusal_of(version.name, recipe=recipe)
        return f"refused: {refusal.detail}" if refusal else version.get_status_display()
