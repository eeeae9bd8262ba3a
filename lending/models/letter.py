"""Letters to applicants, kept as they were written."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lending import contracts
from lending.contracts import LetterKind
from lending.models.application import Application

_KINDS = [(kind.value, kind.value) for kind in LetterKind]


class Letter(models.Model):
    """A letter, one of a kind for each application; it is written once, whatever becomes of its sending."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=10, choices=_KINDS)
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["application", "kind"], name="lending_letter_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in LetterKind]), name="lending_letter_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def as_contract(self) -> contracts.Letter:
        return contracts.Letter(
            kind=LetterKind(self.kind),
            recipient=self.recipient,
            subject=self.subject,
            body=self.body,
            written_at=self.written_at,
            sent_at=self.sent_at,
        )
