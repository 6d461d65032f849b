"""The one place that reads the environment. Every variable is listed in ``.env.example``.

A value that cannot be read stops the start with a sentence that names the variable.
"""

import os
import re
import secrets
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# No sign that means something in a content policy.
_WEB_ADDRESS = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost))(?::[0-9]+)?(?:/[A-Za-z0-9._~-]+)*"
)

_env = environ.Env()
_env.read_env(BASE_DIR / ".env", overwrite=False)


def text(name: str, default: str = "") -> str:
    return str(_env.str(name, default=default))


def required(name: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: put it into the environment or into .env")
    return value


def flag(name: str, default: bool) -> bool:
    value = text(name, str(default)).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")


def number(name: str, default: float, *, minimum: float, maximum: float) -> float:
    raw = text(name, str(default))
    try:
        value = float(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {raw!r}") from None
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"{name} must lie between {minimum:g} and {maximum:g}, not {raw}")
    return value


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = number(name, default, minimum=minimum, maximum=maximum)
    if value != int(value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value}")
    return int(value)


def web_address(name: str, default: str = "") -> str:
    """Empty, or ``https://host/path`` without a slash at the end; plain http is for this machine alone."""
    value = text(name, default).strip().rstrip("/")
    if value and not _WEB_ADDRESS.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be empty or look like https://host/path, not {value!r}")
    return value


def origin(address: str) -> str:
    """Scheme, host and port of a ``web_address``, as a content policy names them."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser()


def optional_path(name: str) -> Path | None:
    """None when the variable is empty."""
    given = text(name)
    return Path(given).expanduser() if given else None


def folder(name: str) -> Path | None:
    """The folder of that name, made when it is missing; None when the variable is empty."""
    given = text(name)
    if not given:
        # Libraries that read it themselves ask whether it is there.
        os.environ.pop(name, None)
        return None
    made = Path(given).expanduser()
    made.mkdir(parents=True, exist_ok=True)
    return made


def choice(name: str, default: str, *, choices: Sequence[str]) -> str:
    """One of ``choices``, which are in capitals; the variable may be in any case."""
    raw = text(name, default)
    value = raw.strip().upper()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {raw!r}")
    return value


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # no name, no zone, a folder of zones
        raise ImproperlyConfigured(
            f"{name} must be a zone such as Europe/Berlin or UTC, not {value!r}"
        ) from None
    return value


def database(default: str) -> dict[str, Any]:
    """Django's settings of the database that ``DATABASE_URL`` names."""
    refusal = "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:///path"
    try:
        settings = dict(_env.db_url("DATABASE_URL", default=default))
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(refusal) from error
    if "ENGINE" not in settings:  # no scheme that is known: only a warning there
        raise ImproperlyConfigured(refusal)
    return settings


def for_child(**values: str) -> dict[str, str]:
    """The whole environment of a process that this one starts: its own, with ``values`` set."""
    return {**os.environ, **values}


def local_secret_key() -> str:
    """``SECRET_KEY``, else a random one kept in ``var/secret-key`` (readable by its owner alone)."""
    given = text("SECRET_KEY")
    if given:
        return given
    file = VAR_DIR / "secret-key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(handle, "w") as stream:
        key = secrets.token_urlsafe(50)
        stream.write(key)
    return key
