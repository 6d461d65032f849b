"""Which imports ran to their end."""

from apps.core.importing.counts import NOTHING_CHANGED
from apps.core.models import AuditEntry
from apps.core.services import record_audit

ACTION = "import"


def note_import(*, command: str, source: str, result: str) -> None:
    """Says in the audit that an import is complete; once, as long as nothing changes."""
    if result != NOTHING_CHANGED or not is_imported(command=command, source=source):
        record_audit(ACTION, by=None, after={"command": command, "source": source, "result": result})


def is_imported(*, command: str, source: str = "") -> bool:
    """Whether the command once came to its end, with that source or with any."""
    told = {"after__command": command} | ({"after__source": source} if source else {})
    return AuditEntry.objects.filter(action=ACTION, **told).exists()
