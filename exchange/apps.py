"""App configuration of the exchange: its workflows, and its triggers after every migrate."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from exchange import triggers


class ExchangeConfig(AppConfig):
    name = "exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("exchange.workflows")
        import_module("exchange.panels").register()
        post_migrate.connect(triggers.reinstall, sender=self)
