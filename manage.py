#!/usr/bin/env python
"""Django's command line, on the development settings unless DJANGO_SETTINGS_MODULE says otherwise."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here: run `make install`, then use .venv/bin/python"
        ) from error
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        # It names the setting and says what would do; a traceback would bury that.
        raise SystemExit(str(refusal)) from None


if __name__ == "__main__":
    main()
