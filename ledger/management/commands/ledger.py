"""`manage.py ledger verify`: whether the books add up, for people and for scripts."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from functools import cache
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from ledger import queries
from workflows import queries as workflow_queries


def _run_is_open(run_id: UUID) -> bool:
    """Whether the run may still resolve its holds; a run that nobody knows cannot."""
    return any(run.closed_at is None for run in workflow_queries.list_runs(text=str(run_id)) if run.id == run_id)


class Command(BaseCommand):
    """Check the ledger; the exit code is 0 if it is sound and 1 if anything was found."""

    help = "Check the ledger: sums, balances against postings, holds, seals and keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        verify = acts.add_parser("verify", help="say everything that does not add up; exit code 1 if anything does not")
        verify.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = queries.verify(run_is_open=cache(_run_is_open))
        if options["json"]:
            self.stdout.write(json.dumps({"findings": [dataclasses.asdict(finding) for finding in findings]}))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.code}: {finding.message}")
            self.stdout.write(f"{len(findings)} finding(s)" if findings else "the ledger is sound")
        if findings:
            sys.exit(1)
