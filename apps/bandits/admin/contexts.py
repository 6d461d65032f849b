"""What a version believes of its arms in one context: the curves, and a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django import forms
from django.db.models import Sum
from scipy.special import betaincinv, betaln, xlog1py, xlogy

from apps.algorithms.context import PARTS, Context
from apps.bandits.beliefs import Bandit, believed
from apps.bandits.models import BanditState
from apps.bandits.reading import cell_of
from apps.core.admin.sheets import Column, Sheet, count, decimal, share
from apps.core.charts import Chart, Curve, curve_chart

N_POINTS = 121
OUTSIDE = 5e-4
"""Of a belief, at each end, that its curve leaves out."""
LABELS = {
    "time_of_day": "Time of day",
    "day_type": "Day",
    "user_segment": "Viewer",
    "genre_saturation": "Genre saturation",
    "session_position": "Session",
}
COLUMNS = (
    Column.text("Arm", "arm"),
    Column("Films shown", ("shown",), count),
    Column("Successes", ("successes",), count),
    Column("Alpha", ("alpha",), decimal),
    Column("Beta", ("beta",), decimal),
    Column("Mean", ("mean",), share),
    Column("95 % interval", ("low", "high"), share),
    Column("P(best)", ("p_best",), share),
    Column("P(drawn first)", ("p_first",), share),
)


class ContextForm(forms.Form):
    """The five parts; each field is one of ``PARTS``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for part, values in PARTS.items():
            self.fields[part] = forms.ChoiceField(
                label=LABELS[part], choices=[(value, value) for value in values]
            )

    @property
    def context(self) -> Context:
        return Context(**self.cleaned_data)


class FilterForm(forms.Form):
    """Of which contexts the heat map is: of each of ``PARTS`` one value, or any."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for part, values in PARTS.items():
            choices = [("", "any"), *((value, value) for value in values)]
            self.fields[part] = forms.ChoiceField(label=LABELS[part], choices=choices, required=False)

    @property
    def parts(self) -> dict[str, str]:
        """Those that were chosen."""
        return {part: value for part, value in self.cleaned_data.items() if value}


@dataclass(frozen=True)
class ContextPage:
    """``parts`` are the context's, each with its label. ``is_empty`` says that nothing was shown in it yet:
    all is what other contexts tell.
    """

    parts: Sequence[tuple[str, str]]
    chart: Chart
    sheet: Sheet
    is_empty: bool


def usual_context(version: int) -> Context:
    """The one in which most was shown; the first where nothing was. One query."""
    cells = BanditState.objects.filter(policy_id=version, shown__gt=0).order_by()
    most = cells.values("context").annotate(n=Sum("shown")).order_by("-n", "context").first()
    return Context.from_index(most["context"] if most else 0)


def context_page(version: int, context: Context, csv_url: str) -> ContextPage:
    """Two queries."""
    bandit = believed(version)
    cells = BanditState.objects.filter(policy_id=version, context=context.index)
    counted = {cell.arm: (cell.shown, cell.successes) for cell in cells.only("arm", "shown", "successes")}
    rows = [_row(bandit, context.index, spot, counted) for spot in range(len(bandit.arms))]
    best = max(row["p_best"] for row in rows)
    rows = [{**row, "is_best": row["p_best"] == best} for row in rows]
    about = "The arm most likely to be the best is in bold. Exploring and the cap count in P(drawn first)."
    return ContextPage(
        parts=[(LABELS[part], value) for part, value in context.as_dict().items()],
        chart=curve_chart([_curve(row) for row in rows]),
        sheet=Sheet("Arms in this context", COLUMNS, rows, csv_url, about, main="is_best"),
        is_empty=not any(row["shown"] for row in rows),
    )


def _row(bandit: Bandit, context: int, spot: int, counted: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    arm = bandit.arms[spot]
    return {
        "arm": arm,
        **cell_of(bandit.beliefs, context, spot, counted.get(arm, (0, 0))),
        "p_first": float(bandit.beliefs.rank_propensities(context)[spot, 0]),
    }


def _curve(row: Mapping[str, Any]) -> Curve:
    """The density of the arm's belief, but for ``OUTSIDE`` of it at each end."""
    alpha, beta = row["alpha"], row["beta"]
    ends = betaincinv(alpha, beta, np.array([OUTSIDE, 1 - OUTSIDE]))
    xs = np.linspace(ends[0], ends[1], N_POINTS)
    ys = np.exp(xlogy(alpha - 1, xs) + xlog1py(beta - 1, -xs) - betaln(alpha, beta))
    return Curve(
        label=row["arm"],
        xs=xs.tolist(),
        ys=ys.tolist(),
        mean=row["mean"],
        ends=(row["low"], row["high"]),
        note=f"{row['mean']:.1%}, {row['low']:.1%} to {row['high']:.1%}",
        is_main=row["is_best"],
    )
