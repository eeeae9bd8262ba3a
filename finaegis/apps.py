"""The project as an app: home of `seed_demo` and of project-wide templates."""

from django.apps import AppConfig


class FinAegisConfig(AppConfig):
    name = "finaegis"
