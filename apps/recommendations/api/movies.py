"""``/movies``: the catalogue, read by anybody and kept by programs and staff."""

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.accounts.acting import caller_of
from apps.accounts.models import ApiKey, User
from apps.accounts.permissions import Holds, Visitor
from apps.catalog.filters import FIRST_YEAR, LAST_YEAR, MAX_GENRE_NAME, MAX_GENRES, FilmFilter, genre_names
from apps.catalog.models import Genre, Movie
from apps.catalog.posters import tmdb_poster
from apps.catalog.querysets import ORDERINGS
from apps.catalog.services import create_movie, update_movie
from apps.core.api.bodies import validated_body
from apps.core.api.fields import FloatField, IntegerField
from apps.core.api.pagination import BoundedPagination, PageQuery
from apps.core.api.queries import QuerySerializer, validated_query
from apps.core.api.serializers import StrictSerializer
from apps.core.errors import InvalidInput, NotFound
from apps.recommendations.api.genres import unknown_genre
from apps.recommendations.api.shapes import MovieDetailShape, MovieShape
from apps.recommendations.own import own_state

ADD = Holds("catalog.add_movie", scope=ApiKey.Scope.CATALOG_WRITE)
CHANGE = Holds("catalog.change_movie", scope=ApiKey.Scope.CATALOG_WRITE)


class GenresField(serializers.CharField):
    """Names of genres, comma-separated."""

    def to_internal_value(self, data: Any) -> tuple[str, ...]:  # type: ignore[override] # a query's text
        names = genre_names([super().to_internal_value(data)])
        if len(names) > MAX_GENRES:
            raise serializers.ValidationError(f"At most {MAX_GENRES} genres can be given.")
        if any(len(name) > MAX_GENRE_NAME for name in names):
            raise serializers.ValidationError(f"A genre's name has at most {MAX_GENRE_NAME} characters.")
        return names


class MovieQuery(PageQuery):
    search = serializers.CharField(required=False, max_length=200, allow_blank=True, default="")
    genre = GenresField(required=False, help_text="Names, comma-separated: films of all of them")
    exclude_genre = GenresField(required=False, help_text="Names, comma-separated: films of none of them")
    year_min = IntegerField(required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR)
    year_max = IntegerField(required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR)
    language = serializers.RegexField(r"\A[A-Za-z]{2,8}\Z", required=False)
    ordering = serializers.ChoiceField(choices=list(ORDERINGS), required=False)


class NoQuery(QuerySerializer):
    """No parameters."""


class MovieBody(StrictSerializer):
    title = serializers.CharField(max_length=300)
    original_title = serializers.CharField(max_length=300, required=False, allow_blank=True)
    year = IntegerField(min_value=1800, max_value=2200, required=False, allow_null=True)
    overview = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    language = serializers.RegexField(r"\A[a-z]{2,8}\Z", required=False, allow_blank=True)
    runtime = IntegerField(min_value=1, max_value=2000, required=False, allow_null=True)
    genres = serializers.ListField(child=serializers.CharField(max_length=60), max_length=20, required=False)
    tmdb_id = IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)
    imdb_id = serializers.RegexField(r"\Att[0-9]{7,10}\Z", required=False, allow_null=True)
    movielens_id = IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)
    tmdb_vote_average = FloatField(min_value=0, max_value=10, required=False, allow_null=True)
    tmdb_vote_count = IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)
    is_available = serializers.BooleanField(required=False)


class MoviesView(APIView):
    """Films by search and filters; POST adds one."""

    pagination_class = BoundedPagination

    def get_permissions(self) -> list[Any]:
        return [ADD()] if self.request.method == "POST" else [Visitor()]

    @extend_schema(
        operation_id="movies_list", parameters=[MovieQuery], responses=MovieShape(many=True), tags=["movies"]
    )
    def get(self, request: Request) -> Response:
        query = validated_query(request, MovieQuery)
        _require_genres(query)
        _require_span(query)
        wanted = FilmFilter(
            genres=query.get("genre", ()),
            exclude_genres=query.get("exclude_genre", ()),
            year_min=query.get("year_min"),
            year_max=query.get("year_max"),
            language=query.get("language", ""),
        )
        films = Movie.objects.available().filtered(wanted)
        films = films.popular().search(query["search"])
        if "ordering" in query:
            films = films.ordered_by(query["ordering"])
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(films.with_card(), request, self) or []
        return paginator.get_paginated_response([movie_json(request, movie) for movie in page])

    @extend_schema(
        operation_id="movies_create", request=MovieBody, responses={201: MovieDetailShape}, tags=["movies"]
    )
    def post(self, request: Request) -> Response:
        body = validated_body(request, MovieBody)
        movie = create_movie(by=actor_of(request), **body)
        return Response(_detail(request, movie.pk, with_hidden=True), status=201)


