"""App configuration of treasury."""

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    name = "treasury"
