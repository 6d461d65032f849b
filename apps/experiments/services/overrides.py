"""Putting a unit into a variant by hand, and links that do so; and the holdout."""

from uuid import UUID

from django.core import signing
from django.db import transaction

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import Conflict, InvalidInput, NotFound
from apps.core.services import Actor, record_audit, require_reason
from apps.experiments.models import Holdout, Override
from apps.experiments.running import forget_field
from apps.experiments.services.designing import lock_experiment

LINK_DAYS = 7
OVERRIDE = "experiments.override_experiment"
MOST_NOTE = 500
"""Letters of a reason that the override itself keeps; the audit has them all."""
_SALT = "marquee.experiments.link"


@transaction.atomic
def override(*, key: str, unit_key: UUID, variant: str, by: Actor | None, reason: str) -> Override:
    """The unit gets the variant from now on, and counts in nothing of the experiment.

    What it was counted for before stays. Raises ``NotFound``, ``InvalidInput``, and ``Conflict`` for an
    experiment that has ended.
    """
    require_reason(reason)
    experiment = lock_experiment(key)
    if experiment.ended_at is not None:
        raise Conflict(f"{experiment} has ended: nobody is put into it any more.")
    names = sorted(experiment.variants.values_list("name", flat=True))
    if variant not in names:
        raise InvalidInput.of("/variant", f"{experiment} has no variant {variant!r}: {', '.join(names)}.")
    row, _ = Override.objects.update_or_create(
        experiment=experiment,
        unit_key=unit_key,
        defaults={
            "variant": variant,
            "reason": reason[:MOST_NOTE],
            "created_by": by.get_username() if by else "",
            "created_at": clock.now(),
        },
    )
    record_audit("experiments.override", by=by, target=experiment, after={"variant": variant}, reason=reason)
    transaction.on_commit(forget_field)
    return row


@transaction.atomic
def remove_override(*, override_id: int, by: Actor, reason: str) -> None:
    """Raises ``NotFound``, also for the second of two who remove it at once, and ``InvalidInput`` without a
    reason.
    """
    require_reason(reason)
    rows = Override.objects.select_for_update(of=("self",)).select_related("experiment")
    row = rows.filter(pk=override_id).first()
    if row is None:
        raise NotFound("This override is gone already.")
    record_audit(
        "experiments.remove_override",
        by=by,
        target=row.experiment,
        before={"variant": row.variant},
        reason=reason,
    )
    row.delete()
    transaction.on_commit(forget_field)


def link_token(*, key: str, variant: str, by: Actor) -> str:
    """What a link carries that puts whoever opens it into the variant, for ``LINK_DAYS``."""
    return signing.dumps({"key": key, "variant": variant, "by": by.get_username()}, salt=_SALT)


def read_token(token: str) -> dict[str, str]:
    """``key``, ``variant`` and ``by``. Raises ``NotFound`` for a link that is not ours or too old."""
    try:
        found: dict[str, str] = signing.loads(token, salt=_SALT, max_age=LINK_DAYS * 86_400)
    except signing.SignatureExpired:
        raise NotFound(f"This link is older than {LINK_DAYS} days: ask for a new one.") from None
    except signing.BadSignature:
        raise NotFound("This link is not whole: copy it again.") from None
    return found


@transaction.atomic
def follow_link(*, token: str, unit_key: UUID) -> Override:
    """Puts the unit where the link says.

    Raises what ``read_token`` and ``override`` do, and ``NotFound`` where whoever made it may not put anybody
    anywhere any more.
    """
    said = read_token(token)
    maker = User.objects.named(said["by"]).first()
    if maker is None or not maker.is_active or not maker.has_perm(OVERRIDE):
        raise NotFound("Whoever made this link may not do so any more: ask for a new one.")
    reason = f"Followed a link of {said['by']}"
    return override(key=said["key"], unit_key=unit_key, variant=said["variant"], by=None, reason=reason)


@transaction.atomic
def change_holdout(*, share: float, by: Actor, reason: str) -> Holdout:
    """The share of all units that is in no experiment, 0 to ``Holdout.MOST``. Growing keeps who was in it."""
    if not 0 <= share <= Holdout.MOST:
        raise InvalidInput.of("/share", f"A holdout is a share from 0 to {Holdout.MOST:g}.")
    row, _ = Holdout.objects.select_for_update().get_or_create(pk=Holdout.SINGLETON)
    before = row.share
    row.share, row.reason, row.changed_by = share, reason, by.get_username()
    row.save(update_fields=["share", "reason", "changed_by", "changed_at"])
    record_audit(
        "experiments.change_holdout",
        by=by,
        target=row,
        before={"share": before},
        after={"share": share},
        reason=reason,
    )
    transaction.on_commit(forget_field)
    return row
