"""Small words for templates."""

import uuid
from dataclasses import dataclass

from django import template

register = template.Library()


@dataclass(frozen=True)
class StarChoice:
    value: float
    text: str
    label: str


def _star_choice(halves: int) -> StarChoice:
    whole, half = divmod(halves, 2)
    count = f"{whole or ''}{'½' if half else ''}"
    return StarChoice(halves / 2, f"{halves / 2:g}", f"{count} {'star' if halves <= 2 else 'stars'}")


STAR_CHOICES = tuple(_star_choice(halves) for halves in range(1, 11))


@register.simple_tag
def star_choices() -> tuple[StarChoice, ...]:
    """Half a star to five."""
    return STAR_CHOICES


@register.simple_tag
def client_id() -> str:
    """A new id for one rendering of one form."""
    return uuid.uuid4().hex


@register.filter
def stars(value: float | None) -> str:
    """``4``, ``3.5`` or ``4.3``: one decimal at most."""
    return "" if value is None else f"{round(value, 1):g}"
