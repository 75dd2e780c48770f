from django.apps import AppConfig


class MechanicsConfig(AppConfig):
    name = "mechanics"
