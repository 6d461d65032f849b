from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"
    verbose_name = "The log"

    def ready(self) -> None:
        from apps.events.sources import register_sources

        register_sources()
