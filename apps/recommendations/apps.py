from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "apps.recommendations"
    label = "recommendations"
    verbose_name = "Viewers"

    def ready(self) -> None:
        from apps.recommendations.servable import register

        register()
