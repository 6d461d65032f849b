"""The tests: quick hasher, no mail, no network; the database and Redis by environment."""

from recommender_site import env
from recommender_site.settings.base import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.base import VAR_DIR, database_settings

SECRET_KEY = "the-tests-sign-with-this-and-nothing-else-does"  # noqa: S105 - signs nothing that lasts
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.05}
ARTIFACT_DIR = VAR_DIR / "test-artifacts"
# Tests run beside each other, one on each core.
TRAINING_THREADS = 1
# Each client would list every static file when it begins.
WHITENOISE_AUTOREFRESH = True
# Tests see a change at once; those about the delay set it themselves.
VERSION_TTL_SECONDS = 0.0

DATABASES = {"default": database_settings(f"sqlite:///{VAR_DIR / 'unused.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: several processes write to it in some tests.
    DATABASES["default"]["TEST"] = {
        "NAME": str(VAR_DIR / f"test-{env.text('TEST_DATABASE', 'main')}.sqlite3")
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
