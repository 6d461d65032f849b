"""Whom a list of films is for."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apps.accounts.models import User
from apps.accounts.units import Unit
from apps.events.models import Surface
from apps.recommendations.slates import SlateRequest


@dataclass(frozen=True)
class Audience:
    """``viewer`` is None for somebody who has no row: nothing is known of their taste.

    ``unit`` is the viewer's own, also when a program acts for them.
    """

    viewer: User | None
    unit: Unit
    timezone: ZoneInfo | None

    def request(self, surface: Surface, n: int) -> SlateRequest:
        """For ``n`` films without a wish; ``dataclasses.replace`` adds wishes."""
        return SlateRequest(
            viewer=self.viewer,
            unit_key=self.unit.key,
            counted=self.unit.counted,
            surface=surface,
            n=n,
            timezone=self.timezone,
        )
