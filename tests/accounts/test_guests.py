import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.accounts.services import ensure_guest, merge_guest, register_account
from apps.core.errors import Conflict, TooMany
from tests.factories import make_guest, make_user

ADDRESS = "192.0.2.7"


@pytest.mark.django_db
def test_makes_the_guest_of_a_unit_once() -> None:
    key = uuid.uuid4()
    guest = ensure_guest(unit_key=key, address=ADDRESS)
    assert ensure_guest(unit_key=key, address=ADDRESS) == guest
    assert (guest.unit_key, guest.is_guest, guest.has_usable_password()) == (key, True, False)
    assert guest.username.startswith("guest-")
    assert key.hex not in guest.username


@pytest.mark.django_db
def test_makes_a_new_guest_for_a_key_that_is_an_accounts() -> None:
    account = make_user()
    guest = ensure_guest(unit_key=account.unit_key, address=ADDRESS)
    assert guest.is_guest
    assert guest.unit_key != account.unit_key


@pytest.mark.django_db
def test_refuses_too_many_new_guests_of_one_address(time_machine) -> None:
    time_machine.move_to("2026-11-21T12:59:30Z", tick=False)
    keys = [uuid.uuid4() for _ in range(20)]
    for key in keys:
        ensure_guest(unit_key=key, address=ADDRESS)
    with pytest.raises(TooMany) as refusal:
        ensure_guest(unit_key=uuid.uuid4(), address=ADDRESS)
    # 21 acts of this hour must weigh 19 at most in the next: after 30 s and 2/21 of an hour.
    assert refusal.value.detail == "Too many new visitors from this address: try again in 373 seconds"
    assert refusal.value.retry_after == 373
    assert ensure_guest(unit_key=keys[0], address=ADDRESS)
    assert ensure_guest(unit_key=uuid.uuid4(), address="192.0.2.8")


@pytest.mark.django_db(transaction=True)
def test_makes_one_guest_when_several_requests_begin_at_once() -> None:
    key = uuid.uuid4()

    def begin(_: int) -> int:
        try:
            return ensure_guest(unit_key=key, address=ADDRESS).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(8)))) == 1
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_merging_deactivates_the_guest_and_can_be_repeated() -> None:
    guest, account = make_guest(timezone="Asia/Tokyo"), make_user()
    for _ in range(2):
        assert merge_guest(guest=guest, into=account) == account
    guest.refresh_from_db()
    account.refresh_from_db()
    assert (guest.merged_into, guest.is_active, guest.is_guest) == (account, False, True)
    assert account.timezone == "Asia/Tokyo"


@pytest.mark.django_db
def test_the_accounts_own_values_win() -> None:
    account = make_user(timezone="Europe/Paris")
    merge_guest(guest=make_guest(timezone="Asia/Tokyo"), into=account)
    account.refresh_from_db()
    assert account.timezone == "Europe/Paris"


@pytest.mark.django_db
def test_refuses_to_merge_what_is_no_guest_or_into_none() -> None:
    guest, account = make_guest(), make_user()
    with pytest.raises(Conflict, match=r"^A guest can be merged only into an account$"):
        merge_guest(guest=guest, into=make_guest())
    merge_guest(guest=guest, into=account)
    for wrong in (guest, account):
        with pytest.raises(Conflict, match=r"^This is no guest, or one that went over to another account$"):
            merge_guest(guest=wrong, into=make_user())


@pytest.mark.django_db
def test_signing_up_keeps_the_guests_row() -> None:
    guest = make_guest(timezone="Asia/Tokyo")
    account = register_account(
        username="ada", password="a-fine-Passphrase-7", email="", guest=guest, address=ADDRESS
    )
    assert (account.pk, account.unit_key, account.timezone) == (guest.pk, guest.unit_key, "Asia/Tokyo")
    assert (account.username, account.is_guest) == ("ada", False)
    assert account.check_password("a-fine-Passphrase-7")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_refuses_to_claim_a_guest_twice() -> None:
    guest = make_guest()
    register_account(username="ada", password="a-fine-Passphrase-7", email="", guest=guest, address=ADDRESS)
    stale = User(pk=guest.pk, is_guest=True)
    with pytest.raises(Conflict, match=r"^This guest has an account already: log in$"):
        register_account(
            username="eve", password="a-fine-Passphrase-7", email="", guest=stale, address=ADDRESS
        )
    assert User.objects.get().username == "ada"
