"""Every address there is stands in a table."""

import pytest

from tests.callers import addresses, api_routes
from tests.permissions.tables import ADMIN, API, OPERATIONS, PAGES, TABLE_PAGES


def test_every_address_of_the_api_is_in_the_table() -> None:
    for method, route in sorted(api_routes() ^ set(API)):
        known = "is in no table: say in API who may use it" if (method, route) not in API else "is gone"
        pytest.fail(f"{method} /api/v1/{route} {known}")


def test_every_page_is_in_the_table() -> None:
    found = {address.route for address in addresses() if not address.route.startswith(("api/v1/", "admin/"))}
    for route in sorted(found ^ {*PAGES, *(route for _, route in OPERATIONS)}):
        known = "is in no table: say in PAGES which methods it has" if route not in PAGES else "is gone"
        pytest.fail(f"/{route} {known}")


def test_every_address_of_the_admin_is_in_the_table() -> None:
    found = {address.route for address in addresses() if address.route.startswith("admin/")}
    own = {route for route in found if not TABLE_PAGES.fullmatch(route) or route in ADMIN}
    for route in sorted(own ^ set(ADMIN)):
        known = "is in no table: say in ADMIN what it takes" if route not in ADMIN else "is gone"
        pytest.fail(f"/{route} {known}")
