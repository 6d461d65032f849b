"""What no probe asks for, and an operator does: settings, clock, files, mail."""

import shutil
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.mail import get_connection

from apps.core.checks import is_public
from apps.monitoring.parts.looking import Look
from apps.monitoring.parts.part import Part, ok, problem, warning

LITTLE_SPACE, NO_SPACE = 2_000_000_000, 200_000_000
MAIL_SECONDS = 5
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def installation() -> list[Look]:
    return [
        Look(("settings",), _settings),
        Look(("disk",), _disk),
        Look(("static files",), _static_files),
        Look(("mail",), _mail),
    ]


def is_production() -> bool:
    return not settings.DEBUG and settings.EMAIL_BACKEND == SMTP


def _settings() -> Iterator[Part]:
    found = run_checks(include_deployment_checks=is_production())
    errors = [check for check in found if check.level >= ERROR]
    module = str(settings.SETTINGS_MODULE)
    if errors:
        yield problem("settings", _told(errors))
    elif found:
        yield warning("settings", _told(found))
    else:
        yield ok("settings", f"{module}, {'for the public' if is_public() else 'for this machine'}")


def _told(found: list[CheckMessage]) -> str:
    """The first one, and how to see the others."""
    first = found[0]
    hint = f"; {first.hint}" if first.hint else ""
    more = f" ({len(found) - 1} more: run manage.py check --deploy)" if len(found) > 1 else ""
    return f"{first.id} {first.msg}{hint}{more}"


def _disk() -> Iterator[Part]:
    folder = Path(settings.ARTIFACT_DIR)
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    says = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.0f} GB are free where models are kept"
    if usage.free < NO_SPACE:
        yield problem("disk", f"{says}: make room, the next fit will fail", free_bytes=usage.free)
    elif usage.free < LITTLE_SPACE:
        yield warning("disk", f"{says}: make room", free_bytes=usage.free)
    else:
        yield ok("disk", says, free_bytes=usage.free)


def _static_files() -> Iterator[Part]:
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        yield ok("static files", "served from where they lie")
        return
    count = len(staticfiles_storage.hashed_files)
    if not count:
        yield problem(
            "static files", "not collected, every page fails: run manage.py collectstatic --no-input"
        )
        return
    newest = max(file.stat().st_mtime for file in (settings.BASE_DIR / "static").rglob("*") if file.is_file())
    manifest = Path(settings.STATIC_ROOT, staticfiles_storage.manifest_name)
    if manifest.stat().st_mtime < newest:
        since = datetime.fromtimestamp(newest, UTC)
        says = f"collected before the last change of {since:%Y-%m-%d %H:%M}: run manage.py collectstatic"
        yield warning("static files", says)
    else:
        yield ok("static files", f"{count} collected")


def _mail() -> Iterator[Part]:
    if settings.EMAIL_BACKEND != SMTP:
        yield ok("mail", "is written to the console and not sent")
        return
    try:
        connection = get_connection(timeout=MAIL_SECONDS)
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        why = type(error).__name__
        yield warning("mail", f"the mail server refuses ({why}): nobody can set a new password; see EMAIL_*")
    else:
        yield ok("mail", "the mail server takes mail")
