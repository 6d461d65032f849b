"""What the admin's tables share, and the tables of this room."""

from apps.core.admin.audited import AuditedAdmin
from apps.core.admin.filters import AutocompleteSelectFilter, DayRangeFilter, known_values
from apps.core.admin.links import Link, list_link, list_url, may_see, row_url
from apps.core.admin.logs import BoundedPaginator, LogAdmin
from apps.core.admin.records import AuditEntryAdmin, HeartbeatAdmin
from apps.core.admin.schedules import CrontabAdmin, IntervalAdmin, ScheduledTaskAdmin
from apps.core.admin.tables import (
    ExplainedAdmin,
    ReadOnlyAdmin,
    RefusalsAsMessages,
    offer_action,
    offer_links,
)

__all__ = [
    "AuditEntryAdmin",
    "AuditedAdmin",
    "AutocompleteSelectFilter",
    "BoundedPaginator",
    "CrontabAdmin",
    "DayRangeFilter",
    "ExplainedAdmin",
    "HeartbeatAdmin",
    "IntervalAdmin",
    "Link",
    "LogAdmin",
    "ReadOnlyAdmin",
    "RefusalsAsMessages",
    "ScheduledTaskAdmin",
    "known_values",
    "list_link",
    "list_url",
    "may_see",
    "offer_action",
    "offer_links",
    "row_url",
]
