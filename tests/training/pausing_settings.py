"""One person's machine, but fits wait where they are told, and what no worker finished soon comes back."""

from recommender_site.settings.dev import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.dev import CELERY_BROKER_TRANSPORT_OPTIONS, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.training.pausing.Pausing"]
CELERY_BROKER_TRANSPORT_OPTIONS |= {"visibility_timeout": 4}
