"""Whether arms own slots as often as the log says they would.

A row of the log holds the probability of the arm that was drawn, and such rows are no sample of that arm's
chances. So every slate is asked about every arm: the probability by the slate's logged posterior, beside
whether the arm owns its first slot. Slots of one slate share their three arms and are not independent, first
slots of different slates are.

Every bound has a false-alarm chance of one in a hundred, of all its comparisons together. Their sizes are
those of exact binomial or Poisson-binomial tails, or, where a slate's slots are taken together, of a normal
tail with the deviation between slates.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, norm

from apps.algorithms.types import Float64, Int64
from apps.bandits.beliefs import believed
from apps.bandits.models import BanditPolicy
from apps.bandits.services import check
from apps.events.models import RecommendationEvent, Slate
from benchmarks.bandit_site.sums import made_up_beliefs, slot_chances

FALSE_ALARMS = 0.01
N_GROUPS = 10
MOST_OFF = 0.02


@dataclass(frozen=True)
class Log:
    """``chances`` and ``shares`` ``(n_slates, n_arms)``: the logged probability that a slot is each arm's,
    and the part of the slots that were; ``firsts`` the owner of the first slot.
    """

    arms: tuple[str, ...]
    contexts: Int64
    firsts: Int64
    chances: Float64
    shares: Float64
    n_explored: int
    n_capped: int


def report() -> Iterator[str]:
    """Markdown, a line at a time."""
    policy = BanditPolicy.objects.get()
    log = _read_slates(tuple(policy.arms))
    seen = len(np.unique(log.contexts))
    yield f"{len(log.contexts):,} slates in {seen} contexts, {log.n_explored:,} of them explored and "
    yield f"{log.n_capped:,} capped; simulated traffic."
    yield ""
    yield from _by_tenths(log)
    yield ""
    yield "| what | found | bound | |"
    yield "|---|---|---|---|"
    yield _known(log)
    yield _pairs(log)
    yield _explored(log)
    yield from _rows(log)
    lost = len(check(policy.version).differing)
    yield _line("cells whose counts are not what base and log say", str(lost), "0", is_met=lost == 0)
    moved = np.abs(
        believed(policy.version).beliefs.alpha - made_up_beliefs(policy.arms, is_capped=True).alpha
    )
    yield f"| largest change of a belief's alpha, had a process read the counts | {moved.max():.0f} | | |"


def _read_slates(arms: tuple[str, ...]) -> Log:
    spots = {arm: spot for spot, arm in enumerate(arms)}
    contexts, firsts, chances, shares = [], [], [], []
    n_explored = n_capped = 0
    rows = Slate.objects.order_by("pk").values_list("context_index", "owners", "posterior")
    for context, owners, told in rows.iterator(chunk_size=5_000):
        contexts.append(context)
        firsts.append(spots[owners[0]])
        chances.append([float(np.mean(told["propensities"][arm])) for arm in arms])
        shares.append([owners.count(arm) / len(owners) for arm in arms])
        n_explored += told["explored"]
        n_capped += told["capped"]
    return Log(
        arms,
        np.array(contexts),
        np.array(firsts),
        np.array(chances),
        np.array(shares),
        n_explored,
        n_capped,
    )


def _by_tenths(log: Log) -> Iterator[str]:
    """Slate-and-arm pairs in ten groups of as many, by the logged probability."""
    bound = float(norm.isf(FALSE_ALARMS / 2 / N_GROUPS))
    edges = np.quantile(log.chances, np.linspace(0, 1, N_GROUPS + 1)[1:-1])
    groups = np.searchsorted(edges, log.chances, side="right")
    first = np.zeros_like(log.chances)
    first[np.arange(len(first)), log.firsts] = 1.0
    yield "| logged probability | pairs | mean | first slots owned | z | slots owned | z, between slates | |"
    yield "|---|---|---|---|---|---|---|---|"
    for group in np.unique(groups):
        mine = groups == group
        # Of one slate's arms at most one owns its first slot: a toss with the chance of all that are in here.
        of_slate = np.where(mine, log.chances, 0.0).sum(axis=1)
        z = (first[mine].sum() - of_slate.sum()) / np.sqrt((of_slate * (1 - of_slate)).sum())
        off = np.where(mine, log.shares - log.chances, 0.0).sum(axis=1)
        z_all = off.sum() / np.sqrt((off**2).sum())
        n, told = int(mine.sum()), log.chances[mine]
        is_met = max(abs(z), abs(z_all)) <= bound
        yield (
            f"| {told.min():.4f} to {told.max():.4f} | {n:,} | {told.mean():.5f} | {first[mine].mean():.5f} "
            f"| {z:+.2f} | {log.shares[mine].mean():.5f} | {z_all:+.2f} | {_met(is_met)} |"
        )
    yield f"\nBound: z within ±{bound:.2f}, for ten groups at once; each of the two columns has its own 1 %."


def _known(log: Log) -> str:
    """Against the sums as they were made up, and not as the site read them."""
    known = slot_chances(made_up_beliefs(log.arms, is_capped=True), 3)
    off = float(np.abs(log.chances - known[log.contexts]).max())
    return _line(
        "largest difference of a logged probability from that of the sums as made up",
        f"{off:.1e}",
        "1e-9",
        is_met=off <= 1e-9,
    )


def _pairs(log: Log) -> str:
    """First slots of each context and arm, by exact binomial tails."""
    tails = []
    for context in np.unique(log.contexts):
        mine = log.contexts == context
        owned = np.bincount(log.firsts[mine], minlength=len(log.arms))
        chances = log.chances[mine][0]
        below, above = binom.cdf(owned, mine.sum(), chances), binom.sf(owned - 1, mine.sum(), chances)
        tails += np.minimum(1.0, 2 * np.minimum(below, above)).tolist()
    bound = FALSE_ALARMS / len(tails)
    return _line(
        f"smallest tail of {len(tails)} contexts and arms, first slots",
        f"{min(tails):.1e}",
        f"{bound:.1e}",
        is_met=min(tails) >= bound,
    )


def _explored(log: Log) -> str:
    explore, n = BanditPolicy.objects.get().explore, len(log.contexts)
    low, high = binom.ppf(FALSE_ALARMS / 2, n, explore), binom.isf(FALSE_ALARMS / 2, n, explore)
    return _line(
        "slates explored",
        f"{log.n_explored:,}",
        f"{low:,.0f} to {high:,.0f}",
        is_met=low <= log.n_explored <= high,
    )


def _rows(log: Log) -> Iterator[str]:
    """What the rows of films say: weights of a policy that draws all arms alike, and their propensities."""
    known = slot_chances(made_up_beliefs(log.arms, is_capped=True), 3)
    spots = {arm: spot for spot, arm in enumerate(log.arms)}
    slates, propensities, expected = [], [], []
    n_passed = 0
    columns = ("slate_id", "bandit_context", "algorithm", "propensity")
    numbers: dict[object, int] = {}
    for slate, context, arm, propensity in (
        RecommendationEvent.objects.order_by("pk").values_list(*columns).iterator(chunk_size=20_000)
    ):
        if propensity is None:
            n_passed += 1
            continue
        slates.append(numbers.setdefault(slate, len(numbers)))
        propensities.append(propensity)
        expected.append(known[context, spots[arm]])
    off = float(np.abs(np.array(propensities) - np.array(expected)).max())
    yield _line("largest difference of a row's propensity", f"{off:.1e}", "1e-9", is_met=off <= 1e-9)
    yield f"| rows without a propensity, of {n_passed + len(slates):,} | {n_passed} | | |"
    weights = 1 / len(log.arms) / np.array(propensities)
    by_slate = np.bincount(slates, weights - weights.mean())
    error = float(np.sqrt((by_slate**2).sum()) / len(weights))
    mean, alarms = float(weights.mean()), 2 * norm.sf(MOST_OFF / error)
    yield _line(
        f"mean weight of drawing all alike, standard error {error:.4f} between slates",
        f"{mean:.4f}",
        f"1 ± {MOST_OFF} (false alarm {alarms:.1%})",
        is_met=abs(mean - 1) <= MOST_OFF,
    )


def _line(what: str, found: str, bound: str, *, is_met: bool) -> str:
    return f"| {what} | {found} | {bound} | {_met(is_met)} |"


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"
