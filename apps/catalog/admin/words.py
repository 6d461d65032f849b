"""What films are described with: genres, people, keywords."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from apps.catalog.models import Genre, Keyword, Movie, MovieKeyword, MoviePerson, Person
from apps.core.admin import AuditedAdmin, Link, list_link, offer_links
from apps.core.admin.columns import column
from apps.core.admin.links import LinkMaker


class _Kept(AuditedAdmin):
    """Changed, with an entry in the audit, but never deleted."""

    group = "Catalogue"
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _films_of(links: type[Model], relation: str) -> Coalesce:
    """How many films a row has, counted for the rows of the page alone."""
    own = links._default_manager.filter(**{relation: OuterRef("pk")}).order_by().values(relation)
    return Coalesce(Subquery(own.annotate(n=Count("movie_id", distinct=True)).values("n")), 0)


@admin.register(Genre)
class GenreAdmin(_Kept):
    icon, rank = "category", 11
    about = "A film's rarest genre is its primary one, which lists are balanced by."
    empty = "Loading films makes their genres; so does giving a film a new one."
    list_display = ["name", "films"]
    ordering = ["name"]  # counting drops the order of the model
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        rows: QuerySet[Genre] = super().get_queryset(request).annotate(n_films=Count("moviegenre"))
        return rows

    @column("Films", ordering="n_films")
    def films(self, genre: Any) -> int:
        return int(genre.n_films)


@admin.register(Person)
class PersonAdmin(_Kept):
    icon, rank = "person", 12
    about = "Who made the films, and who plays in them."
    empty = "Loading TMDB's credits brings people; add one to name somebody by hand."
    list_display = ["name", "films", "tmdb_id"]
    search_fields = ["name", "=tmdb_id"]
    search_help_text = "Part of a name, or the TMDB id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        rows: QuerySet[Person] = super().get_queryset(request)
        return rows.annotate(n_films=_films_of(MoviePerson, "person"))

    @column("Films")
    def films(self, person: Any) -> int:
        return int(person.n_films)


@admin.register(Keyword)
class KeywordAdmin(_Kept):
    icon, rank = "sell", 13
    about = "What films are about: keywords of TMDB and tags that people gave."
    empty = "Loading tags or TMDB's keywords brings them."
    list_display = ["name", "films"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Keyword]:
        rows: QuerySet[Keyword] = super().get_queryset(request)
        return rows.annotate(n_films=_films_of(MovieKeyword, "keyword"))

    @column("Films")
    def films(self, keyword: Any) -> int:
        return int(keyword.n_films)


def _films_with(lookup: str) -> LinkMaker:
    def link(request: HttpRequest, row: Any) -> Link | None:
        return list_link(request, Movie, f"Films with {row.name}", **{lookup: row.pk})

    return link


offer_links(Genre, _films_with("genres__id__exact"))
offer_links(Person, _films_with("people__id__exact"))
