"""Titles as people write them, and as a search reads them. Knows no Django."""

import re
import unicodedata
from dataclasses import dataclass

MAX_TITLE = 300
MAX_SEARCH_TITLE = 700

_ARTICLES = frozenset(
    "the a an "  # English
    "le la les l' un une "  # French
    "der die das ein eine "  # German
    "el los las lo una "  # Spanish
    "il gli i uno "  # Italian
    "de het een "  # Dutch
    "det den en ett et "  # Danish, Norwegian, Swedish
    "o os as um uma".split()  # Portuguese
)
_LEADING_ARTICLE = re.compile(r"(?:the|a|an|le|la|les|l|der|die|das|el|los|las|il) (?=.)")
# At the end, or before a subtitle: "Librarian, The: The Curse of the Judas Chalice".
_TRAILING_ARTICLE = re.compile(
    r"(?P<rest>.+), (?P<article>[A-Z][a-z]{0,3}['’]?)(?P<subtitle>: .+)?", re.DOTALL
)
_YEAR = re.compile(r"(?P<title>.*\S)\s*\((?P<year>[0-9]{4})(?:[–-][0-9]{0,4})?\)", re.DOTALL)
_ALSO_KNOWN_AS = re.compile(r"(?:a\.k\.a\.?|aka)\s+", re.IGNORECASE)
# "(Part 1 of …)" is part of the name, not another name.
_PART = re.compile(r"(?:part|vol|volume|episode|chapter)\b", re.IGNORECASE)
_FRACTION = re.compile("[¼-¾⅐-⅞]")
_CONTRACTION = re.compile(r"['’](?=(?:s|t|d|m|re|ll|ve)(?![^\W_]))", re.IGNORECASE)
_LIGATURES = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ħ": "h",
        "&": " and ",
    }
)
_YEARS = range(1870, 2101)


@dataclass(frozen=True)
class Title:
    """``original`` holds the original and the other titles, parted by `` / ``; empty if there is none."""

    title: str
    original: str = ""


def split_year(text: str) -> tuple[str, int | None]:
    """ "Heat (1995)" as title and year. None when there is no year between 1870 and 2100."""
    match = _YEAR.fullmatch(text.strip())
    if match is None or int(match["year"]) not in _YEARS:
        return text.strip(), None
    return match["title"], int(match["year"])


def display_title(text: str) -> Title:
    """The title as people write it: the article first, bracketed other titles apart.

    "6th Man, The (Sixth Man, The)" becomes "The 6th Man", original "The Sixth Man".
    """
    rest = text.strip()
    alternatives: list[str] = []
    while (parts := _split_last_bracket(rest)) is not None:
        rest, bracket = parts
        alternatives.insert(0, _article_first(_ALSO_KNOWN_AS.sub("", bracket, count=1)))
    title = _article_first(rest)
    others = [other for other in dict.fromkeys(alternatives) if other and other != title]
    return Title(title[:MAX_TITLE], " / ".join(others)[:MAX_TITLE])


def normalise(text: str) -> str:
    """Words in lower case parted by single spaces: no accents, ligatures or punctuation.

    An apostrophe parts words ("d'Amélie") except before an English ending ("Ocean's", "don't").
    """
    lowered = _FRACTION.sub(r" \g<0>", _CONTRACTION.sub("", text)).casefold()
    # Decomposing can bring up capitals, and lower case can bring up marks: hence twice.
    lowered = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", lowered).casefold())
    plain = "".join(sign for sign in lowered if unicodedata.category(sign) != "Mn")
    kept = (sign if _is_of_word(sign) else " " for sign in plain.translate(_LIGATURES))
    return " ".join("".join(kept).split())


def search_title(title: str, original_title: str = "", year: int | None = None) -> str:
    """What a search looks at: `` 1999 | the matrix | matrix |``.

    Every word has a space before it, so that a word's beginning is found as ``" " + word``; every
    title (but not the year) stands between bars, so that a whole title is ``"| " + title + " |"``
    and the beginning of one ``"| " + text``. LIKE finds these alike in every database.
    """
    names = [normalise(title), *(normalise(name) for name in original_title.split(" / "))]
    bare = [_LEADING_ARTICLE.sub("", name, count=1) if _LEADING_ARTICLE.match(name) else "" for name in names]
    parts = [*names[:1], *bare[:1], *names[1:], *bare[1:]]
    known = [part for part in dict.fromkeys(parts) if part]
    start = f" {year} | " if year else "| "
    return (start + " | ".join(known))[: MAX_SEARCH_TITLE - 2] + " |"


def _is_of_word(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign) == "Mc"


def _article_first(text: str) -> str:
    match = _TRAILING_ARTICLE.fullmatch(text.strip())
    if match is None or match["article"].replace("’", "'").lower() not in _ARTICLES:
        return text.strip()
    gap = "" if match["article"].endswith(("'", "’")) else " "
    return f"{match['article']}{gap}{match['rest']}{match['subtitle'] or ''}"


def _split_last_bracket(text: str) -> tuple[str, str] | None:
    """The text before a closing bracketed group, and what is in the group; None without one."""
    text = text.rstrip()
    if not text.endswith(")"):
        return None
    depth = 0
    for start in range(len(text) - 1, 0, -1):
        depth += (text[start] == ")") - (text[start] == "(")
        if depth == 0:
            before, inside = text[:start], text[start + 1 : -1].strip()
            # "Frontière(s)" and "(500)" are no second title.
            is_other_title = before.endswith(" ") and before.strip() and not _PART.match(inside)
            return (before.rstrip(), inside) if is_other_title else None
    return None
