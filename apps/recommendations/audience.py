"""Whom a list of films is for."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apps.accounts.models import User
from apps.accounts.units import Unit
from apps.events.models import Surface
from apps.experiments.services import Assignment, assign
from apps.recommendations.slates import SlateRequest
from apps.recommendations.viewer import attributes_of, read_viewer


@dataclass(frozen=True)
class Audience:
    """``viewer`` is None for somebody who has no row: nothing is known of their taste.

    ``unit`` is the viewer's own, also when a program acts for them. ``language`` is what the request asks
    for, such as ``en``.
    """

    viewer: User | None
    unit: Unit
    timezone: ZoneInfo | None
    language: str = ""

    def request(self, surface: Surface, n: int) -> SlateRequest:
        """For ``n`` films without a wish; ``dataclasses.replace`` adds wishes."""
        return SlateRequest(
            viewer=self.viewer,
            unit_key=self.unit.key,
            counted=self.unit.counted,
            surface=surface,
            n=n,
            timezone=self.timezone,
            language=self.language,
        )

    def assignment(self) -> Assignment:
        """What serves them. One query, none without a unit."""
        if self.unit.key is None:
            return assign(None)
        state = read_viewer(self.viewer, self.unit.key)
        return assign(self.unit.key, attributes_of(self.viewer, state, language=self.language))
