"""Keywords of films, in bulk."""

from collections.abc import Mapping

from django.db import transaction

from apps.catalog.models import Keyword, MovieKeyword
from apps.core.bulk import update_rows
from apps.core.importing.counts import Upserted

BATCH = 1000


@transaction.atomic
def add_keywords(*, weights: Mapping[tuple[int, str], int]) -> Upserted:
    """Links films to keywords by (movie id, name); a link that is there keeps the greater weight."""
    ids = _ensure_keywords({name for _, name in weights})
    wanted = {(movie_id, ids[name]): weight for (movie_id, name), weight in weights.items()}
    rows = MovieKeyword.objects.filter(movie_id__in={movie_id for movie_id, _ in wanted}).order_by()
    links = {
        (movie_id, keyword_id): (pk, weight)
        for pk, movie_id, keyword_id, weight in rows.values_list("pk", "movie_id", "keyword_id", "weight")
    }
    new = [
        MovieKeyword(movie_id=movie_id, keyword_id=keyword_id, weight=weight)
        for (movie_id, keyword_id), weight in wanted.items()
        if (movie_id, keyword_id) not in links
    ]
    raised = [
        (links[key][0], weight) for key, weight in wanted.items() if key in links and links[key][1] < weight
    ]
    MovieKeyword.objects.bulk_create(new, batch_size=BATCH)
    update_rows(MovieKeyword, ["weight"], raised)
    return Upserted(len(new), len(raised), len(wanted) - len(new) - len(raised))


def _ensure_keywords(names: set[str]) -> dict[str, int]:
    known = dict(Keyword.objects.filter(name__in=names).values_list("name", "id"))
    missing = sorted(names - set(known))
    if missing:
        Keyword.objects.bulk_create(
            (Keyword(name=name) for name in missing), ignore_conflicts=True, batch_size=BATCH
        )
        known |= dict(Keyword.objects.filter(name__in=missing).values_list("name", "id"))
    return known
