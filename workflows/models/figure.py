"""Figures of what runs did, where no Redis keeps them."""

from __future__ import annotations

from django.db import models


class Figure(models.Model):
    """One document of figures (`workflows.metrics`), as JSON. It can be made anew from the rows of the runs."""

    name = models.CharField(max_length=220, primary_key=True)
    document = models.TextField()

    class Meta:
        db_table = "workflows_figure"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
