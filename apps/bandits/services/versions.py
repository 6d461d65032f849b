"""Beginning a version of the policy, freezing one, and letting it draw again."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.bandits.beliefs import Bandit, forget_bandits, held_bandit
from apps.bandits.models import BanditPolicy, BanditState
from apps.core import clock
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.services import Actor, record_audit

LEAST_HALF_LIFE_DAYS, MOST_HALF_LIFE_DAYS = 1.0, 3_650.0
MOST_DOUBLINGS = 500.0
"""Of a weight since the landmark; a float holds 1023."""
LEAST_PRIOR, MOST_PRIOR = 1e-6, 1_000_000.0
"""Of ``alpha`` and ``beta``: far beyond these a rate is 0 or 1 to a float, and nothing can be drawn."""
LEAST_SHARPNESS = 0.001
WEIGHT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Terms:
    """How arms are drawn; ``BanditPolicy`` and ``ThompsonSampler`` say what each is."""

    alpha: float
    beta: float
    sharpness: float = 0.3
    optimistic: bool = True
    half_life_days: float | None = None
    share_half_life_days: float = 7.0
    explore: float = 0.03
    max_share: float = 0.70


def default_terms() -> Terms:
    return Terms(alpha=settings.BANDIT_DEFAULT_ALPHA, beta=settings.BANDIT_DEFAULT_BETA)


def terms_of(policy: BanditPolicy) -> Terms:
    return Terms(**{name: getattr(policy, name) for name in asdict(default_terms())})


def on_terms(policy: BanditPolicy, terms: Terms, *, keep: Mapping[str, float] | None = None) -> BanditPolicy:
    """The version as it would be on other terms, and no row: nothing of it is stored.

    Raises ``InvalidInput`` for terms on which no version could begin.
    """
    columns = {field.attname: getattr(policy, field.attname) for field in BanditPolicy._meta.concrete_fields}
    other = BanditPolicy(**columns | asdict(terms))
    _require_sound(other, keep or {})
    return other


@transaction.atomic
def begin_version(
    *,
    arms: Iterable[str],
    reason: str,
    by: Actor | None,
    terms: Terms | None = None,
    keep: Mapping[str, float] | None = None,
    arm_recipes: Mapping[str, str] | None = None,
) -> BanditPolicy:
    """A new version, which serves its arms within two seconds in every process.

    It begins with what is known of its arms: the counts of the version that served them, or of the newest
    one. ``keep`` is the part of an arm's that is kept, 0 to 1; all of the arms that it leaves out. What lists
    of the version before still earn counts for that one. ``terms`` None are those of the version before of
    the same arms, or the defaults; ``arm_recipes`` are added to those of the version before. One that is
    frozen stays so. Raises ``InvalidInput``, and ``Conflict`` when another begins at once.
    """
    newest = BanditPolicy.objects.first()
    names = sorted(set(arms))
    same = BanditPolicy.objects.newest_of(names).first()
    before = same or newest
    wanted = terms or (terms_of(same) if same else default_terms())
    policy = BanditPolicy(
        version=newest.version + 1 if newest else 1,
        arms=names,
        started_at=clock.now(),
        frozen=same.frozen if same else False,
        frozen_weights=same.frozen_weights if same else {},
        arm_recipes={**(before.arm_recipes if before else {}), **(arm_recipes or {})},
        reason=reason,
        created_by=by.get_username() if by else "",
        **asdict(wanted),
    )
    _require_sound(policy, keep or {})
    _insert(policy)
    if before:
        _carry_over(before, policy, keep or {})
    record_audit(
        "bandits.begin_version",
        by=by,
        target=policy,
        before={"version": before.version} if before else {},
        after={"version": policy.version, "arms": names, **asdict(wanted), "keep": dict(keep or {})},
        reason=reason,
    )
    transaction.on_commit(forget_bandits)
    return policy


def ensure_policy(arms: Iterable[str]) -> None:
    """Makes a version of these arms unless there is one. Whoever does the same at once makes none."""
    names = sorted(set(arms))
    try:
        with transaction.atomic():
            number = _newest_version()
            # Asked after the number: a version that came in between is seen here or has taken the number.
            if not BanditPolicy.objects.newest_of(names).exists():
                begin_version(arms=names, reason="These arms serve for the first time", by=None)
    except Conflict:
        if _newest_version() == number:
            raise


def current_bandit(arms: Iterable[str]) -> Bandit:
    """What serves these arms, in whatever order; a first version is begun when they never served."""
    names = tuple(arms)
    found = held_bandit(names)
    while found is None:
        ensure_policy(names)
        forget_bandits()
        found = held_bandit(names)
    return found


@transaction.atomic
def freeze(
    *, version: int, reason: str, by: Actor | None, weights: Mapping[str, float] | None = None
) -> BanditPolicy:
    """Serves the arms by fixed weights instead of by belief; equal ones when ``weights`` are None.

    What is served goes on to be counted. Raises ``InvalidInput`` for weights that are not those of its arms,
    ``NotFound`` and, for one that is frozen already, ``Conflict``.
    """
    policy = _find(version)
    require_weights(policy, weights)
    changed = BanditPolicy.objects.filter(pk=version, frozen=False).update(
        frozen=True, frozen_weights=dict(weights or {})
    )
    if not changed:
        raise Conflict(f"Version {version} of the bandit's policy is frozen already")
    after = {"frozen": True, "frozen_weights": dict(weights or {})}
    return _changed(policy, "bandits.freeze", by=by, after=after, reason=reason)


@transaction.atomic
def resume(*, version: int, reason: str, by: Actor | None) -> BanditPolicy:
    """Draws by belief again. Raises ``NotFound`` and, for one that is not frozen, ``Conflict``."""
    policy = _find(version)
    if not BanditPolicy.objects.filter(pk=version, frozen=True).update(frozen=False, frozen_weights={}):
        raise Conflict(f"Version {version} of the bandit's policy is not frozen")
    return _changed(policy, "bandits.resume", by=by, after={"frozen": False}, reason=reason)


def renew_landmarks(*, now: datetime) -> list[int]:
    """New versions of those whose weights have grown so large that a float could not hold them one day."""
    renewed = []
    for policy in BanditPolicy.objects.serving():
        shortest = min(policy.share_half_life_days, policy.half_life_days or policy.share_half_life_days)
        if policy.days_at(now) / shortest > MOST_DOUBLINGS:
            made = begin_version(arms=policy.arms, reason="The weights had grown large", by=None)
            renewed.append(made.version)
    return renewed


def _newest_version() -> int | None:
    return BanditPolicy.objects.values_list("version", flat=True).first()


def _insert(policy: BanditPolicy) -> None:
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
    except IntegrityError:
        said = f"Version {policy.version} of the bandit's policy was begun meanwhile"
        raise Conflict(f"{said}: look at it before you begin another") from None


def _require_sound(policy: BanditPolicy, keep: Mapping[str, float]) -> None:
    for name in ("half_life_days", "share_half_life_days"):
        days = getattr(policy, name)
        if days is not None and days < LEAST_HALF_LIFE_DAYS:
            raise InvalidInput.of(f"/{name}", f"A half-life is at least a day, not {days:g}.")
        if days is not None and days > MOST_HALF_LIFE_DAYS:
            said = f"A half-life is at most {MOST_HALF_LIFE_DAYS:,.0f} days, not {days:,g}."
            raise InvalidInput.of(f"/{name}", said)
    for name in ("alpha", "beta"):
        if getattr(policy, name) < LEAST_PRIOR:
            said = f"{name} is at least {LEAST_PRIOR:f}, not {getattr(policy, name):g}."
            raise InvalidInput.of(f"/{name}", said)
        if getattr(policy, name) > MOST_PRIOR:
            said = f"{name} is at most {MOST_PRIOR:,.0f}, not {getattr(policy, name):g}."
            raise InvalidInput.of(f"/{name}", said)
    if 0 < policy.sharpness < LEAST_SHARPNESS:
        said = f"sharpness is at least {LEAST_SHARPNESS}, not {policy.sharpness:g}."
        raise InvalidInput.of("/sharpness", said)
    for arm, part in keep.items():
        if arm not in policy.arms or not 0 <= part <= 1:
            said = f"Of an arm of the policy 0 to 1 can be kept, not {part:g} of {arm!r}."
            raise InvalidInput.of("/keep", said)
    _require_drawable(policy)


def _require_drawable(policy: BanditPolicy) -> None:
    try:
        policy.sampler()
    except ValueError as refusal:
        said, name = f"No bandit can draw on these terms: {refusal}.", str(refusal).split()[0]
        # The sampler's sentences begin with the term that they are about, if they are about one.
        raise (
            InvalidInput.of(f"/{name}", said) if hasattr(policy, name) else InvalidInput(said)
        ) from refusal


def require_weights(policy: BanditPolicy, weights: Mapping[str, float] | None) -> None:
    """Raises ``InvalidInput`` for weights of other arms than the version's, or not 1 in sum; None fit."""
    if weights is None:
        return
    is_whole = abs(sum(weights.values()) - 1) <= WEIGHT_TOLERANCE
    if set(weights) != set(policy.arms) or min(weights.values()) <= 0 or not is_whole:
        raise InvalidInput.of(
            "/weights", f"Give each of {', '.join(policy.arms)} a weight above 0, 1 in sum."
        )


