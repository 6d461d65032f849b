"""What other policies would have earned, from the log of a version that served."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.algorithms import ope
from apps.algorithms.context import N_CONTEXTS
from apps.algorithms.drafting import equal_slot_probabilities, slot_propensities
from apps.algorithms.strategy import DEFAULT_BANDIT_SLOTS
from apps.algorithms.types import Float64, Int64
from apps.bandits.beliefs import believed, believed_at_start
from apps.bandits.models import BanditPolicy
from apps.core.errors import InvalidInput, NotFound
from apps.events.models import RecommendationEvent, Slate
from apps.events.outcome import Outcome

UNIFORM = "uniform"
VERSION = "version:"
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
    return _names(_find(version))


def judge(
    names: Sequence[str],
    *,
    version: int,
    days: int,
    estimators: Collection[str] = tuple(_ESTIMATORS),
    most: int = MAX_FILMS,
) -> list[Judgement]:
    """Each named policy judged from what ``version`` showed in the last ``days``, the newest ``most`` films.

    ``uniform`` gives each slot to any arm alike, an arm's name all slots to it, and ``version:3`` draws by
    what that version believes today: one from before the judged one, since beliefs that were learned from
    this log would find again in it what was luck. The judged one draws by what it began with. Four queries,
    and two for each version that is judged. Raises ``NotFound`` for a version that is none, and
    ``InvalidInput`` for a name that is none.
    """
    policy = _find(version)
    known = _names(policy)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(f"There is no policy {unknown[0]!r} to judge; there are: {', '.join(known)}.")
    log = _read(policy, days, most)
    k = _n_drawn(policy)
    wanted = {name: estimate for name, estimate in _ESTIMATORS.items() if name in estimators}
    logged_ci = ope.rate_interval(ope.UnitSums.of(log.rewards, log.rows.units))
    return [
        Judgement(
            policy=name,
            version=policy.version,
            days=days,
            n_films=len(log.rewards),
            logged=float(log.rewards.mean()) if len(log.rewards) else None,
            logged_ci=logged_ci,
            estimates=_estimates(_target(name, policy, k)[log.contexts], log, wanted),
        )
        for name in names
    ]


def previous_version(policy: BanditPolicy) -> int | None:
    """The newest of the same arms before ``policy``; None when it was the first."""
    before = BanditPolicy.objects.filter(arms=policy.arms, version__lt=policy.version)
    return before.order_by("-version").values_list("version", flat=True).first()


def latest_version() -> int:
    """The newest version that drew a list that counts; before the first such list the newest of all.

    Raises ``NotFound`` when no bandit ever served.
    """
    lists = Slate.objects.filter(bandit_version=OuterRef("version"), counted=True)
    versions = BanditPolicy.objects.order_by("-version").values_list("version", flat=True)
    newest = versions.filter(Exists(lists)).first() or versions.first()
    if newest is None:
        raise NotFound("No bandit has served yet: let the serving policy be one, or try it in an experiment.")
    return newest


def require_version(version: int) -> int:
    """The version. Raises ``NotFound`` when there is none of that number."""
    return _find(version).version


def _names(policy: BanditPolicy) -> list[str]:
    others = BanditPolicy.objects.filter(arms=policy.arms, version__lte=policy.version).order_by("-version")
    return [UNIFORM, *policy.arms, *(f"{VERSION}{one}" for one in others.values_list("version", flat=True))]


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


def _target(name: str, policy: BanditPolicy, k: int) -> Float64:
    """With what probability a slot of each context goes to each arm when ``k`` arms share a list.

    float64 ``(N_CONTEXTS, n_arms)``.
    """
    n_arms = len(policy.arms)
    if name == UNIFORM:
        return np.full((N_CONTEXTS, n_arms), 1 / n_arms)
    if name in policy.arms:
        return np.tile(np.eye(n_arms)[policy.arms.index(name)], (N_CONTEXTS, 1))
    version = int(name.removeprefix(VERSION))
    beliefs = (believed_at_start(version) if version == policy.version else believed(version)).beliefs
    slots = equal_slot_probabilities(1, k)
    return np.stack(
        [
            slot_propensities(beliefs.rank_propensities(context)[:, :k], slots)[0]
            for context in range(N_CONTEXTS)
        ]
    )


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
