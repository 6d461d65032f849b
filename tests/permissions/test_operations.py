"""What operators read at the root of the site, asked as every kind of caller."""

import pytest

from tests.callers import METHODS, Caller, signed_in, undone
from tests.factories import make_api_key, make_staff
from tests.permissions.cast import Cast
from tests.permissions.tables import OPERATIONS, REFUSED, ROLES, is_served

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ROLES)
def test_operations_serve_and_refuse(role: str) -> None:
    cast = Cast()
    for (method, route), who in OPERATIONS.items():
        with undone():
            caller = cast.caller(role, who)
            if role == "key without scope":
                key = make_api_key("act_for_users", "catalog.write", "analytics.read")[1]
                caller = Caller({"Authorization": f"Api-Key {key}"}, user=cast.other)
            response = caller.send(method, f"/{route}")
        assert response.status_code in ({200} if is_served(role, who) else REFUSED), role


def test_staff_with_the_permission_read_them_in_the_browser() -> None:
    for (method, route), who in OPERATIONS.items():
        staff = signed_in(make_staff(permissions=[who[0]]))
        assert staff.send(method, f"/{route}").status_code == 200


def test_operations_have_no_other_method() -> None:
    for route in {route for _, route in OPERATIONS}:
        for method in METHODS:
            if (method, route) not in OPERATIONS:
                key = make_api_key("metrics.read")[1]
                caller = Caller({"Authorization": f"Api-Key {key}"}, user=make_staff())
                assert caller.send(method, f"/{route}").status_code == 405, method
