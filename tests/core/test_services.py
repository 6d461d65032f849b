import pytest

from apps.core.models import AuditEntry
from apps.core.services import forget_actor, record_audit
from tests.factories import make_staff, make_user

pytestmark = pytest.mark.django_db


def test_records_who_did_what_to_whom_and_why() -> None:
    staff, user = make_staff(username="grace"), make_user()
    entry = record_audit(
        "accounts.deactivate", by=staff, target=user, before={"on": True}, after={"on": False}, reason="spam"
    )
    entry.refresh_from_db()
    assert (entry.actor_id, entry.actor_name, entry.action) == (staff.pk, "grace", "accounts.deactivate")
    assert (entry.target_type, entry.target_id) == ("accounts.user", str(user.pk))
    assert (entry.before, entry.after, entry.reason) == ({"on": True}, {"on": False}, "spam")
    assert str(entry) == f"accounts.deactivate accounts.user {user.pk}"


def test_records_the_system_as_itself() -> None:
    entry = record_audit("training.start", by=None)
    assert (entry.actor_id, entry.actor_name, entry.target_type, str(entry)) == (
        None,
        "system",
        "",
        "training.start",
    )


def test_forgets_one_actor_only() -> None:
    gone, here = make_staff(), make_staff(username="grace")
    for staff in (gone, here, gone):
        record_audit("something", by=staff)
    assert forget_actor(actor_id=gone.pk) == 2
    names = AuditEntry.objects.order_by("id").values_list("actor_name", flat=True)
    assert list(names) == ["", "grace", ""]
