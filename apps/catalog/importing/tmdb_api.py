"""TMDB's API, version 3: what is asked, how fast, and how patiently."""

import http.client
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from apps.core.errors import InvalidInput, Unavailable
from apps.core.json import decode

TIMEOUT_SECONDS = 20
MAX_ANSWER_BYTES = 8 * 2**20
MAX_TRIES = 4
MAX_WAIT_SECONDS = 120
"""Longer than TMDB ever asked anybody to wait; whoever is told so is better off to come back later."""
_FIRST_PAUSE_SECONDS = 0.5


class TmdbFailure(Exception):
    """One request that TMDB did not answer, after all tries."""


class TmdbApi:
    """One kept connection. Not for use by several threads.

    ``key`` is a v3 key, or the longer token that TMDB calls read access token. Neither is ever part
    of an error's text.
    """

    def __init__(
        self, url: str, key: str, *, per_second: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(f"TMDB_API_URL must begin with https://, not {url!r}")
        if not key:
            raise InvalidInput(
                "TMDB_API_KEY is not set: TMDB gives one to every account, under Settings, API"
            )
        self.requests = 0
        self._key = key
        self._path = parts.path.rstrip("/")
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.netloc, timeout=TIMEOUT_SECONDS)
        self._gap = 1 / per_second
        self._next = 0.0
        self._sleep = sleep

    def close(self) -> None:
        self._connection.close()

    def film(self, tmdb_id: int, *, language: str) -> dict[str, Any] | None:
        """All about a film, with ``credits`` and ``keywords``; None when TMDB has no such film."""
        return self._get(f"/movie/{tmdb_id}", append_to_response="credits,keywords", language=language)

    def films_by_imdb_id(self, imdb_id: str) -> list[Any]:
        found = self._get(f"/find/{quote(imdb_id, safe='')}", external_source="imdb_id")
        return _list(found, "movie_results")

    def search(self, title: str, year: int) -> list[Any]:
        """The first page of films of about that title, released anywhere in that year."""
        return _list(self._get("/search/movie", query=title, year=str(year)), "results")

    def _get(self, path: str, **parameters: str) -> dict[str, Any] | None:
        """The answer, or None for 404. Waits and asks again while TMDB is busy or away."""
        pause, reason = _FIRST_PAUSE_SECONDS, ""
        for _ in range(MAX_TRIES):
            try:
                status, retry_after, body = self._ask(path, parameters)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                reason = f"{type(error).__name__}: {error}"
            else:
                if status not in {429, 500, 502, 503, 504}:
                    return _answer(status, body)
                reason = f"status {status}"
                pause = max(pause, _seconds(retry_after))
            if pause > MAX_WAIT_SECONDS:
                raise Unavailable(f"TMDB asks to come back in {round(pause)} seconds; what was done is kept")
            self._sleep(pause)
            pause = _FIRST_PAUSE_SECONDS if reason == "status 429" else pause * 2
        raise TmdbFailure(f"no answer after {MAX_TRIES} tries ({reason})")

    def _ask(self, path: str, parameters: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, ``Retry-After`` and body of one request, not sooner than the rate allows."""
        self._sleep(max(self._next - time.monotonic(), 0))
        self._next = time.monotonic() + self._gap
        self.requests += 1
        headers = {"Accept": "application/json", "User-Agent": "Marquee"}
        # A read access token is a JWT, which has dots; a key has none.
        if "." in self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        else:
            parameters = {**parameters, "api_key": self._key}
        self._connection.request("GET", f"{self._path}{path}?{urlencode(parameters)}", headers=headers)
        answer = self._connection.getresponse()
        body = answer.read(MAX_ANSWER_BYTES + 1)
        if answer.will_close or len(body) > MAX_ANSWER_BYTES:
            self._connection.close()
        return answer.status, answer.headers.get("Retry-After", ""), body


def _answer(status: int, body: bytes) -> dict[str, Any] | None:
    if status == 404:
        return None
    if status in {401, 403}:
        raise Unavailable("TMDB refuses the key in TMDB_API_KEY")
    if status != 200:
        raise TmdbFailure(f"status {status}")
    try:
        value = decode(body, takes_repeats=True)
    except InvalidInput:
        raise TmdbFailure("an answer that is no JSON") from None
    if not isinstance(value, dict):
        raise TmdbFailure("an answer that is no object")
    return value


def _list(answer: dict[str, Any] | None, name: str) -> list[Any]:
    found = (answer or {}).get(name)
    return found if isinstance(found, list) else []


def _seconds(retry_after: str) -> float:
    """``Retry-After`` in seconds; 0 for none, or for one that cannot be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0)
    except (ValueError, TypeError):
        return 0.0
