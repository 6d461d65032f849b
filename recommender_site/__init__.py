"""Settings, URLs and the two application objects: WSGI and Celery."""

from recommender_site.celery import app as celery_app

__all__ = ("celery_app",)
