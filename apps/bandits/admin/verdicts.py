"""What other policies would have earned, beside what was shown: the chart, and a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.bandits.models import BanditPolicy
from apps.bandits.services.judging import Judgement, judge, latest_version, previous_version
from apps.bandits.services.targets import TERMS, UNIFORM, VERSION
from apps.core.admin.sheets import Column, Sheet, count, decimal, share, signed_share
from apps.core.charts import Chart, Interval, interval_chart

MOST_FILMS = 100_000
"""Of the newest that a page judges from, in some seconds; a command reads more."""
ESTIMATOR = "dr"
PREVIEW_DAYS = 30
COLUMNS = (
    Column.text("Policy", "policy"),
    Column.text("Verdict", "verdict"),
    Column("Success", ("value",), share),
    Column("95 % interval", ("low", "high"), share),
    Column("Difference", ("lift",), signed_share),
    Column("95 % of that", ("lift_low", "lift_high"), signed_share),
    Column("Effective sample", ("ess",), count),
    Column("Mean weight", ("mean_weight",), decimal),
)
_ABOUT = (
    "Success is that of a film shown. The verdict is on the difference from what was shown: unclear is one"
    " that may be chance."
)


@dataclass(frozen=True)
class VerdictPage:
    """``chart`` is None and ``judged_from`` empty where no film counts. ``is_cut`` says that older films were
    left out.
    """

    chart: Chart | None
    sheet: Sheet
    judged_from: str
    is_cut: bool


def verdict_page(policy: BanditPolicy, days: int, csv_url: str) -> VerdictPage:
    """Uniform, each arm alone and the version before, from the log of ``policy``. At most six queries."""
    before = previous_version(policy)
    names = [UNIFORM, *policy.arms, *([f"{VERSION}{before}"] if before else [])]
    found = judge(names, version=policy.version, days=days, estimators=[ESTIMATOR], most=MOST_FILMS)
    n_films = found[0].n_films
    rows = [_logged(found[0]), *(_row(one) for one in found)]
    return VerdictPage(
        chart=_chart(rows) if n_films else None,
        sheet=Sheet("Policies", COLUMNS, rows, csv_url, _ABOUT, main="is_log"),
        judged_from=_judged_from(found[0]) if n_films else "",
        is_cut=n_films == MOST_FILMS,
    )


@dataclass(frozen=True)
class Preview:
    """``version`` is whose log it was judged from; ``draws`` says whether it would draw by belief."""

    sheet: Sheet
    judged_from: str
    version: int
    days: int
    draws: bool


def preview(policy: BanditPolicy, title: str, name_of: Callable[[BanditPolicy], str]) -> Preview:
    """One policy of the arms of ``policy``, from the log of the newest version of theirs that served.

    ``name_of`` gives the policy's name as that version's log has it. Raises as ``judge``.
    """
    logged = BanditPolicy.objects.get(version=latest_version(policy.arms))
    name = name_of(logged)
    (found,) = judge(
        [name], version=logged.version, days=PREVIEW_DAYS, estimators=[ESTIMATOR], most=MOST_FILMS
    )
    return Preview(
        sheet=Sheet(
            "Beside what was shown", COLUMNS, [_logged(found), _row(found, title)], "", main="is_log"
        ),
        judged_from=_judged_from(found) if found.n_films else "",
        version=logged.version,
        days=PREVIEW_DAYS,
        draws=name.startswith(TERMS),
    )


def _judged_from(judged: Judgement) -> str:
    n_units = judged.estimates[ESTIMATOR].n_units
    return f"{judged.n_films:,} films shown to {n_units:,} viewers"


def _logged(judged: Judgement) -> dict[str, Any]:
    low, high = judged.logged_ci or (None, None)
    return {
        "policy": "What was shown",
        "value": judged.logged,
        "low": low,
        "high": high,
        "verdict": None,
        "is_sure": True,
        "is_log": True,
    }


def _row(judged: Judgement, title: str = "") -> dict[str, Any]:
    found = judged.estimates[ESTIMATOR]
    low, high = found.ci or (None, None)
    lift_low, lift_high = found.lift_ci or (None, None)
    return {
        "policy": title or _title(judged.policy),
        "value": found.value,
        "low": low,
        "high": high,
        "lift": found.lift,
        "lift_low": lift_low,
        "lift_high": lift_high,
        "ess": found.ess,
        "mean_weight": found.mean_weight,
        "verdict": found.verdict or f"none: {found.reason}",
        "is_sure": found.verdict is not None,
    }


def _title(name: str) -> str:
    if name == UNIFORM:
        return "All arms alike"
    if name.startswith(VERSION):
        return f"Version {name.removeprefix(VERSION)}"
    return f"{name} alone"


def _chart(rows: Sequence[dict[str, Any]]) -> Chart:
    logged = rows[0]["value"]
    return interval_chart([_interval(row) for row in rows], guide=(logged, f"shown: {share(logged)}"))


def _interval(row: dict[str, Any]) -> Interval:
    """Without a verdict nothing is drawn: a wide guess would only make the others small."""
    if not row["is_sure"]:
        return Interval(row["policy"], None, None, "no verdict")
    ends = None if row["low"] is None else (row["low"], row["high"])
    note = share(row["value"]) + (f", {share(ends[0])} to {share(ends[1])}" if ends else "")
    return Interval(row["policy"], row["value"], ends, note, is_main=bool(row.get("is_log")))
