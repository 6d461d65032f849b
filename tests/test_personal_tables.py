"""Every table there is: either a source hands it out and erases it, or it says here why it holds nobody."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.models import Model

from apps.accounts.models import User
from apps.accounts.privacy import erase_user, registered_sources
from apps.core.services import record_audit
from apps.events.models import Slate, SlateAssignment
from tests.house import House, make_house
from tests.pages.conftest import nothing_kept
from tests.test_privacy import exported, leave_every_trace, words_of

__all__ = ["nothing_kept"]

pytestmark = pytest.mark.django_db

# The source that hands a table out, and the columns that it leaves out: "user_id" and an id that nothing
# else names go without saying.
PERSONAL: dict[str, tuple[str, str]] = {
    "users": ("profile", "password"),
    "users_groups": ("profile", "group_id"),
    "users_user_permissions": ("profile", "permission_id"),
    # What opens a session, ends it or was put into it by the site.
    "sessions": ("sessions", "session_key session_data handle expire_date"),
    "token_blacklist_outstandingtoken": ("tokens", "token"),
    "token_blacklist_blacklistedtoken": ("tokens", "token_id blacklisted_at"),
    # The values may be somebody else's.
    "audit_entries": ("audit", "actor_id actor_name before after request_id"),
    "django_admin_log": (
        "audit",
        "action_time content_type_id object_id object_repr action_flag change_message",
    ),
    # How the site drew the list, from which its makers can draw it again.
    "slates": ("slates", "unit_key context_index latency_ms owners posterior seed strategy_config"),
    "slate_assignments": ("slates", "slate_id experiment_key phase variant counted"),
    "recommendation_events": ("impressions", ""),
    "feedback": ("feedback", "unit_key"),
    # By whom is a colleague's name.
    "experiment_overrides": ("experiment_overrides", "unit_key created_by"),
    "experiment_unit_days": ("experiment_days", "unit_key"),
    # Of what staff did: what it was decided from is of all viewers together.
    "experiment_decisions": (
        "experiment_acts",
        "phase step by acted figures verdict policy undoes_id",
    ),
    "rollouts": ("rollouts", "recipe_id experiment_id asked_by"),
    "model_activations": ("activations", "version_id recipe_id by"),
    # Of what staff held: the rest is of the models.
    "recipes": ("holds", "parameters description held_by created_at"),
    "experiment_unit_totals": ("experiment_totals", "unit_key"),
    # Of what staff did: what was measured is of all viewers together.
    "recipe_back_tests": (
        "back_tests",
        "parameters against_parameters run_id cut_at n_train n_test n_people checks metrics passed seconds"
        " created_at overridden_by",
    ),
    "imports": ("imports", ""),
    "import_rows": ("import_rows", ""),
    # When a row was last written here; changed_at is when the person said it.
    "ratings": ("ratings", "updated_at"),
    "favorites": ("favorites", "updated_at"),
    "watchlist_items": ("watchlist", "updated_at"),
    "thumbs": ("thumbs", "updated_at"),
    "dismissals": ("dismissals", "updated_at"),
    "unseen_films": ("unseen", "updated_at"),
    "moved_preferences": ("moved_preferences", "merge_id"),
}
FILMS = "says something of films and of nobody who watches them"
SITE = "says how the site runs"
EXEMPT: dict[str, str] = {
    **dict.fromkeys(("movies", "genres", "people", "keywords", "movie_genres", "movie_keywords"), FILMS),
    **dict.fromkeys(("movie_people", "movie_merges", "entities", "triples"), FILMS),
    "rating_departures": "the number of somebody who is in no other row, for as long as a fit may lag behind",
    "movie_days": "counts by film and day, of all viewers together",
    **dict.fromkeys(
        ("training_runs", "model_versions", "model_update_logs", "serving_policy", "heartbeats"),
        SITE,
    ),
    "drift_days": "shares of all viewers together",
    **dict.fromkeys(("bandit_policies", "bandit_states", "bandit_checks"), "counts of all viewers together"),
    **dict.fromkeys(("experiments", "experiment_variants", "experiment_phases"), "says what staff set up"),
    **dict.fromkeys(("experiment_layers", "experiment_holdout"), SITE),
    **dict.fromkeys(("experiment_snapshots", "experiment_latency_days"), "sums over all viewers together"),
    "experiment_rollup": SITE,
    "api_keys": "names programs; a key has no owner",
    **dict.fromkeys(("auth_group", "auth_group_permissions", "auth_permission"), "names rights"),
    **dict.fromkeys(("django_content_type", "django_migrations"), SITE),
    **{f"django_celery_beat_{name}": SITE for name in ("clockedschedule", "crontabschedule")},
    **{f"django_celery_beat_{name}": SITE for name in ("intervalschedule", "periodictask")},
    **{f"django_celery_beat_{name}": SITE for name in ("periodictasks", "solarschedule")},
}
# Of these, what is told by another name or in another place is asserted by hand below.
TOLD_OTHERWISE = {
    "users_groups",
    "users_user_permissions",
    "token_blacklist_blacklistedtoken",
    "django_admin_log",
    "slate_assignments",
}


@pytest.fixture
def house(nothing_kept: None) -> House:
    return make_house()


def tables() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def models_by_table() -> Mapping[str, type[Model]]:
    every = apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in every if not model._meta.proxy}


def unknown(found: set[str]) -> set[str]:
    """Tables in neither list, and listed ones that are gone."""
    return found ^ (PERSONAL.keys() | EXEMPT.keys())


def test_every_table_is_handed_out_or_says_why_it_is_not() -> None:
    assert unknown(tables()) == set(), "Give the table a source and name it in PERSONAL, or say why in EXEMPT"
    assert not PERSONAL.keys() & EXEMPT.keys()
    assert {source for source, _ in PERSONAL.values()} == {one.name for one in registered_sources()}


def test_a_table_that_is_in_neither_list_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE diary (id integer, user_id bigint)")
        try:
            assert unknown(tables()) == {"diary"}
        finally:
            cursor.execute("DROP TABLE diary")


def test_no_exempt_table_points_at_a_person() -> None:
    """By a key, by a plain column of a person's id or key, or by a table that does."""
    # What a fit must forget bears the number of whom, for minutes: to everything else it names nobody.
    to_forget = {"rating_departures"}
    # A recipe bears the name of whoever holds it, and what is fitted from it is of nobody.
    own = PERSONAL.keys() - {"recipes"}
    named = {"user_id", "actor_id", "owner_id", "viewer_id", "unit_key", "username", "email"}
    by_table = models_by_table()
    for table in (EXEMPT.keys() & by_table.keys()) - to_forget:
        fields = by_table[table]._meta.local_fields
        assert not {field.column for field in fields} & named, table
        pointed_at = {field.related_model._meta.db_table for field in fields if field.is_relation}
        assert not pointed_at & own, table


