import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.titles import (
    MAX_SEARCH_TITLE,
    MAX_TITLE,
    Title,
    display_title,
    normalise,
    search_title,
    split_year,
)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("Matrix, The", "The Matrix"),
        ("Beautiful Mind, A", "A Beautiful Mind"),
        ("Lord of the Rings: The Two Towers, The", "The Lord of the Rings: The Two Towers"),
        ("Misérables, Les", "Les Misérables"),
        ("Dolce Vita, La", "La Dolce Vita"),
        ("Bumm, Der", "Der Bumm"),
        ("Orfanato, El", "El Orfanato"),
        ("Avventura, L'", "L'Avventura"),
        ("Human Centipede II (Full Sequence), The", "The Human Centipede II (Full Sequence)"),
        (
            "Power of Nightmares, The: The Rise of the Politics of Fear",
            "The Power of Nightmares: The Rise of the Politics of Fear",
        ),
        ("Librarian, The: The Curse of the Judas Chalice", "The Librarian: The Curse of the Judas Chalice"),
        ("Avventura, L': Seconda parte", "L'Avventura: Seconda parte"),
        ("Goods: Live Hard, Sell Hard, The", "The Goods: Live Hard, Sell Hard"),
        ("Corrina, Corrina", "Corrina, Corrina"),
        ("Corrina, Corrina: The Sequel", "Corrina, Corrina: The Sequel"),
        ("What's Up, Doc?", "What's Up, Doc?"),
        ("Paris, Texas", "Paris, Texas"),
        ("(500) Days of Summer", "(500) Days of Summer"),
        ("Frontière(s)", "Frontière(s)"),
        ("Hotel Chevalier (Part 1 of 'The Darjeeling Limited')",) * 2,
    ],
)
def test_writes_titles_as_people_do(source: str, title: str) -> None:
    assert display_title(source) == Title(title)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("6th Man, The (Sixth Man, The)", Title("The 6th Man", "The Sixth Man")),
        (
            "And God Created Woman (Et Dieu... créa la femme)",
            Title("And God Created Woman", "Et Dieu... créa la femme"),
        ),
        ("Seven (a.k.a. Se7en)", Title("Seven", "Se7en")),
        (
            "Léon: The Professional (a.k.a. The Professional) (Léon)",
            Title("Léon: The Professional", "The Professional / Léon"),
        ),
        ("To Have, or Not (En avoir (ou pas))", Title("To Have, or Not", "En avoir (ou pas)")),
        (
            "Amelie (Fabuleux destin d'Amélie Poulain, Le)",
            Title("Amelie", "Le Fabuleux destin d'Amélie Poulain"),
        ),
    ],
)
def test_keeps_bracketed_titles_apart(source: str, expected: Title) -> None:
    assert display_title(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Toy Story (1995)", ("Toy Story", 1995)),
        ("Superman/Doomsday (2007) ", ("Superman/Doomsday", 2007)),
        ("Death Note: Desu nôto (2006–2007)", ("Death Note: Desu nôto", 2006)),
        ("2001: A Space Odyssey (1968)", ("2001: A Space Odyssey", 1968)),
        ("Babylon 5", ("Babylon 5", None)),
        ("Room (9999)", ("Room (9999)", None)),
        ("(1984)", ("(1984)", None)),
    ],
)
def test_splits_the_year_from_the_title(source: str, expected: tuple[str, int | None]) -> None:
    assert split_year(source) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Amélie", "amelie"),
        ("Fabuleux destin d'Amélie Poulain", "fabuleux destin d amelie poulain"),
        ("Ocean's Eleven", "oceans eleven"),
        ("Død snø", "dod sno"),
        ("Œuvre, straße, Łódź, Æon", "oeuvre strasse lodz aeon"),
        ("8½", "8 1 2"),
        ("Dumb & Dumber", "dumb and dumber"),
        ("WALL·E", "wall e"),
        ("100% Wolf_pack", "100 wolf pack"),
        ("!!!", ""),
    ],
)
def test_normalises_to_plain_words(text: str, words: str) -> None:
    assert normalise(text) == words


def test_a_search_title_holds_year_and_titles_with_and_without_article() -> None:
    found = search_title("The 6th Man", "The Sixth Man", 1997)
    assert found == " 1997 | the 6th man | 6th man | the sixth man | sixth man |"


@given(st.text(max_size=80))
def test_normalising_twice_is_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=400))
def test_a_display_title_fits_its_column_and_stays_what_it_is(text: str) -> None:
    title = display_title(text)
    assert len(title.title) <= MAX_TITLE
    assert len(title.original) <= MAX_TITLE


@given(st.text(max_size=900), st.text(max_size=900), st.none() | st.integers(1870, 2100))
def test_every_word_of_a_search_title_has_a_space_before_it(
    title: str, original: str, year: int | None
) -> None:
    found = search_title(title, original, year)
    assert len(found) <= MAX_SEARCH_TITLE
    assert found.endswith(" |")
    words = normalise(title).split()[:3]
    assert all(f" {word}"[:50] in found for word in words)
