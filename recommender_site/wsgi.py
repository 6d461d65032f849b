"""The WSGI application that web servers load."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recommender_site.settings.prod")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
