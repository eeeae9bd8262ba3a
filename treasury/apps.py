"""App configuration of treasury."""

from importlib import import_module

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "treasury"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("treasury.workflows")
        import_module("treasury.sagas")
        import_module("treasury.panels").register()
