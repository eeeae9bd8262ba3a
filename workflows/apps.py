"""App configuration of the engine: keys for sensitive fields, triggers and first calendars after migrations."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from workflows import crypto, triggers
from workflows.core import payloads


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        payloads.use_cipher(crypto.SettingsCipher())
        post_migrate.connect(triggers.reinstall, sender=self)
        # It stands above the models, which are not loaded yet when this module is.
        post_migrate.connect(import_module("workflows.calendars.first_content").load_missing, sender=self)
