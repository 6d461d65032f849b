"""``manage.py recommend USER [--explain]``: what a viewer would be shown now, and why."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.models import User
from apps.core.errors import InvalidInput, NotFound
from apps.core.management.base import MarqueeCommand
from apps.recommendations.explaining import ExplainedFilm, Explanation, explain
from apps.recommendations.slates import MAX_LENGTH


class Command(MarqueeCommand):
    help = "Shows what a viewer would be recommended now. Nothing is logged: nobody sees these films."

    def add_command_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="a user's id or name")
        parser.add_argument("-n", type=int, default=20, help=f"how many films, 1 to {MAX_LENGTH}")
        parser.add_argument("--explain", action="store_true", help="show the films that led to each")

    def execute_command(self, *, user: str, n: int, explain: bool, **options: Any) -> Mapping[str, object]:
        if not 1 <= n <= MAX_LENGTH:
            raise InvalidInput(f"-n must lie between 1 and {MAX_LENGTH}, not {n}")
        explanation = _explain(_user(user), n)
        if self.quiet:
            return asdict(explanation)
        for line in _lines(explanation, with_led=explain):
            self.stdout.write(line)
        return {
            "strategy": explanation.strategy,
            "model_version": explanation.model_version or "none",
            "history": f"{explanation.history} {'film' if explanation.history == 1 else 'films'}",
            **({"degraded": explanation.degraded} if explanation.degraded else {}),
        }


def _explain(viewer: User, n: int) -> Explanation:
    return explain(viewer, n)


def _user(text: str) -> User:
    named = User.objects.filter(username__iexact=text).first()
    if named is None and text.isascii() and text.isdigit() and len(text) < 19:
        named = User.objects.filter(pk=int(text)).first()
    if named is None:
        raise NotFound(f"There is no user {text!r}; give an id or a user name")
    return named


def _lines(explanation: Explanation, *, with_led: bool) -> Iterator[str]:
    for film in explanation.films:
        stars = "" if film.predicted_rating is None else f", predicted {film.predicted_rating:.1f} stars"
        yield f"{film.position:3}. {film.title} [{film.movie_id}] {film.algorithm} {film.score:.4f}{stars}"
        yield f"     {film.reason}"
        if with_led:
            yield from _led_lines(film)


def _led_lines(film: ExplainedFilm) -> Iterator[str]:
    for led in film.led:
        yield f"     {led.contribution:+.4f}  {led.title} [{led.movie_id}], rated {led.stars:g}"
