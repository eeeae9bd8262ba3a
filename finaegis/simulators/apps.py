"""The simulators as an app: it owns the tables in which simulated third parties remember."""

from django.apps import AppConfig


class SimulatorsConfig(AppConfig):
    name = "finaegis.simulators"
    label = "simulators"
