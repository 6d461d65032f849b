"""What the documents name is there, and what must be documented is."""

import re
from pathlib import Path

import pytest
import yaml

from apps.algorithms.registry import ARMS

ROOT = Path(__file__).parents[2]
PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The fragments that headings of a document give, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, fragment = link.partition("#")
        target = document.parent / file if file else document
        assert target.exists(), f"{document.name} links to {link}"
        assert not fragment or fragment in anchors(target), f"{document.name} links to {link}"


def test_the_table_of_addresses_is_that_of_the_openapi_document() -> None:
    rows = re.findall(r"^\| ([A-Z ]+) \| `(/[^`]*)` \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    described = {path: set(methods.split()) for methods, path in rows}
    paths = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    assert described == {
        path.removeprefix(PREFIX): {method.upper() for method in METHODS if method in operations}
        for path, operations in paths.items()
    }


def test_the_fields_of_a_list_and_of_feedback_are_explained() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    schemas = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["components"]["schemas"]
    for name in ("SlateShape", "SlotShape", "Context", "EventBodyRequest"):
        for field in schemas[name]["properties"]:
            assert f"`{field}`" in text, f"{name}.{field}"


@pytest.mark.parametrize("name", ["README.md", "docs/api.md", "docs/evaluation.md"])
def test_the_list_of_algorithms_is_that_of_the_registry(name: str) -> None:
    assert f"`{' '.join(ARMS)}`" in (ROOT / name).read_text()


def test_every_variable_of_the_environment_is_explained() -> None:
    names = re.findall(r"^#([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    explained = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.M)
    assert names
    assert sorted(explained) == sorted(names)
