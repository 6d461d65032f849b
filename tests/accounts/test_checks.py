from django.core.checks import run_checks


def found(settings, **changes: str | None) -> list[str]:
    rates = {**settings.THROTTLE_RATES, **changes}
    settings.THROTTLE_RATES = {name: rate for name, rate in rates.items() if rate is not None}
    return [f"{problem.id} {problem.msg}" for problem in run_checks() if problem.id.startswith("accounts.")]


def test_finds_nothing_wrong_with_the_defaults(settings) -> None:
    assert found(settings) == []


def test_finds_a_rate_that_cannot_be_read(settings) -> None:
    assert found(settings, read="0/m", write="5 per minute") == [
        "accounts.E001 THROTTLE_RATES['write'] is '5 per minute'; write it like '5/m'",
        "accounts.E001 THROTTLE_RATES['read'] is '0/m'; write it like '5/m'",
    ]


def test_finds_a_rate_that_is_missing(settings) -> None:
    assert found(settings, new_guest=None) == ["accounts.E002 THROTTLE_RATES lacks 'new_guest'"]
