"""Rows for tests. Each function makes a valid one and lets the test say what matters to it."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.keys import create_api_key
from apps.accounts.models import ApiKey, User
from apps.catalog.models import Movie
from apps.catalog.services import create_movie
from apps.ratings.imports.previewing import preview_import
from apps.ratings.models import Import, Rating
from apps.ratings.services import set_rating

PASSWORD = "an-Unusual-passphrase-41"

_numbers = itertools.count(1)


def make_user(username: str = "", **values: Any) -> User:
    """An account; its password is ``PASSWORD`` unless ``password`` says otherwise."""
    password = values.pop("password", PASSWORD)
    return User.objects.create_user(username or f"viewer-{next(_numbers)}", password=password, **values)


def make_guest(**values: Any) -> User:
    return make_user(
        values.pop("username", f"guest-{next(_numbers)}"), password=None, is_guest=True, **values
    )


def make_staff(*, permissions: Sequence[str] = (), **values: Any) -> User:
    """A member of staff with permissions such as ``catalog.change_movie``."""
    user = make_user(values.pop("username", f"staff-{next(_numbers)}"), is_staff=True, **values)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def make_api_key(*scopes: str, **values: Any) -> tuple[ApiKey, str]:
    """A key and its text."""
    return create_api_key(
        name=values.get("name", "a program"), scopes=scopes, expires_at=values.get("expires_at"), by=None
    )


def make_movie(title: str = "", *, genres: Sequence[str] = (), **facts: Any) -> Movie:
    """A film; ``facts`` are those of ``catalog.services.create_movie``."""
    return create_movie(by=None, title=title or f"Film {next(_numbers)}", genres=genres, **facts)


def make_rating(
    user: User | None = None, movie: Movie | None = None, value: float = 4.0, *, at: datetime | None = None
) -> Rating:
    """A standing rating, by the service, so that the film counts it."""
    user, movie = user or make_user(), movie or make_movie()
    set_rating(user=user, movie=movie, value=value, at=at or datetime.now(UTC))
    return Rating.objects.get(user=user, movie=movie)


def make_import(user: User | None = None, movie: Movie | None = None, value: float = 4.5) -> Import:
    """A preview of a file with one rating."""
    movie = movie or make_movie(year=1990)
    data = f'Date,Name,Year,Letterboxd URI,Rating\n2026-03-01,"{movie.title}",{movie.year},,{value}\n'
    return preview_file(data.encode(), user=user)


def preview_file(data: bytes, name: str = "ratings.csv", *, user: User | None = None) -> Import:
    """The preview of a file that a viewer sends."""
    file = SimpleUploadedFile(name, data)
    return preview_import(user=user or make_user(), name=name, file=file, address="127.0.0.1")
