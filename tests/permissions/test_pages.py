"""Pages are for anybody, by the methods that they have."""

import pytest

from tests.callers import METHODS, Caller, bearer, guest, signed_in, undone
from tests.factories import make_user
from tests.permissions.cast import Cast
from tests.permissions.tables import ADD_MOVIE, PAGES

pytestmark = pytest.mark.django_db

# A link that opens nothing leads to another page; an empty form comes back or is refused.
PAGE_STATUSES = {200, 301, 302, 400}


def test_pages_are_for_anybody_by_the_methods_that_they_have() -> None:
    cast = Cast()
    callers = {
        "nobody": Caller({}, user=cast.other),
        "guest": guest(),
        "viewer": signed_in(cast.viewer),
        "staff": signed_in(cast.staff),
    }
    for role, caller in callers.items():
        for route, methods in PAGES.items():
            for method in METHODS:
                with undone():
                    status = caller.send(method, cast.path(route, 0)).status_code
                # Who has no cookie has no CSRF token, which is asked for before the method.
                is_unsigned = method != "GET" and role == "nobody" and not route.startswith("api/")
                expected = {403} if is_unsigned else PAGE_STATUSES if method in methods else {405}
                assert status in expected, f"{role}: {method} /{route}: {status}"


def test_a_form_needs_the_csrf_token() -> None:
    cast = Cast()
    for caller in (guest(csrf=False), signed_in(cast.viewer, csrf=False)):
        for route, methods in PAGES.items():
            if "POST" in methods:
                assert caller.send("POST", cast.path(route, 0)).status_code == 403, route


def test_a_programs_credential_opens_no_page_and_no_admin() -> None:
    cast = Cast()
    root = bearer(make_user(is_staff=True, is_superuser=True))
    assert root.user.username not in root.send("GET", "/").content.decode()
    assert root.send("GET", "/admin/").status_code == 302
    assert cast.caller("key with scope", ADD_MOVIE).send("GET", "/admin/").status_code == 302
