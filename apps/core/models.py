"""What staff did, kept for good; and what is alive."""

from django.db import models


class AuditEntry(models.Model):
    """One act of staff or of a program. Append-only.

    ``actor_id`` is a plain column: this room lies below accounts, and an entry outlives its actor.
    """

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=80, db_index=True)
    target_type = models.CharField(max_length=80, blank=True)
    target_id = models.CharField(max_length=80, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "audit_entries"
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}".strip()


class Heartbeat(models.Model):
    """When something that should be alive last said so, by its name."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "heartbeats"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
