"""A small house: two kinds of films, people who like one kind each, and a trained model."""

import time
from dataclasses import dataclass

from apps.accounts.models import User
from apps.bandits.beliefs import forget_bandits
from apps.catalog.models import Genre, Movie
from apps.catalog.services.editing import assign_facts
from apps.catalog.services.genres import give_genres
from apps.experiments.models import ServingPolicy
from apps.experiments.policy import forget_policy
from apps.ratings.importing.ratings import load_ratings
from apps.ratings.importing.records import RatingLine
from apps.training.services import train

N_OF_A_KIND = 16
N_PEOPLE = 12
SOURCE = "house"


@dataclass(frozen=True)
class House:
    horror: list[Movie]
    comedy: list[Movie]


def somebody_of_the_house() -> User:
    """Whose ratings trained the model: who liked horror alone."""
    return User.objects.get(username=f"ml-{SOURCE}-1")


def make_films(title: str, year: int, genre: str) -> list[Movie]:
    """As ``create_movie`` makes them, all at once."""
    films = [Movie() for _ in range(N_OF_A_KIND)]
    for number, film in enumerate(films):
        assign_facts(film, {"title": f"{title} {number}", "year": year})
    Movie.objects.bulk_create(films)
    give_genres(names={film.pk: [genre] for film in films})
    made = Movie.objects.filter(pk__in=[film.pk for film in films])
    made.update(primary_genre=Genre.objects.get(name=genre))
    return list(made.order_by("pk"))


def make_house() -> House:
    house = House(horror=make_films("Fright", 1980, "Horror"), comedy=make_films("Laugh", 1990, "Comedy"))
    now = int(time.time())
    # Each has missed another film, so that no two films have the same raters.
    lines = [
        RatingLine(0, person, film.pk, 4.0 + (seat + person) % 3 / 2, now)
        for person in range(N_PEOPLE)
        for seat, film in enumerate(house.horror if person % 2 else house.comedy)
        if (seat + person) % 5
    ]
    films = house.horror + house.comedy
    # As the importers do it: a film at a time takes ten times as long.
    load_ratings(SOURCE, lines, movie_ids={film.pk: film.pk for film in films})
    counted = Movie.objects.in_bulk([film.pk for film in films])
    house = House(*([counted[film.pk] for film in kind] for kind in (house.horror, house.comedy)))
    # The arms' own order: of two kinds of films a diverse list holds both.
    own_order = {"policy": "fixed", "arms": {"hybrid": 1.0}, "diversity": 0.0}
    # The row that a migration makes is gone where a test before emptied the tables.
    ServingPolicy.objects.update_or_create(
        pk=ServingPolicy.SINGLETON, defaults={"strategy": own_order, "recipe": "standard"}
    )
    forget_policy()
    forget_bandits()
    train()
    return house
