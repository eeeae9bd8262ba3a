"""The project as an app: home of `up`, `seed_demo`, the groups and of project-wide templates."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from finaegis import groups


class FinAegisConfig(AppConfig):
    name = "finaegis"

    def ready(self) -> None:
        # The signal is sent for apps with models only; the groups are rows of this one.
        post_migrate.connect(groups.make_groups, sender=apps.get_app_config("auth"))
