"""App configuration of treasury."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from treasury import defaults


class TreasuryConfig(AppConfig):
    name = "treasury"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("treasury.workflows")
        import_module("treasury.sagas")
        import_module("treasury.panels").register()
        post_migrate.connect(defaults.load_missing, sender=self)
