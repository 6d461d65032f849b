"""The site as it runs in production, without HTTPS, with each page's cost in its headers."""

import os

os.environ.setdefault("SECRET_KEY", "a-benchmark-signs-with-this-and-nothing-else-does")

from recommender_site.settings.base import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.base import MIDDLEWARE as SITE_MIDDLEWARE
from recommender_site.settings.base import THROTTLE_RATES as SITE_RATES

SECRET_KEY = os.environ["SECRET_KEY"]
MIDDLEWARE = ["benchmarks.pages_site.counting.CountingMiddleware", *SITE_MIDDLEWARE]
THROTTLE_RATES = dict.fromkeys(SITE_RATES, "1000000/m")
LOGGING = {"version": 1, "disable_existing_loggers": True, "root": {"handlers": [], "level": "CRITICAL"}}
