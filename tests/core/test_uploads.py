"""Files in forms: in memory, and no more of them than any page takes."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

LIMIT = 1_000


@pytest.fixture(autouse=True)
def small_limit(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = LIMIT


def posted(*sizes: int) -> HttpRequest:
    files = {
        f"file{number}": SimpleUploadedFile(f"{number}.csv", b"x" * size) for number, size in enumerate(sizes)
    }
    return RequestFactory().post("/", {"a": "b", **files})


def kept(file: UploadedFile) -> tuple[int | None, int]:
    """The size that it had, and how much of it there is."""
    return file.size, len(file.read())


def test_keeps_a_file_that_is_small_enough() -> None:
    request = posted(LIMIT)
    assert kept(request.FILES["file0"]) == (LIMIT, LIMIT)
    assert request.FILES["file0"].name == "0.csv"
    assert request.POST["a"] == "b"


def test_keeps_no_more_of_a_large_file_and_knows_its_size() -> None:
    assert kept(posted(300_000).FILES["file0"]) == (300_000, LIMIT)


def test_the_limit_is_of_all_files_of_a_request_together() -> None:
    request = posted(600, 600, 600)
    assert [kept(request.FILES[f"file{number}"]) for number in range(3)] == [(600, 600), (600, 400), (600, 0)]
