"""The one place that reads the environment. Every variable is listed in ``.env.example``.

A value that cannot be read stops the start with a sentence that names the variable.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

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


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser()


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
