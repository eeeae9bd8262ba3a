"""App configuration of the ledger: triggers after every migrate, and what it shows on pages of others."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from ledger import triggers


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        post_migrate.connect(triggers.reinstall, sender=self)
        # It reads the models, which are not loaded yet when this module is.
        import_module("ledger.panels").register()
