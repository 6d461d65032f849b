import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.keys import create_api_key, find_api_key, revoke_api_key
from apps.accounts.models import ApiKey
from apps.core.errors import Conflict, CredentialsRefused, InvalidInput
from apps.core.models import AuditEntry
from tests.factories import make_api_key, make_staff

pytestmark = pytest.mark.django_db


def test_stores_only_the_digest_and_a_prefix() -> None:
    key, text = make_api_key("catalog.write", "act_for_users", "catalog.write")
    assert len(text) == 43
    assert key.digest == hashlib.sha256(text.encode()).hexdigest()
    assert (key.prefix, key.scopes) == (text[:12], ["act_for_users", "catalog.write"])
    assert find_api_key(text) == key
    assert text not in str(ApiKey.objects.values().get())


def test_writes_down_who_made_and_who_revoked_a_key() -> None:
    staff = make_staff(username="grace")
    key, text = create_api_key(name="loader", scopes=["catalog.write"], expires_at=None, by=staff)
    revoke_api_key(key=key, by=staff)
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor_name", "target_id", "after")
    assert list(entries) == [
        ("accounts.create_api_key", "grace", str(key.pk), {"name": "loader", "scopes": ["catalog.write"]}),
        ("accounts.revoke_api_key", "grace", str(key.pk), {}),
    ]
    with pytest.raises(CredentialsRefused, match=r"^This API key has been revoked$"):
        find_api_key(text)


def test_refuses_to_revoke_twice() -> None:
    key, _ = make_api_key("catalog.write", name="loader")
    revoke_api_key(key=key, by=None)
    with pytest.raises(Conflict, match=r"^The key 'loader' is revoked already$"):
        revoke_api_key(key=key, by=None)


def test_refuses_scopes_that_do_not_exist() -> None:
    with pytest.raises(InvalidInput) as refusal:
        make_api_key("catalog.write", "everything")
    assert refusal.value.detail == (
        "There is no scope 'everything'; there are: "
        "act_for_users, catalog.write, analytics.read, metrics.read"
    )


def test_refuses_a_key_without_scope_or_future() -> None:
    with pytest.raises(InvalidInput, match=r"^A key needs at least one scope$"):
        make_api_key()
    with pytest.raises(InvalidInput, match=r"^A key must expire in the future$"):
        make_api_key("catalog.write", expires_at=timezone.now() - timedelta(seconds=1))
