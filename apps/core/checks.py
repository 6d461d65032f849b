"""What a public site must not be, and what a site of several processes must share."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

PER_PROCESS_CACHE = "django.core.cache.backends.locmem.LocMemCache"
PER_PROCESS_BROKER = "memory:"
SECRET_CHARACTERS = 50
# Fewer different ones are a word or a pattern and no random text.
DIFFERENT_CHARACTERS = 12
# Django's own for new projects, and what people write who mean to come back later.
_PLACEHOLDER = re.compile(r"django-insecure-|change.?me|secret.?key|placeholder|your.?key", re.IGNORECASE)
_LOCAL_HOST = re.compile(r"localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?|testserver")


def is_public() -> bool:
    """Whether requests from other machines may be addressed to the site."""
    return not all(_LOCAL_HOST.fullmatch(host) for host in settings.ALLOWED_HOSTS)


@register()
def check_public_site(**_: Any) -> list[CheckMessage]:
    """Errors, so that no command starts a public site like that."""
    if not is_public():
        return []
    return [*_check_debug(), *_check_secret(), *_check_cookies()]


def _check_debug() -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    says = "DEBUG is on and ALLOWED_HOSTS names a public host: error pages would show settings and code"
    return [Error(says, hint="Set DEBUG=false", id="core.E001")]


def _check_secret() -> list[CheckMessage]:
    key = settings.SECRET_KEY
    if _PLACEHOLDER.search(key):
        wrong = "is a placeholder"
    elif len(key) < SECRET_CHARACTERS:
        wrong = f"has {len(key)} characters, and {SECRET_CHARACTERS} are the least"
    elif len(set(key)) < DIFFERENT_CHARACTERS:
        wrong = f"has only {len(set(key))} different characters, and {DIFFERENT_CHARACTERS} are the least"
    else:
        return []
    says = f"SECRET_KEY {wrong}: who guesses it signs in as anybody"
    hint = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    return [Error(says, hint=hint, id="core.E002")]


def _check_cookies() -> list[CheckMessage]:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    if settings.DEBUG or all(getattr(settings, name) for name in names):
        return []
    says = "Cookies of a public site travel by plain HTTP, where anybody on the way can take over a session"
    return [Error(says, hint="Take SECURE_COOKIES=false away, and serve by HTTPS", id="core.E003")]


@register(deploy=True)
def check_shared_services(**_: Any) -> list[CheckMessage]:
    """Cache and broker are no process's own; asked by ``check --deploy`` alone."""
    found: list[CheckMessage] = []
    if settings.CACHES["default"]["BACKEND"] == PER_PROCESS_CACHE:
        found.append(
            Warning(
                "REDIS_URL is not set: each process counts throttles for itself, so that more processes "
                "let more requests through",
                hint="Set REDIS_URL=redis://host:6379/0",
                id="core.W001",
            )
        )
    if settings.CELERY_BROKER_URL.startswith(PER_PROCESS_BROKER):
        found.append(
            Warning(
                "Neither REDIS_URL nor CELERY_BROKER_URL is set: tasks wait in the memory of one process, "
                "where no worker finds them",
                hint="Set REDIS_URL=redis://host:6379/0, or CELERY_BROKER_URL for a broker of its own",
                id="core.W002",
            )
        )
    return found
