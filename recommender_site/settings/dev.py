"""One person's machine: SQLite, no broker, mail on the console."""

from recommender_site import env
from recommender_site.settings.base import *  # noqa: F403 - the settings idiom of Django

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.local_secret_key()
