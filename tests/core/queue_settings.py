"""Production, but a task that no worker has finished after four seconds, not three hours, goes to another."""

from recommender_site.settings.prod import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.prod import CELERY_BROKER_TRANSPORT_OPTIONS

# Long enough for a new worker to look once too early and to find it when it looks again.
CELERY_BROKER_TRANSPORT_OPTIONS |= {"visibility_timeout": 4}
