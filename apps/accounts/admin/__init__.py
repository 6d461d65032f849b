"""Users, groups and API keys for staff."""

from apps.accounts.admin.keys import ApiKeyAdmin
from apps.accounts.admin.users import GroupAdmin, UserAdmin

__all__ = ["ApiKeyAdmin", "GroupAdmin", "UserAdmin"]
