"""What can be done to accounts and guests."""

from apps.accounts.services.activation import activate_user, deactivate_user
from apps.accounts.services.guests import ensure_guest, merge_guest
from apps.accounts.services.imported import ensure_imported_users
from apps.accounts.services.logins import adopt_guest, authenticate_account, log_in, log_out
from apps.accounts.services.passwords import (
    change_password,
    confirm_password,
    confirm_password_reset,
    request_password_reset,
    user_of_reset_link,
)
from apps.accounts.services.profiles import update_profile
from apps.accounts.services.registration import register_account
from apps.accounts.services.sessions import clear_expired_sessions, end_other_sessions, end_session
from apps.accounts.services.simulated import create_simulated_viewers

__all__ = [
    "activate_user",
    "adopt_guest",
    "authenticate_account",
    "change_password",
    "clear_expired_sessions",
    "confirm_password",
    "confirm_password_reset",
    "create_simulated_viewers",
    "deactivate_user",
    "end_other_sessions",
    "end_session",
    "ensure_guest",
    "ensure_imported_users",
    "log_in",
    "log_out",
    "merge_guest",
    "register_account",
    "request_password_reset",
    "update_profile",
    "user_of_reset_link",
]
