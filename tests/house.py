"""A small house: two kinds of films, people who like one kind each, and a trained model."""

from dataclasses import dataclass

from apps.catalog.models import Movie
from apps.training.services import train
from tests.factories import make_movie, make_rating, make_user

N_OF_A_KIND = 16


@dataclass(frozen=True)
class House:
    horror: list[Movie]
    comedy: list[Movie]


def make_house() -> House:
    numbers = range(N_OF_A_KIND)
    house = House(
        horror=[make_movie(f"Fright {number}", year=1980, genres=["Horror"]) for number in numbers],
        comedy=[make_movie(f"Laugh {number}", year=1990, genres=["Comedy"]) for number in numbers],
    )
    for number in range(12):
        person = make_user(f"movielens-{number}", is_imported=True)
        films = house.horror if number % 2 else house.comedy
        # Each has missed another film, so that no two films have the same raters.
        for seat, film in enumerate(films):
            if (seat + number) % 5:
                make_rating(person, film, 4.0 + (seat + number) % 3 / 2)
    train()
    return house
