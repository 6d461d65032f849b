"""What the catalogue does when two films turn out to be one.

The duplicate keeps its row, its facts and its links, hidden; the kept film gets what it lacked. Only
what names one film alone really moves: external ids that the kept film lacks, and the names that the
knowledge graph has for the duplicate.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.catalog.models import Entity, Movie, MovieGenre, MovieKeyword, MoviePerson
from apps.catalog.services.editing import EXTERNAL_IDS, assign_facts
from apps.catalog.services.genres import set_genres
from apps.catalog.services.tagging import add_keywords
from apps.core.errors import Conflict, InvalidInput

FILLED = ("original_title", "year", "overview", "language", "runtime", "poster_path")
VOTES = ("tmdb_vote_average", "tmdb_vote_count")


@dataclass(frozen=True)
class Absorption:
    """What the kept film lacks and the duplicate has. ``people`` are (person id, role), ``entities`` the
    names of the duplicate in the knowledge graph.
    """

    external_ids: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    genres: list[str] = field(default_factory=list)
    people: list[tuple[int, str]] = field(default_factory=list)
    keywords: dict[str, int] = field(default_factory=dict)
    entities: list[str] = field(default_factory=list)


def require_mergeable(*, duplicate: Movie, kept: Movie) -> None:
    """Raises ``InvalidInput`` for one film twice, ``Conflict`` where a merge would lead nowhere.

    The same two may be merged again: what reached the duplicate meanwhile follows.
    """
    if duplicate.pk == kept.pk:
        raise InvalidInput.of("/kept", "Choose two different films")
    if kept.merged_into_id is not None:
        raise Conflict(f"{kept} was itself merged into film {kept.merged_into_id}: choose that one")
    if not kept.is_available:
        raise Conflict(f"{kept} is hidden: show it before another film is merged into it")
    if duplicate.merged_into_id not in (None, kept.pk):
        raise Conflict(f"{duplicate} was merged into film {duplicate.merged_into_id} already")


def plan_absorption(*, duplicate: Movie, kept: Movie) -> Absorption:
    """Reads what ``absorb`` would give to the kept film; writes nothing."""
    facts = {
        name: getattr(duplicate, name)
        for name in FILLED
        if getattr(duplicate, name) and not getattr(kept, name)
    }
    if kept.tmdb_vote_count is None and duplicate.tmdb_vote_count is not None:
        facts |= {name: getattr(duplicate, name) for name in VOTES}
    return Absorption(
        external_ids={
            name: getattr(duplicate, name)
            for name in EXTERNAL_IDS
            if getattr(duplicate, name) is not None and getattr(kept, name) is None
        },
        facts=facts,
        genres=[name for name in _genres(duplicate) if name not in _genres(kept)],
        people=[credit for credit in _credits(duplicate) if credit not in set(_credits(kept))],
        keywords=_new_keywords(duplicate, kept),
        entities=list(Entity.objects.filter(movie=duplicate).values_list("key", flat=True)),
    )


@transaction.atomic
def absorb(*, duplicate: Movie, kept: Movie) -> Absorption:
    """Gives the kept film what it lacks, hides the duplicate and points it at the kept one.

    Films that were merged into the duplicate before point at the kept one too. Both arguments are
    brought up to date. The caller records the audit.
    """
    ids = sorted({duplicate.pk, kept.pk})
    held = {movie.pk: movie for movie in Movie.objects.select_for_update(no_key=True).filter(pk__in=ids)}
    gone, stays = held[duplicate.pk], held[kept.pk]
    require_mergeable(duplicate=gone, kept=stays)
    plan = plan_absorption(duplicate=gone, kept=stays)
    for name in plan.external_ids:
        setattr(gone, name, None)
    gone.is_available, gone.merged_into = False, stays
    gone.save(update_fields=[*plan.external_ids, "is_available", "merged_into", "updated_at"])
    Movie.objects.filter(merged_into=gone).update(merged_into=stays)
    Entity.objects.filter(movie=gone).update(movie=stays)
    _give(stays, plan)
    duplicate.refresh_from_db()
    kept.refresh_from_db()
    return plan


def _give(kept: Movie, plan: Absorption) -> None:
    values = plan.external_ids | plan.facts
    if values:
        assign_facts(kept, values)
        kept.save(update_fields=[*values, "search_title", "updated_at"])
    if plan.genres:
        set_genres(movie=kept, names=[*_genres(kept), *plan.genres])
    last = MoviePerson.objects.filter(movie=kept).aggregate(last=Max("position"))["last"] or 0
    MoviePerson.objects.bulk_create(
        MoviePerson(movie=kept, person_id=person_id, role=role, position=last + number)
        for number, (person_id, role) in enumerate(plan.people, start=1)
    )
    add_keywords(weights={(kept.pk, name): weight for name, weight in plan.keywords.items()})


def _genres(movie: Movie) -> list[str]:
    links = MovieGenre.objects.filter(movie=movie).order_by("position")
    return [link.genre.name for link in links]


def _credits(movie: Movie) -> list[tuple[int, str]]:
    links = MoviePerson.objects.filter(movie=movie).order_by("role", "position")
    return list(links.values_list("person_id", "role"))


def _new_keywords(duplicate: Movie, kept: Movie) -> dict[str, int]:
    """Those that the kept film lacks or has with less weight."""
    held = dict(MovieKeyword.objects.filter(movie=kept).values_list("keyword__name", "weight"))
    given = MovieKeyword.objects.filter(movie=duplicate).values_list("keyword__name", "weight")
    return {name: weight for name, weight in given if weight > held.get(name, 0)}
