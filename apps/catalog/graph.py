"""The words of the knowledge graph: what things there are, and how they belong together."""

from dataclasses import dataclass

FILM, PERSON, GENRE, KEYWORD = "film", "person", "genre", "keyword"
LANGUAGE, COUNTRY, SERIES, COMPANY = "language", "country", "series", "company"
AWARD, CERTIFICATE = "award", "certificate"
KINDS = frozenset({FILM, PERSON, GENRE, KEYWORD, LANGUAGE, COUNTRY, SERIES, COMPANY, AWARD, CERTIFICATE})


@dataclass(frozen=True)
class Relation:
    """``name`` is ours; a film is at the head, a thing of ``kind`` at the tail.

    ``is_inverse`` when the source has them the other way round.
    """

    name: str
    kind: str
    is_inverse: bool = False


_FILM_TO = {
    "film.film.directed_by": ("director", PERSON),
    "film.film.written_by": ("writer", PERSON),
    "film.film.actor": ("cast", PERSON),
    "film.film.starring": ("cast", PERSON),
    "film.film.produced_by": ("producer", PERSON),
    "film.film.cinematography": ("cinematographer", PERSON),
    "film.film.edited_by": ("editor", PERSON),
    "film.film.music": ("composer", PERSON),
    "film.film.genre": ("genre", GENRE),
    "film.film.subjects": ("keyword", KEYWORD),
    "film.film.language": ("language", LANGUAGE),
    "film.film.country": ("country", COUNTRY),
    "film.film.film_series": ("series", SERIES),
    "film.film.production_companies": ("company", COMPANY),
    "film.film.award_nomination": ("nominated for", AWARD),
    "film.film.award_won": ("won", AWARD),
    "film.film.rating": ("certificate", CERTIFICATE),
    "film.film.sequel": ("sequel", FILM),
}
_TO_FILM = {
    "film.director.film": "film.film.directed_by",
    "film.writer.film": "film.film.written_by",
    "film.actor.film": "film.film.actor",
    "film.producer.film": "film.film.produced_by",
    "film.cinematographer.film": "film.film.cinematography",
    "film.editor.film": "film.film.edited_by",
    "film.music_contributor.film": "film.film.music",
    "film.film_genre.films_in_this_genre": "film.film.genre",
    "film.film_subject.films": "film.film.subjects",
    "film.film_series.films_in_series": "film.film.film_series",
    "film.production_company.films": "film.film.production_companies",
    "film.content_rating.film": "film.film.rating",
    "film.film.prequel": "film.film.sequel",
}


SEQUEL = "sequel"
RELATIONS = (*dict.fromkeys(name for name, _ in _FILM_TO.values()),)
"""Our words for what a film has in the graph."""
TOLD = ("director", "writer", "cast", GENRE, KEYWORD)
"""Relations whose named things films are given as people, genres and keywords of their own."""


def relation_of(name: str) -> Relation | None:
    """What a relation of Freebase's film domain says in our words; None for an unknown one."""
    known = _FILM_TO.get(_TO_FILM.get(name, name))
    return Relation(*known, is_inverse=name in _TO_FILM) if known else None
