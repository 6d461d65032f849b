"""Posters drawn from what the catalogue knows of a film: no picture is fetched from anywhere."""

from apps.pages.posters.design import Poster, design_poster

__all__ = ["Poster", "design_poster"]
