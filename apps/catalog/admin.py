"""Keeping the catalogue. Nothing is deleted here: the log points at films, films at the rest."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from apps.accounts.models import User
from apps.catalog.models import Genre, Keyword, Movie, MovieKeyword, MoviePerson, Person
from apps.catalog.querysets import MovieQuerySet
from apps.catalog.services import create_movie, update_movie
from apps.catalog.votes import VOTE_AVERAGE
from apps.core.errors import ApplicationError
from apps.core.services import record_audit


class MovieForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    """Genres beside the columns; the order that the film's genres have is kept."""

    genre_choice = forms.ModelMultipleChoiceField(
        Genre.objects.all(), required=False, label="Genres", widget=UnfoldAdminSelectMultipleWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "genre_choice" in self.fields and self.instance.pk:
            self.fields["genre_choice"].initial = list(self.instance.genres.all())

    def chosen_genres(self) -> list[str]:
        held = self.instance.genre_names if self.instance.pk else []
        chosen = [genre.name for genre in self.cleaned_data["genre_choice"]]
        return [name for name in held if name in chosen] + [name for name in chosen if name not in held]


class _ReadOnlyInline(TabularInline):  # type: ignore[misc] # unfold ships no types
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PeopleInline(_ReadOnlyInline):
    model = MoviePerson
    fields = ["person", "role", "position"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("person")
        return rows


class KeywordsInline(_ReadOnlyInline):
    model = MovieKeyword
    fields = ["keyword", "weight"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("keyword")
        return rows


class _Kept(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """Changed, with an entry in the audit, but never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        verb = "update" if change else "create"
        record_audit(
            f"catalog.{verb}_{obj._meta.model_name}",
            by=_actor(request),
            target=obj,
            before={name: form.initial.get(name) for name in form.changed_data} if change else {},
            after={name: form.cleaned_data[name] for name in form.changed_data},
        )


@admin.register(Movie)
class MovieAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    form = MovieForm
    list_display = [
        "title",
        "year",
        "primary_genre",
        "average",
        "rating_count",
        "is_available",
        "is_long_tail",
        "is_niche",
    ]
    list_filter = ["is_available", "is_long_tail", "is_niche", "primary_genre", "language"]
    list_select_related = ["primary_genre"]
    # get_search_results looks at search_title; the names here only say that there is a search.
    search_fields = ["search_title"]
    search_help_text = "Beginnings of words of the titles, and the year"
    ordering = ["-rating_count", "id"]
    show_full_result_count = False
    actions = ["hide", "show"]
    inlines = [PeopleInline, KeywordsInline]
    readonly_fields = [
        "rating_sum",
        "rating_count",
        "primary_genre",
        "is_long_tail",
        "is_niche",
        "search_title",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["title", "original_title", "year", "genre_choice", "is_available"]}),
        ("About", {"fields": ["overview", "language", "runtime", "poster_path"]}),
        ("Elsewhere", {"fields": ["tmdb_id", "imdb_id", "movielens_id"]}),
        ("Votes on TMDB", {"fields": ["tmdb_vote_average", "tmdb_vote_count"]}),
        ("Worked out", {"fields": readonly_fields}),
    ]

    @display(description="Vote average", ordering=VOTE_AVERAGE)  # type: ignore[untyped-decorator] # unfold ships no types
    def average(self, movie: Movie) -> str:
        return "–" if movie.vote_average is None else f"{movie.vote_average:.1f}"

    def get_search_results(
        self, request: HttpRequest, queryset: MovieQuerySet, search_term: str
    ) -> tuple[MovieQuerySet, bool]:
        return queryset.search(search_term), False

    def has_delete_permission(self, request: HttpRequest, obj: Movie | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Movie, form: MovieForm, change: bool) -> None:
        facts: dict[str, Any] = {
            name: form.cleaned_data[name] for name in form.changed_data if name != "genre_choice"
        }
        if "genre_choice" in form.changed_data:
            facts["genres"] = form.chosen_genres()
        if change:
            update_movie(movie=obj, by=_actor(request), **facts)
        else:
            obj.pk = create_movie(by=_actor(request), **facts).pk

    @action(description="Hide the selected films everywhere", permissions=["change"])  # type: ignore[untyped-decorator] # unfold ships no types
    def hide(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        self._set_available(request, queryset, is_available=False)

    @action(description="Show the selected films again", permissions=["change"])  # type: ignore[untyped-decorator] # unfold ships no types
    def show(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        self._set_available(request, queryset, is_available=True)

    def _set_available(self, request: HttpRequest, queryset: QuerySet[Movie], *, is_available: bool) -> None:
        changed = 0
        for movie in queryset.exclude(is_available=is_available):
            try:
                update_movie(movie=movie, by=_actor(request), is_available=is_available)
            except ApplicationError as refusal:
                messages.error(request, refusal.detail)
            else:
                changed += 1
        messages.success(request, f"{changed} films {'shown' if is_available else 'hidden'}")


@admin.register(Genre)
class GenreAdmin(_Kept):
    list_display = ["name", "films"]
    ordering = ["name"]  # counting drops the order of the model
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Genre]:
        rows: QuerySet[Genre] = super().get_queryset(request).annotate(n_films=Count("moviegenre"))
        return rows

    @display(ordering="n_films")  # type: ignore[untyped-decorator] # unfold ships no types
    def films(self, genre: Any) -> int:
        return int(genre.n_films)


@admin.register(Person)
class PersonAdmin(_Kept):
    list_display = ["name", "tmdb_id"]
    search_fields = ["name", "=tmdb_id"]
    show_full_result_count = False


@admin.register(Keyword)
class KeywordAdmin(_Kept):
    list_display = ["name"]
    search_fields = ["name"]
    show_full_result_count = False


def _actor(request: HttpRequest) -> User:
    """Whoever is in the admin: it lets nobody else in."""
    if not isinstance(request.user, User):
        raise TypeError("the admin serves signed-in staff only")
    return request.user
