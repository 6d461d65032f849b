"""The site as it runs in production, without HTTPS, with one view more and no throttles."""

import os

os.environ.setdefault("SECRET_KEY", "a-benchmark-signs-with-this-and-nothing-else-does")

from recommender_site.settings.base import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.base import REST_FRAMEWORK

SECRET_KEY = os.environ["SECRET_KEY"]
ROOT_URLCONF = "benchmarks.serving_site.urls"
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_CLASSES": []}
LOGGING = {"version": 1, "disable_existing_loggers": True, "root": {"handlers": [], "level": "CRITICAL"}}
