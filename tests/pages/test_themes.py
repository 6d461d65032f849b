"""Light or dark, as the visitor chose or as the device says, in the page itself."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def look_of(client: Client, path: str = "/about") -> tuple[str, str]:
    """The theme on the page's root, and the colour schemes that it names in its head."""
    page = client.get(path).content.decode()
    root = re.search(r"<html([^>]*)>", page)
    scheme = re.search(r'<meta name="color-scheme" content="([^"]*)">', page)
    assert root
    assert scheme
    return root[1].strip(), scheme[1]


def test_leaves_the_theme_to_the_device_until_one_is_chosen(client: Client) -> None:
    assert look_of(client) == ('lang="en"', "light dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/about", "/nowhere"])
def test_draws_every_page_in_the_chosen_theme(client: Client, theme: str, path: str) -> None:
    client.cookies["theme"] = theme
    assert look_of(client, path) == (f'lang="en" data-theme="{theme}"', theme)


@pytest.mark.parametrize("value", ["", "system", "Dark", '"><script>', "x" * 5_000])
def test_takes_no_other_word_from_the_cookie(client: Client, value: str) -> None:
    client.cookies["theme"] = value
    assert look_of(client) == ('lang="en"', "light dark")
