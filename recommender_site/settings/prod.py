"""Many viewers: PostgreSQL, Redis, HTTPS in front. Nothing here has a default that is unsafe."""

from recommender_site import env
from recommender_site.logs import logging_settings
from recommender_site.settings.base import *  # noqa: F403 - the settings idiom of Django
from recommender_site.settings.base import CELERY_BROKER_TRANSPORT_OPTIONS, LOG_LEVEL, database_settings

SECRET_KEY = env.required("SECRET_KEY")
ALLOWED_HOSTS = [host.strip() for host in env.required("ALLOWED_HOSTS").split(",")]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
DATABASES = {"default": database_settings(env.required("DATABASE_URL"))}

SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
# Asked from inside, by what starts, balances and watches the processes.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000, minimum=0, maximum=63_072_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("SECURE_COOKIES", True)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, minimum=1, maximum=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", False)

if env.flag("WEB_PROCESS", False) and CELERY_BROKER_TRANSPORT_OPTIONS:
    # A web process never waits for a broker that hangs; the beat sweep picks up a lost nudge.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_connect_timeout": 0.02, "socket_timeout": 0.02}

LOGGING = logging_settings(LOG_LEVEL, env.choice("LOG_FORMAT", "JSON", choices=("JSON", "LINE")))
