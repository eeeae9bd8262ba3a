"""`manage.py decide_case CASE clear|reject --reason TEXT`: an officer's decision at the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from treasury import operations
from treasury.contracts import CaseDecision
from treasury.errors import CaseDecided, CaseRunHeld, SameOfficer, TreasuryError, UnknownCase
from treasury.management.actors import FORBIDDEN, REFUSED, actor_with

#: What each refusal ends with; any other is an input to be mended.
_EXITS: tuple[tuple[type[TreasuryError], int], ...] = (
    (UnknownCase, 3),
    (CaseDecided, 4),
    (CaseRunHeld, 4),
    (SameOfficer, FORBIDDEN),
)
_NOT_YET = 6


class Command(BaseCommand):
    """Decide a compliance case. A decision cannot be sent by `workflow update`, which does not prove who decides."""

    help = (
        "Clear or reject a compliance case. Exit codes: 0 decided, 2 a refused input, 3 no such case, 4 the case has "
        "ended or its run is held, 5 the officer may not decide it, 6 the run has not taken the decision yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", type=UUID, metavar="CASE", help="id of the case")
        parser.add_argument("decision", choices=[item.value for item in CaseDecision])
        parser.add_argument("--reason", required=True, help="why; it is kept with the case")
        parser.add_argument("--user", metavar="NAME", help="decide as this user, whose permission is checked")

    def handle(self, *args: Any, case: UUID, decision: str, reason: str, user: str | None, **options: Any) -> None:
        actor = actor_with("treasury.decide_compliancecase", user)
        try:
            decided = operations.decide_case(case, decision=decision, reason=reason, actor=actor)
        except TreasuryError as refusal:
            code = next((code for kind, code in _EXITS if isinstance(refusal, kind)), REFUSED)
            raise CommandError(f"{refusal.code}: {refusal}", returncode=code) from refusal
        if decided.pending:
            raise CommandError("the decision is requested; its run has not taken it yet", returncode=_NOT_YET)
        self.stdout.write(f"case {case} is {decided.case.status}")
