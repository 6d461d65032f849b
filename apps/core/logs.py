"""What a line of the log holds: the same facts as text for a terminal and as JSON for machines.

Nothing personal gets in. Lines of this project name routes, ids and counts. Of other people's loggers,
those that repeat what a client sent are cut down here. An error is told by its class and its place; its
text only where such text is about machines, because a database quotes the row that it refused.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any

from apps.core.json import encode

NO_REQUEST = "-"
_request_id: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
_ROOT = Path(__file__).resolve().parents[2]
# The innermost calls say where it broke; a recursion has thousands.
_MAX_FRAMES = 30
_ABOUT_MACHINES = {
    "django.core.exceptions.ImproperlyConfigured",
    "django.db.utils.InterfaceError",
    "django.db.utils.OperationalError",
    "redis.exceptions.ConnectionError",
    "redis.exceptions.TimeoutError",
    "kombu.exceptions.OperationalError",
    "apps.training.artifacts.ArtifactRefused",
}
# Lines of gunicorn that go on with what the client sent, or with its address.
_CUT_AFTER = ("Invalid request", "Error handling request")


def current_request_id() -> str:
    """The id of the request under way in this thread, or of the one that asked for the job under way;
    ``-`` outside of both.
    """
    return _request_id.get()


@contextmanager
def under_request_id(request_id: str) -> Iterator[None]:
    """Every line inside carries this id."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id()
        return True


class DiscreetFilter(logging.Filter):
    """Takes out of other people's lines what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(("django.request", "django.security")):
            # Their text is the path or the header that was refused.
            status = getattr(record, "status_code", None)
            _say(record, "request_failed" if record.name == "django.request" else record.name, status=status)
        elif record.name == "gunicorn.error":
            for start in _CUT_AFTER:
                if str(record.msg).startswith(start):
                    _say(record, start)
        return True


class LineFormatter(logging.Formatter):
    """``time LEVEL logger message name=value … request_id=…``, with tracebacks as Python prints them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = {**_fields(record), "request_id": getattr(record, "request_id", NO_REQUEST)}
        return " ".join([super().formatMessage(record), *(f"{name}={facts[name]}" for name in facts)])


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, the line's own fields, request_id, error."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
            "request_id": getattr(record, "request_id", NO_REQUEST),
        }
        if error is not None:
            line["error"] = [_described(link) for link in _chain(error)]
        return encode(line).decode()


def log_fields(**fields: object) -> dict[str, Any]:
    """``extra`` of a logging call: fields of their own in JSON, ``name=value`` in text. None is left out."""
    return {"fields": {name: value for name, value in fields.items() if value is not None}}


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    return getattr(record, "fields", {})


def _say(record: logging.LogRecord, message: str, **fields: object) -> None:
    record.msg, record.args = message, ()
    record.__dict__.update(log_fields(**fields))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, at most five."""
    for _ in range(5):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _described(error: BaseException) -> dict[str, object]:
    frames = extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    return {
        "type": _name(type(error)),
        "text": _text(error),
        "frames": [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _text(error: BaseException) -> str | None:
    if any(_name(kind) in _ABOUT_MACHINES for kind in type(error).__mro__):
        return str(error).partition("\n")[0]
    # No other text of these: a mail server's refusal is an OSError and names the recipient.
    return error.strerror if isinstance(error, OSError) else None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _place(file: str) -> str:
    """The file as of the project or the package; no machine's folders."""
    path = Path(file)
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(_ROOT))
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return path.name
