"""Removing files that nobody will go back to. The rows of versions stay."""

import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from apps.training.artifacts import PARTIAL, discard_artifact
from apps.training.corpus import corpus_folder, discard_corpus, kept_corpora
from apps.training.models import ModelVersion, Recipe, TrainingRun, UpdateType
from apps.training.services.runs import artifact_path, made_here

FULL_KEPT = 2
"""Full retrains of a recipe: what was updated since may share files with the last one."""
ORPHAN_SECONDS = 3600.0
_Status = ModelVersion.Status


@dataclass(frozen=True)
class Cleaned:
    """``versions`` lost their files; ``folders`` belonged to none, ``corpora`` to none that serves."""

    versions: list[str]
    folders: list[str]
    corpora: list[str]


def clean_up() -> Cleaned:
    """What is too old of every recipe, and what runs that died left behind."""
    versions = [name for recipe in Recipe.objects.all() for name in remove_old_artifacts(recipe=recipe)]
    if TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).exists():
        return Cleaned(versions, [], [])
    live = ModelVersion.objects.filter(status=_Status.LIVE).values_list("name", flat=True)
    return Cleaned(versions, list(_remove_orphans()), discard_corpora(but=set(live)))


def discard_corpora(*, but: Collection[str]) -> list[str]:
    """Removes what was kept of people for versions of this database, but those named; the names of those
    that went."""
    gone = sorted(made_here(kept_corpora()) - set(but))
    for name in gone:
        discard_corpus(name)
    return gone


def remove_old_artifacts(*, recipe: Recipe) -> list[str]:
    """Removes the files of all but the last versions, the last full retrains, the last that was refused, and
    those that are live or pinned. Returns the names of the versions whose files went.
    """
    held = ModelVersion.objects.filter(recipe=recipe).exclude(artifact="").order_by("-id")
    served = held.exclude(status=_Status.REFUSED)
    kept = {
        *held.filter(Q(status=_Status.LIVE) | Q(is_pinned=True)).values_list("pk", flat=True),
        *served.values_list("pk", flat=True)[: settings.ARTIFACTS_KEPT],
        *served.filter(update_type=UpdateType.FULL).values_list("pk", flat=True)[:FULL_KEPT],
        *held.filter(status=_Status.REFUSED).values_list("pk", flat=True)[:1],
    }
    return [version.name for version in held.exclude(pk__in=kept) if _remove(version)]


def _remove(version: ModelVersion) -> bool:
    # The row first: what still names files has them.
    unused = ModelVersion.objects.filter(pk=version.pk, is_pinned=False).exclude(status=_Status.LIVE)
    if not unused.update(artifact=""):
        return False
    discard_artifact(artifact_path(version.artifact))
    return True


def _remove_orphans() -> Iterator[str]:
    """Folders that runs of this database made, whole or in part, which no row names and nobody wrote to
    lately."""
    named = set(ModelVersion.objects.exclude(artifact="").values_list("artifact", flat=True))
    folders = list(_folders(Path(settings.ARTIFACT_DIR), corpus_folder()))
    ours = made_here(folder.name.removeprefix(PARTIAL) for folder in folders)
    for folder in folders:
        if folder.name in named or folder.name.removeprefix(PARTIAL) not in ours:
            continue
        if folder.stat().st_mtime < time.time() - ORPHAN_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            yield folder.name


def _folders(*places: Path) -> Iterator[Path]:
    for place in places:
        # Another process may just have removed one.
        with suppress(OSError):
            yield from sorted(path for path in place.iterdir() if path.is_dir())
