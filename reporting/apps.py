"""App configuration of reporting: its workflow, and what pages of others show of it."""

from importlib import import_module

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "reporting"
    verbose_name = "Reporting"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("reporting.workflows")
        import_module("reporting.panels").register()
