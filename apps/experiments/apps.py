from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "apps.experiments"
    label = "experiments"
    verbose_name = "Serving"

    def ready(self) -> None:
        from apps.experiments.sources import register_sources

        register_sources()
