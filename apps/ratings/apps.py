from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "apps.ratings"
    label = "ratings"

    def ready(self) -> None:
        from apps.ratings.sources import register_sources

        register_sources()
