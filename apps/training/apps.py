from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "apps.training"
    label = "training"

    def ready(self) -> None:
        from apps.training import checks  # noqa: F401 - registers itself
        from apps.training.privacy import register_sources
        from apps.training.servable import register

        register()
        register_sources()
