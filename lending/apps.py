"""App configuration of lending."""

from importlib import import_module

from django.apps import AppConfig


class LendingConfig(AppConfig):
    name = "lending"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("lending.workflows")
        import_module("lending.panels").register()
