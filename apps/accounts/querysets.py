from django.db import models


class UserQuerySet(models.QuerySet["User"]):  # type: ignore[name-defined] # the model imports this module
    def viewers(self) -> "UserQuerySet":
        """Everybody who counts as a viewer: imported and merged people do not."""
        return self.filter(is_imported=False, merged_into=None)

    def with_account(self) -> "UserQuerySet":
        return self.filter(is_imported=False, is_guest=False)
