"""`manage.py lending_fit FILE`: fit the points table on a credit file and say how good it is out of fold."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lending.errors import InvalidCreditFile
from lending.management.credit_file import UNUSABLE, read_rows, write_text
from lending.rules.fitting import LEAST_AUC, Prediction, fit_scorecard
from lending.rules.scorecard_table import AttributePoints, BinPoints, Scorecard, write_scorecard


class Command(BaseCommand):
    """Fit a points table; nothing is written but the files that are asked for."""

    help = (
        "Fit the points table of the scorecard on a file in the form of the German credit data, and print it with its "
        "out-of-fold AUC, calibration and deciles. Attributes 9, 13, 19 and 20 are never used."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="such as lending/data/german_credit.data")
        parser.add_argument(
            "--oof", metavar="FILE.csv", help="write the out-of-fold predictions: row,fold,pd, counted from 0"
        )
        parser.add_argument(
            "--write",
            metavar="FILE.json",
            help=f"write the scorecard, such as lending/data/scorecard.json; refused below an AUC of {LEAST_AUC}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"]
        rows = read_rows(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        source = f"{Path(path).name}, {len(rows)} rows, SHA-256 {digest}"
        try:
            scorecard, predictions = fit_scorecard(rows, source=source)
        except InvalidCreditFile as error:
            raise CommandError(f"{path}: {error}", returncode=UNUSABLE) from error
        for line in _report(scorecard):
            self.stdout.write(line)
        if options["oof"]:
            write_text(options["oof"], _csv(predictions))
        if options["write"]:
            self._keep(scorecard, options["write"])

    def _keep(self, scorecard: Scorecard, path: str) -> None:
        if scorecard.quality.auc < LEAST_AUC:
            raise CommandError(
                f"{path}: not written, an out-of-fold AUC of {scorecard.quality.auc} is below {LEAST_AUC}",
                returncode=1,
            )
        write_text(path, write_scorecard(scorecard))
        self.stdout.write(f"{path}: written")


def _csv(predictions: tuple[Prediction, ...]) -> str:
    lines = [f"{item.row},{item.fold},{item.pd:f}" for item in predictions]
    return "\n".join(["row,fold,pd", *lines]) + "\n"


def _report(scorecard: Scorecard) -> Iterator[str]:
    yield f"{scorecard.version}: {scorecard.source}"
    yield f"odds of good to bad at 0 points: {scorecard.table.base_odds}"
    yield f"\n{'attribute':<28}{'values':<28}{'rows':>6}{'bad %':>8}{'points':>9}"
    for attribute in scorecard.table.attributes:
        for position, item in enumerate(attribute.bins):
            name = f"{attribute.number:>2} {attribute.name}" if position == 0 else ""
            rate = 100 * item.bad / item.rows
            yield f"{name:<28}{_values(attribute, position):<28}{item.rows:>6}{rate:>8.1f}{item.points:>9}"
    yield "\nleft out"
    for left in scorecard.table.left_out:
        yield f"{left.number:>2} {left.name:<25}{left.reason}"
    quality = scorecard.quality
    yield f"\nout of fold, {quality.folds} folds"
    yield f"AUC {quality.auc}"
    yield f"calibration slope {quality.calibration_slope}, intercept {quality.calibration_intercept}"
    yield f"{'decile':>6}{'rows':>6}{'predicted':>11}{'observed':>10}"
    for number, tenth in enumerate(quality.deciles, start=1):
        yield f"{number:>6}{tenth.rows:>6}{tenth.mean_pd:>11}{tenth.bad_rate:>10}"


def _values(attribute: AttributePoints, position: int) -> str:
    item: BinPoints = attribute.bins[position]
    if item.values:
        return " ".join(item.values)
    if item.up_to is not None:
        return f"up to {item.up_to}"
    return f"above {attribute.bins[position - 1].up_to}"
