"""App configuration of the ledger: triggers after every migrate."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from ledger import triggers


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        post_migrate.connect(triggers.reinstall, sender=self)
