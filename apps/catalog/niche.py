"""Niche: anime, documentaries, and films in another language than the site's."""

from collections.abc import Set as AbstractSet

ANIME = "anime"
ANIMATION = "animation"
DOCUMENTARY = "documentary"
JAPANESE = "ja"


def is_anime(*, genres: AbstractSet[str], keywords: AbstractSet[str], language: str) -> bool:
    """Animation in Japanese, or anything that people call anime. Names in lower case."""
    return (ANIMATION in genres and language == JAPANESE) or ANIME in keywords or ANIME in genres


def is_documentary(*, genres: AbstractSet[str]) -> bool:
    return DOCUMENTARY in genres


def is_foreign(*, language: str, site_language: str) -> bool:
    """An unknown (empty) language is not foreign."""
    return bool(language) and language != site_language


def is_niche(
    *, genres: AbstractSet[str], keywords: AbstractSet[str], language: str, site_language: str
) -> bool:
    return (
        is_anime(genres=genres, keywords=keywords, language=language)
        or is_documentary(genres=genres)
        or is_foreign(language=language, site_language=site_language)
    )
