"""Films to ask a newcomer about: so well known that they can say something, so divisive that it tells
people apart, and of all kinds.

Rashid, Albert, Cosley, Lam, McNee, Konstan, Riedl: "Getting to Know You: Learning New User Preferences
in Recommender Systems", IUI 2002. Popular films alone are liked by everybody and teach little, divisive
ones alone are known by nobody: their product of log popularity and entropy asks for films that are both.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from apps.algorithms.types import Float64
from apps.catalog.models import Movie, MovieGenre
from apps.experiments.policy import current_policy
from apps.training.registry import engine

N_KNOWN = 500
"""How many of the most rated films count as known."""
N_RANKED = 60
"""How far a group is put in order: who has seen none of so many is better served by another group."""
SAME_KIND = 0.8
"""What a film's score is multiplied with for each film before it of its genre, and of its decade."""
UNKNOWN_ENTROPY = 1.0
"""Of a film that the model does not know: in nats, as of one that most people agree on."""


@dataclass(frozen=True)
class StarterGroup:
    """Films that somebody may know who knows one of them; by genre in any catalogue's words, or by year."""

    slug: str
    name: str
    genres: frozenset[str] = frozenset()
    years: range | None = None

    def holds(self, film: "Known") -> bool:
        if self.years is not None:
            return film.year in self.years
        return not self.genres or not self.genres.isdisjoint(film.genres)


def _by_genre(slug: str, name: str, *genres: str) -> StarterGroup:
    return StarterGroup(slug, name, frozenset(genre.casefold() for genre in genres))


GROUPS: Mapping[str, StarterGroup] = {
    group.slug: group
    for group in (
        StarterGroup("mix", "A bit of everything"),
        _by_genre("comedy", "Comedy", "Comedy"),
        _by_genre("action", "Action and adventure", "Action", "Adventure", "Western"),
        _by_genre("fantastic", "Science fiction and fantasy", "Sci-Fi", "Science Fiction", "Fantasy"),
        _by_genre("crime", "Crime and thriller", "Crime", "Thriller", "Mystery", "Film-Noir"),
        _by_genre("drama", "Drama", "Drama", "War", "History"),
        _by_genre("romance", "Romance and musical", "Romance", "Musical", "Music"),
        _by_genre("family", "Animation and family", "Animation", "Children", "Family"),
        _by_genre("horror", "Horror", "Horror"),
        StarterGroup("classics", "Before 1980", years=range(1870, 1980)),
        StarterGroup("eighties", "The 1980s", years=range(1980, 1990)),
        StarterGroup("nineties", "The 1990s", years=range(1990, 2000)),
        StarterGroup("new-century", "Since 2000", years=range(2000, 2200)),
    )
}
MIX = GROUPS["mix"]


@dataclass(frozen=True)
class Known:
    """One of the best known films. ``genres`` are folded; ``genre`` is the one that says most, or None."""

    movie_id: int
    year: int | None
    rating_count: int
    genre: int | None
    genres: frozenset[str]


def known_films() -> list[Known]:
    """The best known first. Two queries."""
    popular = Movie.objects.available().popular()
    rows = list(popular.values_list("pk", "year", "rating_count", "primary_genre_id")[:N_KNOWN])
    genres: dict[int, set[str]] = {movie_id: set() for movie_id, *_ in rows}
    links = MovieGenre.objects.filter(movie_id__in=genres).order_by()
    for movie_id, name in links.values_list("movie_id", "genre__name"):
        genres[movie_id].add(name.casefold())
    return [Known(*row, frozenset(genres[row[0]])) for row in rows]


def groups_of(films: Sequence[Known]) -> list[StarterGroup]:
    """Those that hold any of the films."""
    return [group for group in GROUPS.values() if any(group.holds(film) for film in films)]


def starters(films: Sequence[Known], group: StarterGroup, *, said: Collection[int], n: int) -> list[int]:
    """Ids of the next ``n`` films of the group to ask about, those of ``said`` left out.

    The order is the same for everybody, so that one who comes back goes on where they stopped. Without
    a model popularity alone decides.
    """
    members = [film for film in films if group.holds(film)]
    ranked = _spread(members, _scores(members))
    return [movie_id for movie_id in ranked if movie_id not in said][:n]


def _scores(films: Sequence[Known]) -> Float64:
    """Log popularity times entropy, float64 ``(n_films,)``."""
    counts = np.array([film.rating_count for film in films], dtype=np.float64)
    active = engine(current_policy().recipe)
    if active is None:
        return np.log1p(counts)
    spots = active.items.indices([film.movie_id for film in films])
    entropy = np.where(spots >= 0, active.entropy[spots], UNKNOWN_ENTROPY)
    return np.asarray(np.log1p(counts) * entropy)


def _spread(films: Sequence[Known], scores: Float64) -> list[int]:
    """Ids by score, each taken making others of its genre and of its decade less wanted."""
    genres = np.array([film.genre or 0 for film in films])
    decades = np.array([(film.year or 0) // 10 for film in films])
    left, order = scores + 1e-9, []  # a film that nobody rated comes last, but it comes
    for _ in range(min(len(films), N_RANKED)):
        best = int(left.argmax())
        order.append(films[best].movie_id)
        left = left * np.where(genres == genres[best], SAME_KIND, 1.0)
        left = left * np.where(decades == decades[best], SAME_KIND, 1.0)
        left[best] = -1.0
    return order
