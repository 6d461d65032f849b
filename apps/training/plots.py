"""Plots of evaluations, as SVG."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from apps.core.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TRADED = {
    "coverage": "coverage: share of the catalogue on any list",
    "tail_share": "share of films outside the head",
    "long_tail_share": "long-tail share (the catalogue's rule)",
    "primary_genres": "primary genres a list",
    "intra_list_diversity": "intra-list diversity",
    "niche_share": "niche share",
}

_LEAST_SHARE = 1e-3


def require_plotting(file: str) -> None:
    """Raises ``InvalidInput`` for a file that is no SVG in a folder that takes it, ``Unavailable`` without
    matplotlib."""
    path = Path(file)
    if path.suffix != ".svg":
        raise InvalidInput(f"A plot is written as SVG: name a file that ends in .svg, not {file}")
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent} to write a plot to")
    try:
        is_folder = path.is_dir()
        # Modes do not tell of a full disk, nor of one that nobody may write to.
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(file, error) from None
    if is_folder:
        raise InvalidInput(f"{file} is a folder: name a file to write a plot to")
    try:
        import matplotlib  # noqa: F401 - slow to load, and not needed without a plot
    except ImportError:
        raise Unavailable("Plots need matplotlib: pip install -r requirements-evaluation.txt") from None


def draw_arms(result: Mapping[str, Any], file: str) -> None:
    """Each arm's nDCG, with two standard errors, against the share of the catalogue that its lists use.

    ``result`` is that of ``evaluation_as_json``. Written whole or not at all: raises ``InvalidInput``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.subplots()
    # Arms that are near each other: a name beside each point would hide the others.
    marks = cycle("osD^vP")
    for name, arm in result["arms"].items():
        if arm["ndcg"] is None or arm["coverage"] is None:
            continue
        error = arm["ndcg"]["error"]
        axes.errorbar(
            arm["coverage"],
            arm["ndcg"]["value"],
            yerr=2 * error if error is not None else None,
            fmt=next(marks),
            label=name,
        )
    axes.set_xlabel(f"coverage@{result['k']}: share of the catalogue on any list")
    axes.set_ylabel(f"nDCG@{result['k']} (bars: two standard errors)")
    axes.set_title(f"{', '.join(result['data'])}; held back: {result['protocol']}")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center")
    _save(figure, file)


def draw_trade_offs(result: Mapping[str, Any], file: str) -> None:
    """Each arm's nDCG against what diversity is for, a panel for each, a point for each diversity.

    ``result`` is that of ``evaluation_as_json``. Written whole or not at all: raises ``InvalidInput``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), layout="constrained")
    panels = figure.subplots(2, 3, sharey=True)
    for axes, (measure, label) in zip(panels.flat, _TRADED.items(), strict=True):
        for arm in dict.fromkeys(one["arm"] for one in result["arms"].values()):
            points = [one for one in result["arms"].values() if one["arm"] == arm and one["ndcg"]]
            traded = [value_of(one[measure]) for one in points]
            ndcg = [one["ndcg"]["value"] for one in points]
            axes.plot(traded, ndcg, "o-", label=arm)
            for one, x, y in zip(points, traded, ndcg, strict=True):
                axes.annotate(f"{one['diversity']:g}", (x, y), xytext=(4, 4), textcoords="offset points")
        axes.set_xlabel(label)
        if measure.endswith("share"):
            # These grow manyfold: the first steps would lie on each other.
            axes.set_xscale("symlog", linthresh=_LEAST_SHARE)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    for axes in panels[:, 0]:
        axes.set_ylabel(f"nDCG@{result['k']}")
    panels[0, 0].legend()
    figure.suptitle(f"{', '.join(result['data'])}; held back: {result['protocol']}; numbers: diversity")
    _save(figure, file)


def value_of(measure: Any) -> float:
    """The value of a measure of ``evaluation_as_json``, with an error or without; NaN where there is none."""
    if measure is None:
        return float("nan")
    return float(measure["value"] if isinstance(measure, Mapping) else measure)


def _save(figure: "Figure", file: str) -> None:
    try:
        _write_whole(figure, file)
    except OSError as error:
        raise _unwritable(file, error) from None


def _write_whole(figure: "Figure", file: str) -> None:
    from matplotlib import rc_context

    part = Path(f"{file}.part")
    try:
        # No date and fixed ids, so that the same figures give the same file.
        with rc_context({"svg.hashsalt": "marquee"}):
            figure.savefig(part, format="svg", metadata={"Date": None})
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _unwritable(file: str, error: OSError) -> InvalidInput:
    return InvalidInput(f"Cannot write {file}: {error.strerror}")
