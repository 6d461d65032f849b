"""Films of the genres that a viewer watches."""

from dataclasses import dataclass

import numpy as np

from apps.algorithms.arms.parameters import choice, optional_real, real
from apps.algorithms.arms.profiled import ProfiledArm, ProfiledSettings
from apps.algorithms.matrices import unit_rows
from apps.algorithms.types import Float32, Interactions
from apps.algorithms.weights import SIGNALS


@dataclass(frozen=True)
class GenreSettings(ProfiledSettings):
    signal: str = choice("graded", options=SIGNALS)
    half_life: float | None = optional_real(6.0, low=0.5, high=10_000)
    popularity_weight: float = real(2.0, low=0.0, high=100.0)


class Genre(ProfiledArm):
    """Cosine of the viewer's genre profile and a film's genres, plus popularity.

    Hundreds of films share one set of genres; popularity puts them in order.

    Parameters
    ----------
    signal, half_life
        How ratings weigh, see ``apps.algorithms.weights``; half-life 0.5 to 10,000 or None.
    popularity_weight
        0 to 100.
    """

    name = "genre"
    settings_class = GenreSettings
    settings: GenreSettings

    def _vectors(self, interactions: Interactions) -> Float32:
        return unit_rows(interactions.features.genres.toarray().astype(np.float32))
