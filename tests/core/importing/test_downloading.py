"""Fetching a file from a server on this machine."""

import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog.models import Movie
from apps.core.errors import ApplicationError
from apps.core.importing.downloading import downloaded
from apps.core.management.base import Refused


class Handler(BaseHTTPRequestHandler):
    files: dict[str, bytes] = {}
    moved: dict[str, str] = {}
    promised: dict[str, int] = {}
    silent: set[str] = set()

    def do_GET(self) -> None:
        self.path = self.path.partition("?")[0]
        if self.path in self.moved:
            self.send_response(302)
            self.send_header("Location", self.moved[self.path])
            self.end_headers()
            return
        body = self.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path not in self.silent:
            self.send_header("Content-Length", str(self.promised.get(self.path, len(body))))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""


@contextmanager
def serving() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("Own", (Handler,), {"files": {}, "moved": {}, "promised": {}, "silent": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()


def no_bar(items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]:
    return iter(items)


def fetch(url: str, max_bytes: int = 10_000_000) -> bytes:
    with downloaded(url, progress=no_bar, max_bytes=max_bytes) as file:
        return file.read_bytes()


def refusal(url: str, max_bytes: int = 10_000_000) -> str:
    with pytest.raises(ApplicationError) as refused:
        fetch(url, max_bytes)
    return refused.value.detail


def test_fetches_a_file_and_shows_how_far_it_is() -> None:
    shown: list[tuple[int, int | None, str]] = []

    def bar(items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]:
        chunks = list(items)
        shown.append((len(chunks), total, label))
        return iter(chunks)

    with serving() as (url, handler):
        handler.files["/ml.zip"] = b"x" * 2_500_000
        with downloaded(f"{url}/ml.zip?token=1", progress=bar) as file:
            assert (file.name, file.stat().st_size) == ("ml.zip", 2_500_000)
        assert not file.exists()
    assert shown == [(3, 3, "ml.zip (MiB)")]


def test_follows_a_redirection_but_not_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret.zip").write_bytes(b"secret")
    with serving() as (url, handler):
        handler.files["/new.zip"] = b"new"
        handler.moved["/old.zip"] = f"{url}/new.zip"
        handler.moved["/trap.zip"] = f"file://{tmp_path}/secret.zip"
        assert fetch(f"{url}/old.zip") == b"new"
        assert refusal(f"{url}/trap.zip").startswith(f"{url}/trap.zip answers 302 ")


@pytest.mark.parametrize("is_promised", [True, False])
def test_refuses_more_than_the_limit(is_promised: bool) -> None:
    with serving() as (url, handler):
        handler.files["/ml.zip"] = b"x" * 3_000_000
        if not is_promised:
            handler.silent.add("/ml.zip")
        told = f"{url}/ml.zip is larger than 2000000 bytes; --max-mb allows more"
        assert refusal(f"{url}/ml.zip", 2_000_000) == told


def test_refuses_what_is_not_there_or_broke_off() -> None:
    with serving() as (url, handler):
        assert refusal(f"{url}/ml.zip") == f"{url}/ml.zip answers 404 Not Found"
        handler.files["/ml.zip"], handler.promised["/ml.zip"] = b"half", 8
        assert refusal(f"{url}/ml.zip") == f"{url}/ml.zip broke off after 4 of 8 bytes"
    assert refusal(f"{url}/ml.zip").startswith(f"{url}/ml.zip cannot be fetched: ")


def test_refuses_an_address_without_a_name() -> None:
    assert refusal("http://127.0.0.1/") == "http://127.0.0.1/ does not end in a file's name"
    assert refusal("http://127.0.0.1/%2e%2e") == "http://127.0.0.1/%2e%2e does not end in a file's name"


@pytest.mark.django_db
def test_load_movielens_takes_a_url(tmp_path: Path) -> None:
    archive = tmp_path / "made.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("ml-tiny/movies.csv", "movieId,title,genres\n1,Toy Story (1995),Comedy\n")
        files.writestr("ml-tiny/ratings.csv", "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n")
    with serving() as (url, handler):
        handler.files["/ml-tiny.zip"] = archive.read_bytes()
        call_command("load_movielens", f"{url}/ml-tiny.zip", "--json")
        handler.promised["/ml-tiny.zip"] = 2_000_000
        with pytest.raises(Refused, match=r"is larger than 1048576 bytes; --max-mb allows more$"):
            call_command("load_movielens", f"{url}/ml-tiny.zip", "--json", "--max-mb", "1")
    assert Movie.objects.get().rating_count == 1
