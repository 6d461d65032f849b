"""Where a film's poster is at TMDB."""

import re

from django.conf import settings

_PATH = re.compile(r"/[A-Za-z0-9_-]+\.(?:jpg|jpeg|png|webp)")


def tmdb_poster(path: str) -> str | None:
    """The address of TMDB's image; None without one, or where the site shows none of another host.

    ``path`` is TMDB's own, such as ``/kXfqcdQKsToO0OUXHcrrNCHDBzO.jpg``; whatever else a source put there
    names no image.
    """
    if not settings.TMDB_IMAGE_URL or not _PATH.fullmatch(path):
        return None
    return f"{settings.TMDB_IMAGE_URL}{path}"