def test_every_column_is_handed_out_or_left_out_by_name(house: House) -> None:
    """Guests included: of the guest that somebody was, each table holds something too."""
    account, was = leave_every_trace(house)
    held, guests = exported(account), exported(was)
    for table, (source, left_out) in PERSONAL.items():
        if table in TOLD_OTHERWISE:
            continue
        columns = {field.attname for field in models_by_table()[table]._meta.local_fields}
        expected = columns - set(left_out.split()) - {"user_id"}
        for row in held[source] + guests[source]:
            assert expected - row.keys() <= {"id"}, f"{table}: {expected - row.keys()}"
        assert set(left_out.split()) <= columns, table


def test_what_hangs_on_a_row_is_handed_out_with_it(house: House) -> None:
    account, _ = leave_every_trace(house)
    slate = Slate.objects.filter(user=account).earliest("created_at")
    SlateAssignment.objects.create(slate=slate, experiment_key="a", phase=2, variant="b", counted=True)
    held = exported(account)
    (told,) = (row["assignments"] for row in held["slates"] if row["id"] == str(slate.pk))
    assert {"experiment_key": "a", "phase": 2, "variant": "b", "counted": True} in told
    assert {"groups", "permissions"} <= held["profile"][0].keys()
    assert "ended_at" in held["tokens"][0]


def test_nothing_of_the_person_is_left_in_the_cache_or_in_a_colleagues_audit(house: House) -> None:
    account, was = leave_every_trace(house)
    other = User.objects.create_user("colleague", is_staff=True)
    record_audit("accounts.deactivate_user", by=other, target=account, reason="Asked by mail")
    words = words_of(account) + words_of(was)
    erase_user(account, by=other)
    assert not [text for text in cached() if any(word in text for word in words)]
    kept = exported(other)["audit"]
    assert {row["action"] for row in kept} == {"accounts.deactivate_user", "accounts.erase_user"}
    assert not [row for row in kept if any(word in str(row).replace("-", "").lower() for word in words)]


def cached() -> Iterator[str]:
    """Keys and values of the cache of this process, as text."""
    store: Any = cache
    for key, value in store._cache.items():
        yield f"{key} {bytes(value).decode('latin-1')}".replace("-", "").lower()
