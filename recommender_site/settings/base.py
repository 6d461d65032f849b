"""Safe defaults that every environment shares. dev, test and prod hold differences only."""

import os
from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF

from recommender_site import env
from recommender_site.logs import logging_settings
from recommender_site.settings.admin import UNFOLD as UNFOLD

BASE_DIR = env.BASE_DIR
VAR_DIR = env.VAR_DIR

DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
ROOT_URLCONF = "recommender_site.urls"
WSGI_APPLICATION = "recommender_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    # Without the site that unfold would put in the place of ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "recommender_site.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_htmx",
    "csp",
    "apps.core",
    "apps.accounts",
    "apps.catalog",
    "apps.ratings",
    "apps.events",
    "apps.experiments",
    "apps.bandits",
    "apps.training",
    "apps.recommendations",
    "apps.pages",
    "apps.monitoring",
]

MIDDLEWARE = [
    "apps.core.edge.EdgeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.SessionSeenMiddleware",
    "apps.accounts.middleware.UnitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.AdminPolicyMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# SQLite under several writing threads: WAL and IMMEDIATE together are the only combination that
# neither raises "database is locked" nor loses a write.
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
        "PRAGMA cache_size=-16384;PRAGMA temp_store=MEMORY;PRAGMA journal_size_limit=27103364;"
    ),
}


def database_settings(default: str) -> dict[str, Any]:
    settings = env.database(default)
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        settings["OPTIONS"] = {**settings.get("OPTIONS", {}), **SQLITE_OPTIONS}
    else:
        settings["CONN_MAX_AGE"] = env.integer("CONN_MAX_AGE", 60, minimum=0, maximum=86_400)
        settings["CONN_HEALTH_CHECKS"] = True
    return settings


DATABASES = {"default": database_settings(f"sqlite:///{VAR_DIR / 'marquee.sqlite3'}")}

REDIS_URL = env.text("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {"BACKEND": "apps.core.shared_cache.SharedCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en"
SITE_LANGUAGE = "en"
FORMAT_MODULE_PATH = ["recommender_site.formats"]
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# A tree that was never collected still serves: whitenoise asks the finders.
WHITENOISE_USE_FINDERS = True

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "marquee@localhost")

SESSION_ENGINE = "apps.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.pages.errors.csrf_refused"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# Of all files of one request; what is over is not kept.
MAX_UPLOAD_BYTES = 5 * 1_048_576
FILE_UPLOAD_HANDLERS = ["apps.core.uploads.BoundedUploadHandler"]

# Where browsers get posters from, such as https://image.tmdb.org/t/p/w342: empty draws them all here,
# and no visitor's browser asks another host for anything.
TMDB_IMAGE_URL = env.web_address("TMDB_IMAGE_URL")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Another host is named only where posters come from one.
        "img-src": [SELF, "data:", *([env.origin(TMDB_IMAGE_URL)] if TMDB_IMAGE_URL else [])],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "apps.accounts.authentication.ApiKeyAuthentication",
        "apps.accounts.authentication.BrowserSessionAuthentication",
        "apps.accounts.authentication.GuestAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.permissions.NobodyUnlessStated"],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.api.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pagination.BoundedPagination",
    "DEFAULT_SCHEMA_CLASS": "apps.core.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": [
        "apps.core.api.throttling.ViewerThrottle",
        "apps.core.api.throttling.AddressThrottle",
    ],
    "EXCEPTION_HANDLER": "apps.core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Requests per period: s, m, h or d. An address may speak for several viewers.
THROTTLE_RATES = {
    "write": "300/m",
    "read": "600/m",
    "write_address": "1200/m",
    "read_address": "2400/m",
    "login_name": "5/m",
    "login_address": "30/m",
    "new_guest": "20/h",
    "import": "20/h",
    "import_address": "60/h",
}
# How many proxies in front append to X-Forwarded-For; 0 means that the header is not believed.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, minimum=0, maximum=10)

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Marquee",
    "DESCRIPTION": "Films, recommendations and the log that both learn from.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    # Its default asks a host of its own about the schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "GET_LIB_DOC_EXCLUDES": "apps.core.api.schema.bases_that_describe_nothing",
    "ENUM_NAME_OVERRIDES": {
        "ImportStatusEnum": "apps.ratings.models.Import.Status",
        "UpdateTypeEnum": "apps.training.models.UpdateType",
        "RunStatusEnum": "apps.training.models.TrainingRun.Status",
    },
}

