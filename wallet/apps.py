"""App configuration of the wallet: its workflows, and first limits after every migrate."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from wallet import defaults


class WalletConfig(AppConfig):
    name = "wallet"
    verbose_name = "Wallet"

    def ready(self) -> None:
        # Workflows and activities register when their module is imported, which needs the models to be loaded.
        import_module("wallet.workflows")
        import_module("wallet.panels").register()
        post_migrate.connect(defaults.load_missing, sender=self)
