from django.apps import AppConfig


class BanditsConfig(AppConfig):
    name = "apps.bandits"
    label = "bandits"