# --- Celery. What must not be lost lives in the database; a task is a nudge. ---------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", REDIS_URL or "memory://localhost")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "apps.core.beat:Scheduler"
CELERY_TASK_TIME_LIMIT = 3600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Publishing with Redis down must cost a request less than 100 ms: one quick retry, short timeouts.
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.02,
    "interval_max": 0.02,
}
# Seconds between two looks into the queue of a worker in the same process.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"polling_interval": 0.05}
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Three times the longest task: shorter would run it twice.
        "visibility_timeout": 3 * CELERY_TASK_TIME_LIMIT,
        # From then on a killed worker's task comes back within seconds instead of minutes.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
    }

# --- Marquee -------------------------------------------------------------------------------------
ARTIFACT_DIR = env.path("ARTIFACT_DIR", VAR_DIR / "artifacts")
# Versions of a recipe whose files are kept to go back to.
ARTIFACTS_KEPT = 3
# A fit that takes longer is stopped, a minute before the queue would stop its task.
TRAINING_TIMEOUT_SECONDS = CELERY_TASK_TIME_LIMIT - 60
# Cores that a fit takes: fewer leave some to what else the machine does.
TRAINING_THREADS = env.integer("TRAINING_THREADS", os.cpu_count() or 1, minimum=1, maximum=1024)
# For a process that only fits, as workers start them.
WITHOUT_PAGES = env.flag("WITHOUT_PAGES", False)
AUTO_UPDATE = env.flag("AUTO_UPDATE", True)
UPDATE_THRESHOLD = env.integer("UPDATE_THRESHOLD", 50, minimum=1, maximum=1_000_000)
UPDATE_INTERVAL_HOURS = env.number("UPDATE_INTERVAL_HOURS", 6, minimum=0.01, maximum=8760)
# The weekly search for better parameters: how long it may take, and from how many ratings on it is worth it.
TUNE_MINUTES = env.integer("TUNE_MINUTES", 20, minimum=1, maximum=45)
TUNE_MIN_RATINGS = env.integer("TUNE_MIN_RATINGS", 10_000, minimum=1, maximum=1_000_000_000)
# How long each step of a rollout is held at least, and how long a promoted recipe has a holdout.
ROLLOUT_STEP_HOURS = env.number("ROLLOUT_STEP_HOURS", 48, minimum=0.01, maximum=8760)
ROLLOUT_HOLDOUT_DAYS = env.number("ROLLOUT_HOLDOUT_DAYS", 28, minimum=0.01, maximum=365)
# What makes films' vectors of their texts, one of apps.training.encoding.TEXT_ENCODERS.
TEXT_ENCODER = env.text("TEXT_ENCODER", "lsa")
TEXT_ENCODER_PATH = env.optional_path("TEXT_ENCODER_PATH")
# Posters count where both are set, as much as the weight says.
POSTER_ENCODER_PATH = env.optional_path("POSTER_ENCODER_PATH")
POSTER_DIR = env.optional_path("POSTER_DIR")
POSTER_WEIGHT = env.number("POSTER_WEIGHT", 0.2, minimum=0, maximum=1)
# Without one, vectors are kept beside ARTIFACT_DIR.
VECTOR_DIR = env.optional_path("VECTOR_DIR")
# Without one, who rated what is kept for updates beside ARTIFACT_DIR. No process that serves reads it.
CORPUS_DIR = env.optional_path("CORPUS_DIR")
# How long the rows of a viewer's import are kept, and with them the way to undo it.
IMPORT_DAYS = env.integer("IMPORT_DAYS", 90, minimum=1, maximum=3650)
# Several processes of one web server count together in this folder, which it empties when it starts.
METRICS_DIR = env.folder("PROMETHEUS_MULTIPROC_DIR")
# Successes and failures that a bandit begins with, of all its arms together.
BANDIT_DEFAULT_ALPHA = env.number("BANDIT_DEFAULT_ALPHA", 1.0, minimum=0.001, maximum=1_000_000)
BANDIT_DEFAULT_BETA = env.number("BANDIT_DEFAULT_BETA", 1.0, minimum=0.001, maximum=1_000_000)
# The part of what a bandit learned of an arm that it keeps when the arm's recipe changes.
BANDIT_KEEP_ON_CHANGE = env.number("BANDIT_KEEP_ON_CHANGE", 0.5, minimum=0, maximum=1)
# For enrich_tmdb alone: no page asks another host.
TMDB_API_KEY = env.text("TMDB_API_KEY")
TMDB_API_URL = env.text("TMDB_API_URL", "https://api.themoviedb.org/3")
TMDB_REQUESTS_PER_SECOND = env.number("TMDB_REQUESTS_PER_SECOND", 20, minimum=0.1, maximum=1000)
# Seconds that a process may serve an older version, policy or strategy after a change.
VERSION_TTL_SECONDS = 2.0

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logging_settings(LOG_LEVEL, "LINE")