def _find(version: int) -> BanditPolicy:
    policy = BanditPolicy.objects.filter(pk=version).first()
    if policy is None:
        raise NotFound(f"There is no version {version} of the bandit's policy")
    return policy


def _changed(
    policy: BanditPolicy, action: str, *, by: Actor | None, after: Mapping[str, object], reason: str
) -> BanditPolicy:
    before = {"frozen": policy.frozen, "frozen_weights": policy.frozen_weights}
    record_audit(action, by=by, target=policy, before=before, after=after, reason=reason)
    transaction.on_commit(forget_bandits)
    policy.refresh_from_db()
    return policy


def _carry_over(before: BanditPolicy, policy: BanditPolicy, keep: Mapping[str, float]) -> None:
    """The counts of ``before`` as the base of ``policy``, in weights of its landmark."""
    units = before.weight_at(policy.started_at), before.draw_weight_at(policy.started_at)
    held = BanditState.objects.filter(policy=before, arm__in=policy.arms).order_by("context", "arm")
    is_same = before.arms == policy.arms
    BanditState.objects.bulk_create(
        _carried(cell, policy, keep.get(cell.arm, 1.0), units, is_same=is_same) for cell in held
    )


def _carried(
    cell: BanditState, policy: BanditPolicy, part: float, units: tuple[float, float], *, is_same: bool
) -> BanditState:
    base = {
        "shown": round(cell.shown * part),
        "successes": round(cell.successes * part),
        "shown_weighted": cell.shown_weighted * part / units[0],
        "successes_weighted": cell.successes_weighted * part / units[0],
        # A share that was earned against other arms says nothing among these.
        "first_draws": cell.first_draws * part / units[1] if is_same else 0.0,
    }
    return BanditState(
        policy=policy,
        context=cell.context,
        arm=cell.arm,
        **base,
        **{f"base_{name}": value for name, value in base.items()},
    )
