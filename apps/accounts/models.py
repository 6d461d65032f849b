"""People: viewers with an account, guests, and people who came with a data set; sessions, and API keys."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.accounts.querysets import SessionQuerySet, UserQuerySet

if TYPE_CHECKING:
    from apps.accounts.sessions import SessionStore

Users = UserManager.from_queryset(UserQuerySet)
Users.use_in_migrations = False
Sessions = BaseSessionManager.from_queryset(SessionQuerySet)


class User(AbstractUser):
    """One viewer, whichever way they came.

    ``unit_key`` is the analysis unit: born with the first page as a signed cookie, kept by the
    guest row that the first feedback makes and by the account that claims it. It alone enters
    assignment. Guests and imported people have an unusable password. Nobody is behind those who are
    simulated: they are guests that count like any, and all that is made of their acts is labelled.
    """

    unit_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    is_guest = models.BooleanField(default=False)
    is_imported = models.BooleanField(default=False)
    is_simulated = models.BooleanField(default=False)
    timezone = models.CharField(max_length=64, blank=True)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects: ClassVar["Users[Self]"] = Users()

    class Meta(AbstractUser.Meta):
        db_table = "users"
        permissions = [("act_for_users", "Can act for other users through the API")]
        # Whether anybody is simulated is asked for every page of the admin.
        indexes = [models.Index(fields=["id"], condition=models.Q(is_simulated=True), name="users_simulated")]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="users_username_any_case"),
            models.CheckConstraint(
                condition=~models.Q(is_guest=True, is_imported=True), name="users_guest_or_imported"
            ),
        ]

    @property
    def has_account(self) -> bool:
        return not self.is_guest and not self.is_imported

    @property
    def is_current_guest(self) -> bool:
        """Whether the signed cookie still stands for this row."""
        return self.is_guest and self.is_active and self.merged_into_id is None


class Session(AbstractBaseSession):
    """A browser's session, which also says whose it is, since when, and from what device.

    ``handle`` names it on pages: its key would open it. ``user`` is None for a visitor. ``seen_at``
    may lag behind by ``sessions.SEEN_EVERY``.
    """

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    handle = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    device = models.CharField(max_length=60, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    objects = Sessions()  # type: ignore[misc] # the base declares a class variable

    class Meta:
        db_table = "sessions"

    def save(self, *args: Any, **options: Any) -> None:
        """The store makes a new instance for each write: what Django does not know of stays."""
        if options.get("force_update"):
            options["update_fields"] = ["session_data", "expire_date", "user"]
        super().save(*args, **options)

    @classmethod
    def get_session_store_class(cls) -> "type[SessionStore]":
        from apps.accounts.sessions import SessionStore

        return SessionStore


class ApiKey(models.Model):
    """A credential of a program. Only the SHA-256 of the key is stored.

    ``prefix`` is the key's first part, shown in lists so that staff can tell keys apart.
    """

    class Scope(models.TextChoices):
        ACT_FOR_USERS = "act_for_users", "Act for users"
        CATALOG_WRITE = "catalog.write", "Keep the catalogue"
        ANALYTICS_READ = "analytics.read", "Read analytics"
        METRICS_READ = "metrics.read", "Read metrics"

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "api_keys"
        ordering = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def grants(self, scope: str) -> bool:
        return scope in self.scopes
