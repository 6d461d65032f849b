"""Whether the counts are what base and log say, and making them so."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from django.db import connection, transaction
from django.utils import timezone

from apps.bandits.beliefs import forget_bandits
from apps.bandits.models import BanditCheck, BanditPolicy
from apps.core.errors import NotFound
from apps.core.services import record_audit

TOLERANCE = 1e-6
N_KEPT = 100
SUMS = ("shown", "successes", "shown_weighted", "successes_weighted", "first_draws")

# Of JSON each database has its own way: the arm drawn first, and what that weighs.
_FIRST = {
    "postgresql": ("posterior -> 'arms' ->> 0", "(posterior ->> 'draw_weight')::double precision"),
    "sqlite": ("json_extract(posterior, '$.arms[0]')", "json_extract(posterior, '$.draw_weight')"),
}
_EXPECTED = """
WITH told AS (
SELECT context, arm, base_shown AS shown, base_successes AS successes, base_shown_weighted AS shown_weighted,
base_successes_weighted AS successes_weighted, base_first_draws AS first_draws
FROM bandit_states WHERE policy_version = %(version)s
UNION ALL
SELECT film.bandit_context, film.algorithm, 1, CASE WHEN film.outcome = 'success' THEN 1 ELSE 0 END,
film.weight, CASE WHEN film.outcome = 'success' THEN film.weight ELSE 0 END, 0
FROM recommendation_events AS film JOIN slates ON slates.id = film.slate_id
WHERE slates.bandit_version = %(version)s AND slates.counted
AND film.bandit_context IS NOT NULL AND film.propensity IS NOT NULL
UNION ALL
SELECT context_index, {arm}, 0, 0, 0, 0, {weight}
FROM slates WHERE bandit_version = %(version)s AND counted AND {arm} IS NOT NULL
), expected AS (
SELECT context, arm, {sums} FROM told GROUP BY context, arm
)
"""
_COMPARE = """
SELECT expected.context, expected.arm, {expected}, {held}
FROM expected LEFT JOIN bandit_states AS held
ON held.policy_version = %(version)s AND held.context = expected.context AND held.arm = expected.arm
ORDER BY expected.context, expected.arm
"""
# "WHERE TRUE" tells SQLite that the ON after it is no join's.
_WRITE = """
INSERT INTO bandit_states (policy_version, context, arm, {columns})
SELECT %(version)s, context, arm, {columns} FROM expected WHERE TRUE
ON CONFLICT (policy_version, context, arm) DO UPDATE SET {sets}
"""


@dataclass(frozen=True)
class Difference:
    """A cell whose counts are not what base and log say; both by name."""

    context: int
    arm: str
    held: Mapping[str, float]
    expected: Mapping[str, float]


@dataclass(frozen=True)
class Check:
    """``n_cells`` were compared."""

    version: int
    n_cells: int
    differing: Sequence[Difference]

    def as_json(self, limit: int | None = None) -> dict[str, object]:
        cells = [asdict(one) for one in self.differing[:limit]]
        return {
            "version": self.version,
            "n_cells": self.n_cells,
            "n_differing": len(self.differing),
            "differing": cells,
        }


def check(version: int) -> Check:
    """Compares counts with base and log in one statement, so that both are of one moment.

    Weighted sums may differ by a millionth. Raises ``NotFound`` for a version that there is not.
    """
    _require(version)
    return _compare(version)


def check_all() -> list[Check]:
    """Checks every version, and keeps the result as its last."""
    versions = BanditPolicy.objects.order_by("version").values_list("version", flat=True)
    found = [_compare(version) for version in versions]
    for one in found:
        told = one.as_json(N_KEPT)
        values = {name: told[name] for name in ("n_cells", "n_differing", "differing")}
        BanditCheck.objects.update_or_create(
            policy=BanditPolicy(version=one.version), defaults=values | {"checked_at": timezone.now()}
        )
    return found


@transaction.atomic
def rebuild(version: int) -> Check:
    """Makes the counts what base and log say; what they were before.

    Serving and feedback wait meanwhile where they would count. Raises ``NotFound`` for a version that there
    is not.
    """
    _require(version)
    _lock_states()
    before = _compare(version)
    sets = ", ".join(f"{name} = excluded.{name}" for name in SUMS)
    sql = _expected_sql() + _WRITE.format(columns=", ".join(SUMS), sets=sets)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"version": version})
    record_audit(
        "bandits.rebuild",
        by=None,
        target=BanditPolicy(version=version),
        after={"n_cells": before.n_cells, "n_corrected": len(before.differing)},
    )
    transaction.on_commit(forget_bandits)
    return before


def _require(version: int) -> None:
    if not BanditPolicy.objects.filter(pk=version).exists():
        raise NotFound(f"There is no version {version} of the bandit's policy")


def _lock_states() -> None:
    """Nobody counts until this transaction ends. The log is read after it, by a later statement, which sees
    all that was counted before; SQLite has one transaction at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE bandit_states IN SHARE ROW EXCLUSIVE MODE")


def _expected_sql() -> str:
    arm, weight = _FIRST[connection.vendor]
    sums = ", ".join(f"SUM({name}) AS {name}" for name in SUMS)
    return _EXPECTED.format(arm=arm, weight=weight, sums=sums)


def _compare(version: int) -> Check:
    expected = ", ".join(f"expected.{name}" for name in SUMS)
    held = ", ".join(f"COALESCE(held.{name}, 0)" for name in SUMS)
    with connection.cursor() as cursor:
        cursor.execute(_expected_sql() + _COMPARE.format(expected=expected, held=held), {"version": version})
        cells = [_difference(*row) for row in cursor.fetchall()]
    return Check(version, len(cells), [one for one in cells if not _agrees(one)])


def _difference(context: int, arm: str, *values: float) -> Difference:
    numbers = [float(value) for value in values]
    expected, held = numbers[: len(SUMS)], numbers[len(SUMS) :]
    return Difference(
        context, arm, held=dict(zip(SUMS, held, strict=True)), expected=dict(zip(SUMS, expected, strict=True))
    )


def _agrees(cell: Difference) -> bool:
    """Relative to the larger; of successes to what was shown, since they are added and taken back."""
    for name in SUMS:
        held, expected = cell.held[name], cell.expected[name]
        scale = max(1.0, abs(held), abs(expected))
        if name == "successes_weighted":
            scale = max(scale, cell.expected["shown_weighted"])
        allowed = TOLERANCE * scale if name.endswith("weighted") or name == "first_draws" else 0.0
        if abs(held - expected) > allowed:
            return False
    return True
