"""Where log lines go: to stderr, as text or as JSON, the same in every process."""

from typing import Any

FORMATTERS = {"LINE": "apps.core.logs.LineFormatter", "JSON": "apps.core.logs.JsonFormatter"}


def logging_settings(level: str, form: str) -> dict[str, Any]:
    """The configuration for ``logging``; ``form`` is ``LINE`` or ``JSON``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "apps.core.logs.RequestIdFilter"},
            "discreet": {"()": "apps.core.logs.DiscreetFilter"},
        },
        "formatters": {"chosen": {"()": FORMATTERS[form]}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "chosen",
                "filters": ["request_id", "discreet"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # What these say of each request and each job, apps.core.edge and apps.core.jobs say.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "CRITICAL"},
            "django.server": {"level": "WARNING"},
            "celery.app.trace": {"level": "CRITICAL"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
        },
    }
