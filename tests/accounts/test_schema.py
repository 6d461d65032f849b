import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


@pytest.fixture(scope="module")
def schema() -> dict:
    GENERATOR_STATS.reset()
    return SchemaGenerator(urlconf="tests.accounts.schema_urls").get_schema(request=None, public=True)


def test_describes_every_address_without_a_warning(schema: dict) -> None:
    validate_schema(schema)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    assert sorted(schema["paths"]) == [
        "/api/v1/auth/password/change",
        "/api/v1/auth/password/reset",
        "/api/v1/auth/password/reset/confirm",
        "/api/v1/auth/register",
        "/api/v1/auth/token",
        "/api/v1/auth/token/blacklist",
        "/api/v1/auth/token/refresh",
        "/api/v1/me",
        "/api/v1/me/export",
    ]


def test_describes_every_credential(schema: dict) -> None:
    schemes = schema["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "apiKey": "apiKey",
        "guest": "apiKey",
        "jwtAuth": "http",
        "session": "apiKey",
    }
    assert schema["paths"]["/api/v1/auth/token/refresh"]["post"].get("security") is None


def test_never_gives_a_password_back(schema: dict) -> None:
    for name, component in schema["components"]["schemas"].items():
        if not name.endswith("Request"):
            assert not set(component["properties"]) & {"password", "current_password", "new_password"}, name
