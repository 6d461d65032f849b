"""Arms that are no longer made as they were when the bandit learned of them."""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction

from apps.bandits.models import BanditPolicy
from apps.bandits.services.versions import begin_version


@transaction.atomic
def note_arm_recipes(digests: Mapping[str, str]) -> list[int]:
    """Begins a version where an arm is made of something else than before; the versions begun.

    ``digests`` says of arms what they are made with now, by a digest; of the counts of an arm whose digest is
    another one ``settings.BANDIT_KEEP_ON_CHANGE`` is kept, 0 to 1. Of an arm that is looked at for the first
    time the digest is noted and nothing begins. Doing it twice is once. A recipe that comes back is a change
    like any other: sums do not say which part of them was learned under which recipe, and to keep too little
    costs some exploring, to keep too much serves an arm by another one's successes.
    """
    return [made for policy in BanditPolicy.objects.serving() if (made := _note(policy, digests)) is not None]


def _note(policy: BanditPolicy, digests: Mapping[str, str]) -> int | None:
    known = policy.arm_recipes
    now = {arm: digests[arm] for arm in policy.arms if arm in digests}
    changed = [arm for arm, digest in now.items() if known.get(arm, digest) != digest]
    if changed:
        keep = _keep_of_changed(changed)
        reason = f"What is fitted for {', '.join(changed)} changed"
        return begin_version(arms=policy.arms, reason=reason, by=None, keep=keep, arm_recipes=now).version
    if set(now) - set(known):
        BanditPolicy.objects.filter(pk=policy.pk).update(arm_recipes={**known, **now})
    return None


def _keep_of_changed(arms: Collection[str]) -> dict[str, float]:
    return dict.fromkeys(arms, settings.BANDIT_KEEP_ON_CHANGE)
