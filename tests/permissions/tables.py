"""Who may do what, at every address there is. An address that is in no table fails the tests."""

import re

READS = {"GET", "HEAD"}
REFUSED = {401, 403}

# Who may: anybody; anybody, but a key only if it acts for users; anybody but a key; who has a cookie or
# an account; these and a key that acts for users; accounts and such keys; accounts alone. Else a
# permission, and the scope that stands for it, if any does.
ANYBODY, READER, PERSON, KNOWN = "anybody", "reader", "person", "known"
SPEAKER, ACTOR, ACCOUNT = "speaker", "actor", "account"
ADD_MOVIE = ("catalog.add_movie", "catalog.write")
CHANGE_MOVIE = ("catalog.change_movie", "catalog.write")
SEE_BANDIT = ("bandits.view_banditpolicy", "analytics.read")
SEE_LEARNING = ("training.view_trainingrun", "analytics.read")
START_LEARNING = ("training.add_trainingrun", None)
SEE_EXPERIMENTS = ("experiments.view_experiment", "analytics.read")
Who = str | tuple[str, str | None]

OWN_LISTS = ("ratings", "favorites", "watchlist", "dismissals")
API: dict[tuple[str, str], Who] = {
    ("POST", "auth/token"): ANYBODY,
    ("POST", "auth/token/refresh"): ANYBODY,
    ("POST", "auth/token/blacklist"): ANYBODY,
    ("POST", "auth/register"): ANYBODY,
    ("POST", "auth/password/change"): ACCOUNT,
    ("POST", "auth/password/reset"): ANYBODY,
    ("POST", "auth/password/reset/confirm"): ANYBODY,
    ("GET", "me"): PERSON,
    ("PATCH", "me"): KNOWN,
    ("DELETE", "me"): PERSON,
    ("GET", "me/export"): PERSON,
    ("GET", "me/import"): PERSON,
    ("POST", "me/import"): KNOWN,
    ("GET", "me/import/<id:import_id>"): PERSON,
    ("POST", "me/import/<id:import_id>/apply"): PERSON,
    ("POST", "me/import/<id:import_id>/undo"): PERSON,
    ("GET", "me/import/<id:import_id>/unmatched"): PERSON,
    ("GET", "movies"): ANYBODY,
    ("POST", "movies"): ADD_MOVIE,
    ("GET", "movies/recommendations"): READER,
    ("GET", "movies/<id:movie_id>"): ANYBODY,
    ("PUT", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("PATCH", "movies/<id:movie_id>"): CHANGE_MOVIE,
    ("GET", "movies/<id:movie_id>/similar"): READER,
    ("POST", "recommend"): ACTOR,
    ("POST", "events"): SPEAKER,
    ("GET", "analytics/bandit-state"): SEE_BANDIT,
    ("GET", "analytics/bandit/stats"): SEE_BANDIT,
    ("GET", "analytics/off-policy"): SEE_BANDIT,
    ("GET", "learning/stats"): SEE_LEARNING,
    ("POST", "learning/trigger-update"): START_LEARNING,
    ("GET", "analytics/model/updates"): SEE_LEARNING,
    ("POST", "analytics/model/force-update"): START_LEARNING,
    ("GET", "training/runs/<id:run_id>"): SEE_LEARNING,
    ("GET", "analytics/experiments"): SEE_EXPERIMENTS,
    ("GET", "experiments"): SEE_EXPERIMENTS,
    ("GET", "experiments/<slug:key>"): SEE_EXPERIMENTS,
    ("GET", "experiments/<slug:key>/results"): SEE_EXPERIMENTS,
    ("GET", "users/<id:user_id>/experiment-group"): ACTOR,
    ("POST", "analytics/track/click"): ACTOR,
    ("POST", "analytics/track/rating"): ACTOR,
    ("POST", "analytics/track/thumbs-up"): ACTOR,
    ("POST", "analytics/track/thumbs-down"): ACTOR,
    ("POST", "analytics/track/favorite/<id:user_id>/<id:movie_id>"): ACTOR,
    ("POST", "analytics/track/watchlist/<id:user_id>/<id:movie_id>"): ACTOR,
    **{("GET", name): READER for name in OWN_LISTS},
    **{("GET", f"{name}/<id:movie_id>"): READER for name in OWN_LISTS},
    **{(method, f"{name}/<id:movie_id>"): SPEAKER for name in OWN_LISTS for method in ("PUT", "DELETE")},
}
# Outside of API and admin every address is for anybody.
FORM = {"GET", "POST"}
PAGES: dict[str, set[str]] = {
    "": {"GET"},
    "browse": {"GET"},
    "search": {"GET"},
    "search/suggestions": {"GET"},
    "about": {"GET"},
    "gems": {"GET"},
    "surprise": {"GET"},
    "film/<id:movie_id>": {"GET"},
    "film/<id:movie_id>/feedback": {"POST"},
    "poster/<id:movie_id>.svg": {"GET"},
    "welcome": {"GET"},
    "welcome/unseen/<id:movie_id>": {"POST"},
    "my-films": {"GET"},
    "my-films/<slug:slug>": {"GET"},
    "ratings": {"GET"},
    "settings": FORM,
    "settings/time-zone": {"POST"},
    "settings/theme": {"POST"},
    "settings/password": FORM,
    "settings/sessions": {"GET"},
    "settings/sessions/end": {"POST"},
    "settings/sessions/end-others": {"POST"},
    "settings/data": {"GET"},
    "settings/erase": FORM,
    "variant/<token>": FORM,
    "settings/import": FORM,
    "settings/import/<id:import_id>": {"GET"},
    "settings/import/<id:import_id>/apply": {"POST"},
    "settings/import/<id:import_id>/undo": {"POST"},
    "settings/import/<id:import_id>/unmatched.csv": {"GET"},
    "sign-up": FORM,
    "log-in": FORM,
    "log-out": {"POST"},
    "password/reset/": FORM,
    "password/reset/sent/": {"GET"},
    "password/reset/<uid>/<token>/": FORM,
    "healthz": {"GET"},
    "readyz": {"GET"},
    "favicon.ico": {"GET"},
    "robots.txt": {"GET"},
    "api/schema": {"GET"},
    "api/docs": {"GET"},
}
# At the root as well, and not for anybody: a permission and the scope that stands for it.
OPERATIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("GET", "metrics"): ("core.view_heartbeat", "metrics.read"),
}
BANDIT_PAGES = (
    "beliefs/",
    "beliefs.csv",
    "beliefs/arms.csv",
    "context/",
    "context/arms.csv",
    "activity/",
    "activity/arms.csv",
    "activity/success.csv",
    "activity/days.csv",
    "off-policy/",
    "off-policy/policies.csv",
)
# Addresses of the admin that belong to no table, or to one beyond its five pages: the method, and what
# it takes. Nothing is asked of those for anybody; "staff" is any member of staff.
ADMIN: dict[str, tuple[str, str]] = {
    "admin/": ("GET", "staff"),
    "admin/login/": ("GET", "anybody"),
    "admin/logout/": ("POST", "staff"),
    "admin/password_change/": ("GET", "staff"),
    "admin/password_change/done/": ("GET", "staff"),
    "admin/jsi18n/": ("GET", "staff"),
    "admin/search/": ("GET", "staff"),
    "admin/autocomplete/": ("GET", "catalog.view_genre"),
    "admin/r/<path:content_type_id>/<path:object_id>/": ("GET", "staff"),
    "admin/<app_label>/": ("GET", "catalog.view_genre"),  # 404 for who may see nothing of the app
    "admin/(?P<url>.*)$": ("GET", "staff"),
    **{f"admin/bandits/banditpolicy/<id:object_id>/{page}": ("GET", SEE_BANDIT[0]) for page in BANDIT_PAGES},
    "admin/bandits/banditpolicy/<id:object_id>/begin/": ("GET", "bandits.add_banditpolicy"),
    "admin/bandits/banditpolicy/<id:object_id>/freeze/": ("GET", "bandits.change_banditpolicy"),
    **{
        f"admin/experiments/experiment/<slug:key>/{page}": ("GET", "experiments.view_experiment")
        for page in ("results/", "results.csv", "days.csv", "segments/", "segments.csv", "ages.csv", "debug/")
    },
    "admin/experiments/experiment/<slug:key>/design/": ("GET", "experiments.change_experiment"),
    "admin/experiments/experiment/<slug:key>/override/": ("POST", "experiments.override_experiment"),
    # Of the start; each act has a permission of its own: tests/experiments/test_admin_acts.py.
    "admin/experiments/experiment/<slug:key>/act/<str:name>/": ("GET", "experiments.start_experiment"),
    "admin/core/auditentry/export/": ("GET", "core.view_auditentry"),
    "admin/accounts/user/<id>/password/": ("GET", "accounts.change_user"),
    "admin/recommendations/viewer/<id:object_id>/now/": ("GET", "recommendations.view_viewer"),
    "admin/recommendations/viewer/slates/<uuid:slate_id>/": (
        "GET",
        "recommendations.view_viewer",
    ),
    "admin/recommendations/viewer/<id:object_id>/export/": ("POST", "recommendations.export_viewer"),
    "admin/training/trainingrun/retrain/": ("POST", "training.add_trainingrun"),
    "admin/training/recipe/<id:object_id>/let-go/": ("GET", "training.roll_back_rollout"),
    "admin/training/modelversion/<id:object_id>/override/": ("GET", "training.override_gate"),
    "admin/training/modelversion/<id:object_id>/go-back/": ("GET", "training.roll_back_rollout"),
    "admin/training/rollout/timeline/": ("GET", "training.view_rollout"),
    # Of the rollback; each act has a permission of its own: tests/training/test_admin_rollouts.py.
    "admin/training/rollout/<id:object_id>/act/<str:name>/": ("GET", "training.roll_back_rollout"),
}
TABLE_PAGES = re.compile(r"admin/(\w+)/(\w+)/(add/|<path:object_id>/((history|delete|change)/)?)?")

SERVED: dict[str, set[str]] = {
    ANYBODY: {"nobody", "guest", "viewer", "key without scope", "key with scope", "staff"},
    READER: {"nobody", "guest", "viewer", "key with scope", "staff"},
    PERSON: {"nobody", "guest", "viewer", "staff"},
    KNOWN: {"guest", "viewer", "staff"},
    SPEAKER: {"guest", "viewer", "key with scope", "staff"},
    ACTOR: {"viewer", "key with scope", "staff"},
    ACCOUNT: {"viewer", "staff"},
}
ROLES = (
    "nobody",
    "guest",
    "viewer",
    "key without scope",
    "key with scope",
    "staff",
    "staff with permission",
)


def is_served(role: str, who: Who) -> bool:
    if isinstance(who, tuple):
        return role == "staff with permission" or (role == "key with scope" and who[1] is not None)
    return role.replace(" with permission", "") in SERVED[who]
