"""Letting a version serve that the gate refused."""

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.core.services import Actor, record_audit, require_reason
from apps.training.models import BackTest, ModelVersion
from apps.training.services.versions import activate

SYSTEM = "system"


@transaction.atomic
def override_refusal(*, version: ModelVersion, by: Actor | None, because: str) -> ModelVersion:
    """Makes a refused version a candidate again and the live one of its recipe; its recipe's back-test counts
    as one that it passed.

    Only what can serve is ever kept as a version, so none has numbers that are not finite. ``by`` None is the
    system itself. Raises ``InvalidInput`` without a reason, ``Conflict`` for a version that is not refused or
    whose files were removed.
    """
    require_reason(because)
    refused = ModelVersion.objects.filter(pk=version.pk, status=ModelVersion.Status.REFUSED)
    if not refused.update(status=ModelVersion.Status.CANDIDATE, overridden_because=because):
        raise Conflict(f"Version {version.name} is not refused: there is nothing to override.")
    version.refresh_from_db()
    failed = BackTest.objects.filter(run=version.run_id, passed=False) if version.run_id else None
    if failed is not None:
        name = by.get_username() if by else SYSTEM
        failed.update(overridden_by=name, overridden_because=because, overridden_at=timezone.now())
    served = activate(version=version, by=by, reason=because)
    record_audit(
        "training.override_gate",
        by=by,
        target=served,
        before={"status": ModelVersion.Status.REFUSED, "refused_because": served.refused_because},
        after={"status": served.status},
        reason=because,
    )
    return served
