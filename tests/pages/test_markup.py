"""What holds of every page: headings, labels, tokens, and nothing that the content policy refuses."""

import itertools
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.factories import make_staff
from tests.house import House
from tests.pages.conftest import rate

PATHS = [
    "/",
    "/browse",
    "/browse?genre=Horror&exclude_genre=Comedy&year_min=x",
    "/browse?genre=Western",
    "/search?q=fright",
    "/search?q=nothing",
    "/film/{film}",
    "/gems",
    "/surprise",
    "/surprise?after=x",
    "/welcome",
    "/welcome?group=horror",
    "/my-films",
    "/my-films/thumbs",
    "/settings",
    "/settings/data",
    "/settings/erase",
    "/settings/import",
    "/about",
    "/sign-up",
    "/log-in",
    "/password/reset/",
    "/password/reset/sent/",
    "/nowhere",
]


class Page(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture
def pages(visitor: Client, house: House) -> dict[str, Page]:
    """Every page by its address, as somebody sees it who rated a film."""
    rate(visitor, house.horror[0], 5)
    paths = [path.format(film=house.horror[1].pk) for path in PATHS]
    return {path: Page(visitor.get(path).content.decode()) for path in paths}


def test_has_one_first_heading_and_skips_no_level(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3", "h4"}]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), path


def test_uses_each_id_once(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), path


def test_labels_every_field(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        labelled = {label["for"] for label in page.all("label") if "for" in label}
        for field in page.all("input", "select"):
            is_labelled = field.get("aria-label") or field.get("id") in labelled
            assert is_labelled or field.get("type") == "hidden", (path, field)


def test_says_what_every_image_is_or_that_it_says_nothing(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert all("alt" in image for image in page.all("img")), path


def test_guards_every_form_that_changes_something(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        forms = [form for form in page.all("form") if form.get("method") == "post"]
        tokens = [field for field in page.all("input") if field.get("name") == "csrfmiddlewaretoken"]
        assert len(forms) == len(tokens), path


def test_holds_no_code_or_style_of_its_own(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert all("src" in script for script in page.all("script")), path
        assert not page.all("style", "iframe", "object"), path
        names = {name for _, attributes in page.tags for name in attributes}
        assert not [name for name in names if name == "style" or name.startswith(("on", "hx-on"))], path


def test_asks_no_other_host_for_anything(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        for _, attributes in page.tags:
            if attributes.get("rel") == "noreferrer":
                continue  # a link that is pressed, which does not say where one comes from
            for name in ("src", "href", "action", "hx-post", "hx-get"):
                assert not attributes.get(name, "").startswith(("http", "//")), path


def test_says_its_language_title_and_way_past_the_header(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert page.all("html") == [{"lang": "en"}], path
        assert len(page.all("title")) == len(page.all("main")) == 1, path


def test_sends_a_strict_content_policy(client: Client, db: None) -> None:
    policy = client.get("/about").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_lets_the_admin_run_its_own_code_and_nobody_else(client: Client, db: None) -> None:
    client.force_login(make_staff())
    response = client.get("/admin/")
    assert response.status_code == 200
    assert "unsafe-eval" in response.headers["Content-Security-Policy"]
