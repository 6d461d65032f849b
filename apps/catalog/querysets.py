"""How films are found and listed."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.expressions import OrderBy

from apps.catalog.filters import FilmFilter
from apps.catalog.titles import normalise
from apps.catalog.votes import VOTE_AVERAGE
from apps.core.errors import InvalidInput

if TYPE_CHECKING:
    from apps.catalog.models import Movie  # noqa: F401 - the model imports this module

MAX_SEARCH_WORDS = 10
_CLOSING_YEAR = re.compile(r"(?P<title>.+) (?:18|19|20)[0-9]{2}")

ORDERINGS: dict[str, list[OrderBy]] = {
    "title": [F("title").asc(), F("id").asc()],
    "-title": [F("title").desc(), F("id").asc()],
    "year": [F("year").asc(nulls_last=True), F("id").asc()],
    "-year": [F("year").desc(nulls_last=True), F("id").asc()],
    "popularity": [F("rating_count").asc(), F("id").asc()],
    "-popularity": [F("rating_count").desc(), F("id").asc()],
    "vote_average": [VOTE_AVERAGE.asc(nulls_last=True), F("id").asc()],
    "-vote_average": [VOTE_AVERAGE.desc(nulls_last=True), F("id").asc()],
}


class MovieQuerySet(QuerySet["Movie", "Movie"]):
    def available(self) -> "MovieQuerySet":
        return self.filter(is_available=True)

    def survivor_of(self, movie_id: int) -> int | None:
        """The film that a merged one turned out to be; None for a film that was not merged."""
        return self.filter(pk=movie_id).values_list("merged_into_id", flat=True).first()

    def popular(self) -> "MovieQuerySet":
        """Most rated first."""
        return self.ordered_by("-popularity")

    def newest(self) -> "MovieQuerySet":
        """Films of the latest years; of one year those that came last."""
        return self.filter(year__isnull=False).order_by("-year", "-pk")

    def long_tail(self) -> "MovieQuerySet":
        """Good films that few have seen, as the catalogue was last looked through."""
        return self.filter(is_long_tail=True)

    def to_ask_about(self, before: datetime | None = None) -> "MovieQuerySet":
        """Films that TMDB was never asked about, or not since ``before``, and can be; popular first.

        A film is asked about by an id, or by title and year.
        """
        due = Q(tmdb_asked_at=None)
        if before is not None:
            due |= Q(tmdb_asked_at__lt=before)
        can_be = Q(tmdb_id__isnull=False) | Q(imdb_id__isnull=False) | Q(year__isnull=False)
        return self.filter(due & can_be, merged_into=None).popular()

    def ordered_by(self, ordering: str) -> "MovieQuerySet":
        """In one of the ``ORDERINGS``; films without the value come last either way."""
        if ordering not in ORDERINGS:
            raise InvalidInput.of("?ordering", f"Films can be ordered by {', '.join(ORDERINGS)}")
        return self.order_by(*ORDERINGS[ordering])

    def search(self, text: str) -> "MovieQuerySet":
        """Films in whose titles and year every word of ``text`` begins a word.

        A whole title comes first, then the beginning of one, then the most rated. A blank text
        leaves the films as they are; one without a letter or digit finds none.
        """
        if not text.strip():
            return self
        words = normalise(text).split()[:MAX_SEARCH_WORDS]
        if not words:
            return self.none()
        found = Q(*(Q(search_title__contains=f" {word}") for word in words))
        return self.filter(found).order_by(_relevance(" ".join(words)), *ORDERINGS["-popularity"])

    def filtered(self, wanted: FilmFilter) -> "MovieQuerySet":
        found = Q()
        for name in wanted.genres:
            found &= Q(_of_genre(name))
        for name in wanted.exclude_genres:
            found &= ~Q(_of_genre(name))
        if wanted.year_min is not None:
            found &= Q(year__gte=wanted.year_min)
        if wanted.year_max is not None:
            found &= Q(year__lte=wanted.year_max)
        if wanted.language:
            found &= Q(language=wanted.language.lower())
        return self.filter(found)

    def with_card(self) -> "MovieQuerySet":
        """With all that a card shows: one more query for the genres, however many films."""
        links = apps.get_model("catalog", "MovieGenre").objects.select_related("genre")
        return self.defer("overview", "search_title").prefetch_related(
            Prefetch("moviegenre_set", queryset=links.order_by("movie_id", "position"))
        )


def _of_genre(name: str) -> Exists:
    links: QuerySet[Any] = apps.get_model("catalog", "MovieGenre").objects.all()
    return Exists(links.filter(movie_id=OuterRef("pk"), genre__name__iexact=name))


def _relevance(text: str) -> Case:
    """0 for a whole title, 1 for the beginning of one, 2 for the rest; a closing year may be left out."""
    match = _CLOSING_YEAR.fullmatch(text)
    texts = [text, match["title"]] if match else [text]
    whole = Q(*(Q(search_title__contains=f"| {one} |") for one in texts), _connector=Q.OR)
    begun = Q(*(Q(search_title__contains=f"| {one}") for one in texts), _connector=Q.OR)
    return Case(
        When(whole, then=Value(0)),
        When(begun, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
