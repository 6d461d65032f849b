"""Films and what is known of them."""

from django.db import models
from django.db.models import Q

from apps.catalog import votes
from apps.catalog.querysets import MovieQuerySet


class Genre(models.Model):
    name = models.CharField(max_length=60, unique=True)

    class Meta:
        db_table = "genres"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    name = models.CharField(max_length=200)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True, unique=True)

    class Meta:
        db_table = "people"
        ordering = ["name"]
        verbose_name_plural = "people"
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    name = models.CharField(max_length=120, unique=True)

    class Meta:
        db_table = "keywords"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Movie(models.Model):
    """One film. Films are hidden (``is_available``), never deleted: the log points at them.

    ``search_title`` is the normalised title and year that ``search`` looks at (``catalog.titles``).
    ``rating_sum`` and ``rating_count`` are kept by ``F()`` with each rating of ours; TMDB's votes
    stay apart from them. ``is_long_tail``, ``is_niche`` and ``primary_genre`` follow from the rest
    of the catalogue and are refreshed nightly. ``original_title`` may hold several, parted by `` / ``.
    ``merged_into`` is the film that this one, hidden, turned out to be.
    """

    title = models.CharField(max_length=300)
    original_title = models.CharField(max_length=300, blank=True)
    search_title = models.CharField(max_length=700, editable=False)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    overview = models.TextField(blank=True)
    language = models.CharField(max_length=8, blank=True, help_text="ISO 639-1, empty when unknown")
    runtime = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Minutes")
    poster_path = models.CharField(max_length=120, blank=True)
    tmdb_id = models.PositiveIntegerField("TMDB id", null=True, blank=True, unique=True)
    imdb_id = models.CharField("IMDb id", max_length=12, null=True, blank=True, unique=True)
    movielens_id = models.PositiveIntegerField("MovieLens id", null=True, blank=True, unique=True)
    tmdb_vote_average = models.FloatField("TMDB vote average", null=True, blank=True, help_text="0 to 10")
    tmdb_vote_count = models.PositiveIntegerField("TMDB vote count", null=True, blank=True)
    tmdb_asked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When TMDB was last asked about the film"
    )
    rating_sum = models.FloatField(default=0, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    primary_genre = models.ForeignKey(
        Genre, null=True, blank=True, on_delete=models.PROTECT, related_name="primary_movies"
    )
    genres = models.ManyToManyField(Genre, related_name="movies", through="MovieGenre")
    people = models.ManyToManyField(Person, related_name="movies", through="MoviePerson")
    keywords = models.ManyToManyField(Keyword, related_name="movies", through="MovieKeyword")
    is_available = models.BooleanField(default=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="duplicates"
    )
    is_long_tail = models.BooleanField(default=False, editable=False)
    is_niche = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MovieQuerySet.as_manager()

    class Meta:
        db_table = "movies"
        ordering = ["id"]
        verbose_name = "film"
        indexes = [
            models.Index(fields=["-rating_count", "id"], name="movies_popular"),
            models.Index(fields=["year", "id"], name="movies_year"),
            models.Index(fields=["id"], condition=Q(is_available=False), name="movies_hidden"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(is_available=False), name="movies_merged_are_hidden"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def mean_stars(self) -> float | None:
        """Of this site's own ratings; None without any."""
        return self.rating_sum / self.rating_count if self.rating_count else None

    @property
    def vote_average(self) -> float | None:
        """0 to 10, as ``catalog.votes`` says; None without votes."""
        return votes.vote_average(
            (self.tmdb_vote_average, self.tmdb_vote_count), self.rating_sum, self.rating_count
        )

    @property
    def vote_count(self) -> int:
        """How many votes ``vote_average`` rests on."""
        return votes.vote_count((self.tmdb_vote_average, self.tmdb_vote_count), self.rating_count)

    @property
    def genre_names(self) -> list[str]:
        """In the order of the source. No query on films that were read ``with_card``."""
        return [link.genre.name for link in self.moviegenre_set.all()]


class MovieGenreManager(models.Manager["MovieGenre"]):
    """A link is read for its genre's name, so the genre comes with it."""

    def get_queryset(self) -> models.QuerySet["MovieGenre"]:
        return super().get_queryset().select_related("genre")


class MovieGenre(models.Model):
    """``position`` is the order of the source, from 0."""

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    genre = models.ForeignKey(Genre, on_delete=models.PROTECT)
    position = models.PositiveSmallIntegerField(default=0)

    objects = MovieGenreManager()

    class Meta:
        db_table = "movie_genres"
        ordering = ["movie_id", "position"]
        constraints = [models.UniqueConstraint(fields=["movie", "genre"], name="movie_genres_once")]

    def __str__(self) -> str:
        return f"{self.movie_id}:{self.genre_id}"


class MoviePerson(models.Model):
    class Role(models.TextChoices):
        DIRECTOR = "director"
        WRITER = "writer"
        CAST = "cast"

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    role = models.CharField(max_length=12, choices=Role.choices)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "movie_people"
        ordering = ["movie_id", "role", "position"]
        constraints = [models.UniqueConstraint(fields=["movie", "person", "role"], name="movie_people_once")]

    def __str__(self) -> str:
        return f"{self.movie_id}:{self.role}:{self.person_id}"


class MovieKeyword(models.Model):
    """``weight`` is how many people gave the tag; 1 for a keyword of the catalogue itself."""

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE)
    keyword = models.ForeignKey(Keyword, on_delete=models.PROTECT)
    weight = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "movie_keywords"
        ordering = ["movie_id", "-weight", "keyword_id"]
        constraints = [models.UniqueConstraint(fields=["movie", "keyword"], name="movie_keywords_once")]

    def __str__(self) -> str:
        return f"{self.movie_id}:{self.keyword_id}"


class Entity(models.Model):
    """A thing as a source names it: ``ml-100k:246``, ``freebase:m.0dtfn``, ``country:US``.

    ``movie`` says which film of ours it is. ``name`` is empty while no source gave one, ``kind``
    while nothing told what it is; else it is one of ``catalog.graph.KINDS``.
    """

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=200, blank=True)
    movie = models.ForeignKey(Movie, null=True, blank=True, on_delete=models.CASCADE, related_name="entities")

    class Meta:
        db_table = "entities"
        ordering = ["key"]
        verbose_name_plural = "entities"

    def __str__(self) -> str:
        return self.name or self.key


class Triple(models.Model):
    """One edge of the knowledge graph: ``head`` (mostly a film) has ``tail`` as its ``relation``."""

    # No index of its own: the unique constraint begins with the head.
    head = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="triples", db_index=False)
    relation = models.CharField(max_length=80)
    tail = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="triples_in")

    class Meta:
        db_table = "triples"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["head", "relation", "tail"], name="triples_once")]

    def __str__(self) -> str:
        return f"{self.head_id} {self.relation} {self.tail_id}"
