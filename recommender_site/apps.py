"""Django's admin with a site of our own."""

from django.conf import settings
from django.contrib.admin.apps import AdminConfig, SimpleAdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "recommender_site.staff.StaffSite"

    def ready(self) -> None:
        if settings.WITHOUT_PAGES:
            # Loading every room's pages takes as long as half an update.
            SimpleAdminConfig.ready(self)
        else:
            super().ready()
