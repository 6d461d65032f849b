"""A drawn poster in the font that this machine has."""

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser

from apps.pages.posters import design_poster

pytestmark = pytest.mark.browser

TITLES = (
    "Pulp Fiction",
    "The Silence of the Lambs",
    "Raiders of the Lost Ark",
    "2001: A Space Odyssey",
    "Independence Day (a.k.a. ID4)",
    "Dances with Wolves",
    "WOMEN AND MEN OF MMXVI",
    "Mommie Dearest & Www",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
)
# Where the longest line ends, in the poster's units, of which it is 200 wide.
ENDS = """() => Math.max(
  ...[...document.querySelectorAll("text")].map(line => line.getBBox().x + line.getBBox().width)
)"""


@pytest.mark.parametrize("title", TITLES)
def test_its_title_ends_before_its_edge(chromium: Browser, title: str) -> None:
    poster = design_poster(movie_id=1, title=title, year=1994, genres=["Documentary"])
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content(render_to_string("posters/poster.svg", {"poster": poster}))
        assert page.evaluate(ENDS) <= 192
