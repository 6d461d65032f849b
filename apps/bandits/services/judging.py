"""What other policies would have earned, from the log of a version that served."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.algorithms import ope
from apps.algorithms.context import N_CONTEXTS
from apps.algorithms.strategy import DEFAULT_BANDIT_SLOTS
from apps.algorithms.types import Float64, Int64
from apps.bandits.models import BanditPolicy
from apps.bandits.services.targets import names_of, targets_of
from apps.core.errors import NotFound
from apps.events.models import RecommendationEvent, Slate
from apps.events.outcome import Outcome

MAX_FILMS = 500_000
_ESTIMATORS: Mapping[str, Callable[..., ope.Estimate]] = {
    "ips": ope.ips,
    "snips": ope.snips,
    "dm": ope.dm,
    "dr": ope.dr,
}
_COLUMNS = ("algorithm", "bandit_context", "position", "propensity", "outcome", "slate_id", "slate__unit_key")


@dataclass(frozen=True)
class Judgement:
    """``estimates`` by estimator, of the mean success of a film shown; ``logged`` is that of the log.

    ``logged_ci`` is its 95 % interval. ``n_films`` were judged from, the newest where there are more than are
    read.
    """

    policy: str
    version: int
    days: int
    n_films: int
    logged: float | None
    logged_ci: tuple[float, float] | None
    estimates: Mapping[str, ope.Estimate]

    def as_json(self) -> dict[str, object]:
        return {
            "policy": self.policy,
            "policy_version": self.version,
            "period_days": self.days,
            "films": self.n_films,
            "logged": self.logged,
            "estimates": {name: asdict(one) for name, one in self.estimates.items()},
        }


@dataclass(frozen=True)
class _Log:
    rewards: Float64
    propensities: Float64
    rows: ope.Rows

    @property
    def contexts(self) -> Int64:
        return self.rows.contexts


def policy_names(version: int) -> list[str]:
    """Names of the policies that can be judged from the log of ``version``. Raises ``NotFound``."""
    return names_of(_find(version))


def judge(
    names: Sequence[str],
    *,
    version: int,
    days: int,
    estimators: Collection[str] = tuple(_ESTIMATORS),
    most: int = MAX_FILMS,
) -> list[Judgement]:
    """Each named policy judged from what ``version`` showed in the last ``days``, the newest ``most`` films.

    ``uniform`` gives each slot to any arm alike, an arm's name all slots to it, ``weights:als=.5,svd=.5``
    each arm its part of them, and ``version:3`` draws by what that version believes today: one from before
    the judged one, since beliefs that were learned from this log would find again in it what was luck. The
    judged one draws by what it began with, and ``terms:explore=0.1,keep=0.5`` by that on other terms. Four
    queries, and two for each that draws. Raises ``NotFound`` for a version that is none, and
    ``InvalidInput`` for a name that is none.
    """
    policy = _find(version)
    targets = targets_of(names, policy)
    log = _read(policy, days, most)
    k = _n_drawn(policy)
    wanted = {name: estimate for name, estimate in _ESTIMATORS.items() if name in estimators}
    logged_ci = ope.rate_interval(ope.UnitSums.of(log.rewards, log.rows.units))
    return [
        Judgement(
            policy=target.name,
            version=policy.version,
            days=days,
            n_films=len(log.rewards),
            logged=float(log.rewards.mean()) if len(log.rewards) else None,
            logged_ci=logged_ci,
            estimates=_estimates(target.slot_probabilities(policy, k, N_CONTEXTS)[log.contexts], log, wanted),
        )
        for target in targets
    ]


def previous_version(policy: BanditPolicy) -> int | None:
    """The newest of the same arms before ``policy``; None when it was the first."""
    before = BanditPolicy.objects.filter(arms=policy.arms, version__lt=policy.version)
    return before.order_by("-version").values_list("version", flat=True).first()


def latest_version(arms: Sequence[str] | None = None) -> int:
    """The newest version, of ``arms`` if given, that drew a list that counts; before the first such list the
    newest of all.

    Raises ``NotFound`` when no bandit ever served.
    """
    lists = Slate.objects.filter(bandit_version=OuterRef("version"), counted=True)
    asked = {} if arms is None else {"arms": sorted(arms)}
    versions = BanditPolicy.objects.filter(**asked).order_by("-version").values_list("version", flat=True)
    newest = versions.filter(Exists(lists)).first() or versions.first()
    if newest is None:
        raise NotFound("No bandit has served yet: let the serving policy be one, or try it in an experiment.")
    return newest


def require_version(version: int) -> int:
    """The version. Raises ``NotFound`` when there is none of that number."""
    return _find(version).version


def _find(version: int) -> BanditPolicy:
    policy = BanditPolicy.objects.filter(version=version).first()
    if policy is None:
        raise NotFound(f"There is no version {version} of the bandit's policy.")
    return policy


def _estimates(
    target: Float64, log: _Log, wanted: Mapping[str, Callable[..., ope.Estimate]]
) -> dict[str, ope.Estimate]:
    return {
        name: estimate(log.rewards, log.propensities, target, log.rows) for name, estimate in wanted.items()
    }


def _n_drawn(policy: BanditPolicy) -> int:
    """How many arms share a list: as many as drew the latest one, for strategies say so and not versions."""
    latest = Slate.objects.filter(bandit_version=policy.version, counted=True, posterior__has_key="arms")
    posterior = latest.order_by("-created_at").values_list("posterior", flat=True).first()
    return len(posterior["arms"]) if posterior else min(DEFAULT_BANDIT_SLOTS, len(policy.arms))


def _read(policy: BanditPolicy, days: int, most: int) -> _Log:
    """The newest films that count, newest first."""
    since = timezone.now() - timedelta(days=days)
    films = RecommendationEvent.objects.filter(
        slate__counted=True,
        slate__bandit_version=policy.version,
        slate__created_at__gte=since,
        bandit_context__isnull=False,
        propensity__isnull=False,
        created_at__gte=since,
    )
    found = list(films.order_by("-id").values_list(*_COLUMNS)[:most])
    columns = list(zip(*found, strict=True)) or [()] * len(_COLUMNS)
    arms, contexts, positions, propensities, outcomes, slates, units = columns
    spots = {arm: spot for spot, arm in enumerate(policy.arms)}
    # Of somebody who was erased each list stands alone: nothing says that two were theirs.
    owners = [str(unit or slate) for unit, slate in zip(units, slates, strict=True)]
    return _Log(
        rewards=np.array([outcome == Outcome.SUCCESS.value for outcome in outcomes], dtype=np.float64),
        propensities=np.array(propensities, dtype=np.float64),
        rows=ope.Rows(
            arms=np.array([spots[arm] for arm in arms], dtype=np.int64),
            contexts=np.array(contexts, dtype=np.int64),
            positions=np.array(positions, dtype=np.int64),
            units=np.unique(owners, return_inverse=True)[1].reshape(-1).astype(np.int64),
            names=tuple(policy.arms),
        ),
    )
