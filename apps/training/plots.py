"""Plots of evaluations, as SVG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.core.errors import InvalidInput, Unavailable


def require_plotting(file: str) -> None:
    """Raises ``InvalidInput`` for a file that is no SVG in a folder that is there, ``Unavailable`` without
    matplotlib."""
    path = Path(file)
    if path.suffix != ".svg":
        raise InvalidInput(f"A plot is written as SVG: name a file that ends in .svg, not {file}")
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent} to write a plot to")
    try:
        import matplotlib  # noqa: F401 - slow to load, and not needed without a plot
    except ImportError:
        raise Unavailable("Plots need matplotlib: pip install -r requirements-evaluation.txt") from None


def draw_arms(result: Mapping[str, Any], file: str) -> None:
    """Each arm's nDCG, with two standard errors, against the share of the catalogue that its lists use.

    ``result`` is that of ``evaluation_as_json``. Written whole or not at all.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, arm in result["arms"].items():
        if arm["ndcg"] is None or arm["coverage"] is None:
            continue
        error = arm["ndcg"]["error"]
        axes.errorbar(
            arm["coverage"], arm["ndcg"]["value"], yerr=2 * error if error is not None else None, fmt="o"
        )
        axes.annotate(
            name, (arm["coverage"], arm["ndcg"]["value"]), xytext=(6, 4), textcoords="offset points"
        )
    axes.set_xlabel(f"coverage@{result['k']}: share of the catalogue on any list")
    axes.set_ylabel(f"nDCG@{result['k']} (bars: two standard errors)")
    axes.set_title(f"{', '.join(result['data'])}; held back: {result['protocol']}")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    part = Path(f"{file}.part")
    # No date and fixed ids, so that the same figures give the same file.
    figure.savefig(part, format="svg", metadata={"Date": None})
    part.replace(file)
