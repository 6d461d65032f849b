"""People as staff look at them: by what they were shown and what they said."""

from apps.accounts.models import User


class Viewer(User):
    """An account or a guest. The row is that of ``accounts``; the permissions are its own, because
    what somebody watches is more private than that they have an account.
    """

    class Meta:
        proxy = True
        default_permissions = ("view", "change", "delete")
        permissions = [("export_viewer", "Can export all that is held about a viewer")]
        verbose_name = "viewer"
