"""What a version did, day by day and arm by arm: charts, tables, and the words for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from scipy.special import bdtrik

from apps.algorithms.ope import rate_interval
from apps.bandits.activity import Activity, ArmActivity, Day, activity_of, has_lists
from apps.bandits.models import BanditPolicy
from apps.core.admin.sheets import Column, Sheet, count, share
from apps.core.charts import Chart, Interval, Series, day_chart, interval_chart

SUCCESS_COLUMNS = (
    Column.text("Arm", "arm"),
    Column("Viewers", ("viewers",), count),
    Column("Films shown", ("shown",), count),
    Column("Of all films", ("share",), share),
    Column("Successes", ("successes",), count),
    Column("Success", ("rate",), share),
    Column("95 % interval", ("low", "high"), share),
)
SHEETS = ("arms", "success", "days")
_ENDS = (0.025, 0.975)
_LEAST_TOP = 0.05
"""Of the chart of lists explored and held back: below it lines would be all noise."""


@dataclass(frozen=True)
class ActivityPage:
    """``explored``, ``capped`` and ``undrawn`` are sentences, empty without such lists; charts are None
    without any.

    ``is_uncounted`` says that there are lists in the period and none of them counts.
    """

    activity: Activity
    is_uncounted: bool
    explored: str
    capped: str
    undrawn: str
    draws_chart: Chart | None
    exploring_chart: Chart | None
    success_chart: Chart | None
    sheets: Mapping[str, Sheet]


def activity_page(policy: BanditPolicy, days: int, csv_urls: Mapping[str, str]) -> ActivityPage:
    """``csv_urls`` by the names in ``SHEETS``. Five queries, and one more where no list counts."""
    found = activity_of(policy.version, days=days)
    has_draws = found.drawn > 0
    return ActivityPage(
        activity=found,
        is_uncounted=not found.lists and has_lists(policy.version, days=days),
        explored=_explored(found, policy.explore) if has_draws else "",
        capped=_capped(found) if has_draws else "",
        undrawn=_undrawn(found) if found.undrawn else "",
        draws_chart=_draws_chart(found, policy) if has_draws else None,
        exploring_chart=_exploring_chart(found, policy) if has_draws else None,
        success_chart=_success_chart(found) if found.films.shown else None,
        sheets={
            "arms": _arms_sheet(found, policy, csv_urls["arms"]),
            "success": _success_sheet(found, csv_urls["success"]),
            "days": _days_sheet(found, csv_urls["days"]),
        },
    )


def chance_range(n: int, probability: float) -> tuple[int, int]:
    """Between which counts 95 % of ``n`` tosses of that probability lie."""
    if not 0 < probability < 1:
        return round(n * probability), round(n * probability)
    low, high = (max(0, ceil(bdtrik(end, n, probability))) for end in _ENDS)
    return low, high


def _explored(found: Activity, explore: float) -> str:
    low, high = chance_range(found.drawn, explore)
    part = share(found.explored / found.drawn)
    beside = "as it should be" if low <= found.explored <= high else "more than chance is off"
    return (
        f"Of {found.drawn:,} lists {found.explored:,} were drawn evenly, to explore: {part}. The version"
        f" explores {share(explore)}, of so many {low:,} to {high:,} in 95 % of cases: {beside}."
    )


def _capped(found: Activity) -> str:
    return (
        f"In {found.capped:,} lists, {share(found.capped / found.drawn)} of them, the arm that came first"
        " was put second because of its share."
    )


def _undrawn(found: Activity) -> str:
    whole = found.lists + found.undrawn
    return (
        f"Of {whole:,} lists {found.undrawn:,} were not drawn: {share(found.undrawn / whole)}. They were of"
        " viewers of whom an arm knew nothing; the fixed policy served them, and they teach the bandit"
        " nothing."
    )


# --- Charts ---------------------------------------------------------------------------------------


def _draws_chart(found: Activity, policy: BanditPolicy) -> Chart:
    series = [_draws(found, arm, policy.max_share) for arm in found.arms]
    return day_chart([day.day for day in found.days], series, top=1.0)


def _draws(found: Activity, arm: ArmActivity, max_share: float) -> Series:
    films = _part(arm.films.shown, found.films.shown) or 0.0
    return Series(
        label=arm.name,
        values=[_part(day.first[arm.name], day.drawn) for day in found.days],
        others=[_part(day.films[arm.name], sum(day.films.values())) for day in found.days],
        level=max_share,
        note=f"{share(arm.first / found.drawn)} first, {share(films)} of films",
    )


def _exploring_chart(found: Activity, policy: BanditPolicy) -> Chart:
    explored = [_part(day.explored, day.drawn) for day in found.days]
    capped = [_part(day.capped, day.drawn) for day in found.days]
    most = max([value for value in (*explored, *capped) if value is not None])
    top = min(1.0, max(1.25 * most, 1.25 * policy.explore, _LEAST_TOP))
    series = [
        Series("Drawn evenly", explored, f"up to {top:.0%}", level=policy.explore),
        Series("Held back", capped, f"up to {top:.0%}"),
    ]
    return day_chart([day.day for day in found.days], series, top=top)


def _success_chart(found: Activity) -> Chart:
    rows = [row for row in _success_rows(found) if row["arm"] != "all"]
    intervals = [
        Interval(row["arm"], row["rate"], _ends(row), _rate_note(row), is_main=True)
        for row in rows
        if row["rate"] is not None
    ]
    rate = found.films.rate or 0.0
    return interval_chart(intervals, guide=(rate, f"all: {share(rate)}"))


def _ends(row: Mapping[str, Any]) -> tuple[float, float] | None:
    return None if row["low"] is None else (row["low"], row["high"])


def _rate_note(row: Mapping[str, Any]) -> str:
    ends = _ends(row)
    return share(row["rate"]) + (f", {share(ends[0])} to {share(ends[1])}" if ends else "")


# --- Tables ---------------------------------------------------------------------------------------


def _arms_sheet(found: Activity, policy: BanditPolicy, csv_url: str) -> Sheet:
    columns = (
        Column.text("Arm", "arm"),
        Column("Drawn first", ("first",), count),
        Column("Of first draws", ("share",), share),
        Column("Lately", ("share_now",), share),
        Column(f"Days above {policy.max_share:.0%}", ("days_over",), count),
        Column("Held back", ("held_back",), count),
        Column("Contexts at the floor", ("contexts_at_floor",), count),
    )
    about = (
        "The cap goes by the share lately, of a window that fades, and holds an arm to"
        f" {policy.max_share:.0%} where it is not sure to be the best. At the floor an arm is drawn first by"
        " exploring alone, as of now."
    )
    rows = [_arm_row(arm, found) for arm in found.arms]
    return Sheet("Floors and caps", columns, rows, csv_url, about)


def _arm_row(arm: ArmActivity, found: Activity) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "first": arm.first,
        "share": _part(arm.first, found.drawn),
        "share_now": arm.share_now,
        "days_over": arm.days_over,
        "held_back": arm.held_back,
        "contexts_at_floor": arm.n_floor,
    }


def _success_sheet(found: Activity, csv_url: str) -> Sheet:
    about = (
        "Films whose slot the arm owned and filled. Intervals go by viewers, since films shown to one person"
        " are liked or not together. A film of which nothing was said yet is no success so far."
    )
    return Sheet("Success by arm", SUCCESS_COLUMNS, _success_rows(found), csv_url, about, main="is_all")


def _success_rows(found: Activity) -> list[dict[str, Any]]:
    rows = []
    for name, sums in [*((arm.name, arm.films) for arm in found.arms), ("all", found.films)]:
        low, high = rate_interval(sums) or (None, None)
        rows.append(
            {
                "arm": name,
                "viewers": sums.n_units,
                "shown": sums.shown,
                "share": _part(sums.shown, found.films.shown),
                "successes": sums.successes,
                "rate": sums.rate,
                "low": low,
                "high": high,
                "is_all": name == "all",
            }
        )
    return rows


def _days_sheet(found: Activity, csv_url: str) -> Sheet:
    arms = [arm.name for arm in found.arms]
    columns = (
        Column.text("Day", "day"),
        Column("Lists", ("lists",), count),
        Column("Drawn by belief", ("by_belief",), count),
        Column("Drawn evenly", ("explored",), count),
        Column("Held back", ("capped",), count),
        *(Column(f"{arm} first", (f"{arm}_first",), share) for arm in arms),
        *(Column(f"{arm} films", (f"{arm}_films",), share) for arm in arms),
    )
    rows = [_day_row(day, arms) for day in reversed(found.days)]
    about = "Days are those of UTC. Shares are of first draws, which fixed weights do not make, and of films."
    return Sheet("By day", columns, rows, csv_url, about)


def _day_row(day: Day, arms: Sequence[str]) -> dict[str, Any]:
    films = sum(day.films.values())
    return {
        "day": day.day.isoformat(),
        "lists": day.lists,
        "by_belief": day.by_belief,
        "explored": day.explored,
        "capped": day.capped,
        **{f"{arm}_first": _part(day.first[arm], day.drawn) for arm in arms},
        **{f"{arm}_films": _part(day.films[arm], films) for arm in arms},
    }


def _part(part: int, whole: int) -> float | None:
    return part / whole if whole else None
