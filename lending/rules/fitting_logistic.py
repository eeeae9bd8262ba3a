"""Logistic regression with a light ridge, by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

Vector = NDArray[numpy.float64]

#: Just enough that a column which parts the outcomes without a single error has a finite coefficient.
BARELY = 1e-3
_MOST_STEPS = 100
_STILL = 1e-10


@dataclass(frozen=True, slots=True)
class Fit:
    """`intercept` and one coefficient for each column; `gain` is what the columns add to the log-likelihood."""

    intercept: float
    coefficients: Vector
    gain: float


def fit(columns: Vector, outcomes: Vector, *, ridge: float) -> Fit:
    """The coefficients that make the outcomes (1 or 0) likeliest, less `ridge` / 2 x their squares.

    The intercept is not shrunk, so the mean of the fitted probabilities is that of the outcomes. `ridge` must be more
    than 0, so that columns which say the same share a coefficient instead of having none.
    """
    design = numpy.column_stack((numpy.ones(len(outcomes)), columns))
    penalty = numpy.full(design.shape[1], ridge)
    penalty[0] = 0.0
    beta = numpy.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        chances = expit(design @ beta)
        curvature = (design.T * (chances * (1 - chances))) @ design + numpy.diag(penalty)
        step = numpy.linalg.solve(curvature, design.T @ (outcomes - chances) - penalty * beta)
        beta = beta + step
        if numpy.max(numpy.abs(step)) < _STILL:
            break
    gain = _log_likelihood(design @ beta, outcomes) - _log_likelihood(logit(outcomes.mean()), outcomes)
    return Fit(float(beta[0]), beta[1:], gain)


def _log_likelihood(log_odds: Vector, outcomes: Vector) -> float:
    return float(numpy.sum(outcomes * log_expit(log_odds) + (1 - outcomes) * log_expit(-log_odds)))
