"""A server of ours for as long as it is measured."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 30


def gunicorn(port: int, *, workers: int) -> list[str]:
    """The words after the interpreter that serve the site on ``port`` with four threads a worker."""
    words = ["-m", "gunicorn", "recommender_site.wsgi", "-k", "gthread", "-w", str(workers), "--threads", "4"]
    return [*words, "-b", f"127.0.0.1:{port}", "--log-level", "warning", "--keep-alive", "30"]


@contextmanager
def running_server(words: Sequence[str], environment: Mapping[str, str], port: int) -> Iterator[None]:
    """The interpreter with ``words``, once ``port`` takes connections; ended after the block."""
    process = subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"the server did not start within {PATIENCE_SECONDS} s")
