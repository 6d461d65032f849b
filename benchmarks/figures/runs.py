"""The runs of ``manage.py evaluate`` that the figures of the documents come from."""

from collections.abc import Sequence
from dataclasses import dataclass

DIVERSITIES = "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,1"
PARAMETERS = "benchmarks/parameters"
DEMO, SMALL, ML100K = "demo", "small", "ml100k"
DATA_WORDS = {
    DEMO: "--data demo",
    SMALL: "--data SMALL --films TMDB",
    ML100K: "--data ML100K --graph ML100K",
}
"""How the commands on the page name each data set: no path of anybody's."""


@dataclass(frozen=True)
class Run:
    """``words`` follow ``manage.py evaluate``; ``plot`` is whether a plot belongs to it."""

    name: str
    title: str
    data: str
    words: Sequence[str]
    plot: bool = False

    @property
    def plot_name(self) -> str:
        return f"{self.name}.svg"

    def command(self, folder: str) -> str:
        """The whole command, for a reader, that prints these tables; plots go to ``folder``."""
        plot = ["--plot", f"{folder}/{self.plot_name}"] if self.plot else []
        return " ".join([".venv/bin/python manage.py evaluate", DATA_WORDS[self.data], *self.words, *plot])


def _arms(data: str, title: str, *words: str) -> Run:
    return Run(f"arms-{data}", f"All arms: {title}", data, words, plot=True)


def _trade(data: str, title: str) -> Run:
    words = ("--arms", "hybrid,item_cf", "--protocol", "last", "--diversity", DIVERSITIES)
    return Run(f"trade-{data}", f"What diversity trades: {title}", data, words, plot=True)


def _newcomers(data: str, title: str) -> Run:
    words = ("--arms", "hybrid", "--protocol", "newcomers", "--diversity", DIVERSITIES)
    return Run(f"newcomers-{data}", f"What diversity costs newcomers: {title}", data, words)


def _ratings(data: str, title: str) -> Run:
    words = ("--arms", "popular", "--protocol", "random")
    return Run(f"ratings-{data}", f"Predicted ratings: {title}", data, words)


def _recency(name: str, title: str, *words: str) -> Run:
    return Run(name, title, SMALL, ("--arms", "item_cf,als", "--protocol", "last", *words))


_WITHIN_VIEWER = ("--protocol", "within-viewer", "--parameters", f"{PARAMETERS}/ml-100k-within-viewer.json")

RUNS = (
    _arms(DEMO, "the demo", "--protocol", "last"),
    _arms(SMALL, "ml-latest-small", "--protocol", "last"),
    _arms(ML100K, "MovieLens 100K, tuned for its protocol", *_WITHIN_VIEWER),
    _recency("recency-small", "With recency, as they come: ml-latest-small"),
    _recency(
        "without-recency-small",
        "Without recency: ml-latest-small",
        "--parameters",
        f"{PARAMETERS}/without-recency.json",
    ),
    Run(
        "defaults-ml100k",
        "All arms with their defaults: MovieLens 100K",
        ML100K,
        ("--protocol", "within-viewer"),
    ),
    _trade(DEMO, "the demo"),
    _trade(SMALL, "ml-latest-small"),
    _newcomers(DEMO, "the demo"),
    _newcomers(SMALL, "ml-latest-small"),
    _ratings(SMALL, "ml-latest-small"),
    _ratings(ML100K, "MovieLens 100K"),
)