class MovieView(APIView):
    """All that is known of one film, and what it is to the viewer. There is no delete: hide it."""

    def get_permissions(self) -> list[Any]:
        return [CHANGE()] if self.request.method in {"PUT", "PATCH"} else [Visitor()]

    @extend_schema(operation_id="movies_get", responses=MovieDetailShape, tags=["movies"])
    def get(self, request: Request, movie_id: int) -> Response:
        validated_query(request, NoQuery)
        return Response(_detail(request, movie_id, with_hidden=False))

    @extend_schema(
        operation_id="movies_replace", request=MovieBody, responses=MovieDetailShape, tags=["movies"]
    )
    def put(self, request: Request, movie_id: int) -> Response:
        return self._update(request, movie_id, partial=False)

    @extend_schema(
        operation_id="movies_update", request=MovieBody, responses=MovieDetailShape, tags=["movies"]
    )
    def patch(self, request: Request, movie_id: int) -> Response:
        return self._update(request, movie_id, partial=True)

    def _update(self, request: Request, movie_id: int, *, partial: bool) -> Response:
        body = validated_body(request, MovieBody, partial=partial)
        movie = Movie.objects.filter(pk=movie_id).first()
        if movie is None:
            raise NotFound(f"There is no film {movie_id}")
        update_movie(movie=movie, by=actor_of(request), **body)
        return Response(_detail(request, movie_id, with_hidden=True))


def movie_json(request: Request, movie: Movie) -> dict[str, Any]:
    """One film of a list, read ``with_card``. Its address is whole: programs know no page to start from."""
    average = movie.vote_average
    return {
        "id": movie.pk,
        "title": movie.title,
        "year": movie.year,
        "genres": movie.genre_names,
        "vote_average": None if average is None else round(average, 2),
        "vote_count": movie.vote_count,
        "poster_url": tmdb_poster(movie.poster_path) or reverse("poster", args=[movie.pk], request=request),
    }


def _require_genres(query: Mapping[str, Any]) -> None:
    asked = [(name, genre) for name in ("genre", "exclude_genre") for genre in query.get(name, ())]
    if not asked:
        return
    known = {name.casefold() for name in Genre.objects.values_list("name", flat=True)}
    for parameter, genre in asked:
        if genre.casefold() not in known:
            raise unknown_genre(genre, f"?{parameter}")


def _require_span(query: Mapping[str, Any]) -> None:
    first, last = query.get("year_min"), query.get("year_max")
    if first is not None and last is not None and first > last:
        raise InvalidInput.of("?year_min", f"year_min {first} lies after year_max {last}")


def actor_of(request: Request) -> User | ApiKey:
    """Who is named in the audit: the key of a program, else the user."""
    return request.auth if isinstance(request.auth, ApiKey) else cast(User, request.user)


def _detail(request: Request, movie_id: int, *, with_hidden: bool) -> dict[str, Any]:
    films = Movie.objects.all() if with_hidden else Movie.objects.available()
    movie = (
        films.with_card()
        .defer(None)
        .prefetch_related("movieperson_set__person", "moviekeyword_set__keyword")
        .filter(pk=movie_id)
        .first()
    )
    if movie is None:
        survivor = Movie.objects.survivor_of(movie_id)
        merged = f": it was merged into film {survivor}" if survivor is not None else ""
        raise NotFound(f"There is no film {movie_id}{merged}")
    return movie_json(request, movie) | {
        "original_title": movie.original_title,
        "overview": movie.overview,
        "language": movie.language,
        "runtime": movie.runtime,
        "people": [{"name": link.person.name, "role": link.role} for link in movie.movieperson_set.all()],
        "keywords": [link.keyword.name for link in movie.moviekeyword_set.all()],
        "tmdb_id": movie.tmdb_id,
        "imdb_id": movie.imdb_id,
        "movielens_id": movie.movielens_id,
        "is_available": movie.is_available,
        "my": own_state(caller_of(request), movie.pk).as_json(),
    }
