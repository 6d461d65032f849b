"""A guest's imports handed to the account that they log in to."""

from django.db import transaction

from apps.accounts.models import User
from apps.ratings.imports.preferences import STORES
from apps.ratings.models import Import, ImportRow


@transaction.atomic
def merge_imports(guest: User, into: User) -> None:
    """Runs before the preferences are merged. A film that the account has a row about keeps that row,
    so the guest's import must not undo it.
    """
    for kind, store in STORES.items():
        kept = store.model._default_manager.filter(user_id=into.pk).values("movie_id")
        rows = ImportRow.objects.filter(parent__user=guest, kind=kind, movie_id__in=kept)
        rows.update(written_at=None)
    Import.objects.of(guest.pk).update(user_id=into.pk)
