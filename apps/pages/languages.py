"""Names of languages."""

from django.utils.translation import get_language_info


def language_name(code: str) -> str:
    """In English, from an ISO 639-1 code; the code itself where no name is known."""
    try:
        return str(get_language_info(code.lower())["name"])
    except KeyError:
        return code
