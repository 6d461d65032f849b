"""The whole site in one process: a threaded web server, a worker and beat."""

import logging
import signal
import socket
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

import waitress
from django.core.wsgi import get_wsgi_application

from apps.core.embedded import start_embedded_beat, start_embedded_worker
from apps.core.errors import Unavailable
from apps.experiments.services import assign
from apps.training.registry import engine
from recommender_site.celery import app

THREADS = 8


def site_address(host: str, port: int) -> str:
    """Without a slash at the end."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_free(host: str, port: int) -> None:
    """Raises ``Unavailable`` when something listens there already, before anything slow is begun."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server does: a port that its last owner has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"Cannot listen on {host}:{port} ({error.strerror}): choose another port with --port"
            ) from None


def serve_site(*, host: str, port: int, when_ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM, then lets the requests under way end and stops the rest.

    Call it in the main thread: it sets the handler of SIGTERM. ``when_ready`` is called when
    requests are answered, model loaded.
    """
    # It warns of every request that waits for a thread, of which a page with posters makes a dozen.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # Each request and each minute's heartbeat is no news for the terminal; what fails is.
    for name in ("apps.core.edge", "apps.core.jobs", "celery"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Static files need not be collected here: the finders serve them.
    warnings.filterwarnings("ignore", "No directory at", UserWarning)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ExitStack() as stack:
            server = waitress.create_server(get_wsgi_application(), host=host, port=port, threads=THREADS)
            stack.callback(server.close)
            stack.callback(start_embedded_worker(app).stop)
            stack.callback(start_embedded_beat(app).stop)
            engine(assign(None).recipe)
            when_ready()
            server.run()
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
