"""The Celery application. Tasks live in each app's ``tasks.py``."""

import os

from celery import Celery

from apps.core.jobs import watch_jobs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.dev")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
watch_jobs()
