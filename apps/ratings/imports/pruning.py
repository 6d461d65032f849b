"""What is kept of imports, and for how long."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.ratings.models import Import, ImportRow

# So that nobody fills the tables by sending files.
KEPT_PER_VIEWER = 20


@transaction.atomic
def prune_imports(*, now: datetime) -> int:
    """Deletes previews and rows older than ``IMPORT_DAYS``; the numbers of what was applied stay."""
    old = Import.objects.older_than(now - timedelta(days=settings.IMPORT_DAYS))
    n_waiting, _ = old.waiting().delete()
    return n_waiting + _prune(old)


def prune_number(*, user: User) -> int:
    """Keeps the rows of the viewer's last imports alone."""
    kept = Import.objects.of(user.pk).order_by("-pk").values_list("pk", flat=True)[:KEPT_PER_VIEWER]
    return _prune(Import.objects.of(user.pk).exclude(pk__in=list(kept)))


def _prune(imports: QuerySet[Import]) -> int:
    keys = list(imports.filter(pruned_at=None).values_list("pk", flat=True))
    n_rows, _ = ImportRow.objects.filter(parent_id__in=keys).delete()
    Import.objects.filter(pk__in=keys).update(pruned_at=timezone.now())
    return n_rows
