"""What a notice of a decline says: the specific reasons actually used (12 CFR 1002.9(b)(2))."""

from __future__ import annotations

from collections.abc import Sequence

from lending.contracts import MAXIMUM_REASONS, ReviewCause, ScoreReason

#: Causes in the words of sample form C-1; the score speaks by its own reasons.
_WORDS: dict[ReviewCause, str] = {
    ReviewCause.FRAUD: "We were unable to verify your identity",
    ReviewCause.FRAUD_UNAVAILABLE: "We were unable to verify your identity",
    ReviewCause.DOCUMENTS_FAILED: "We were unable to verify the documents you sent",
    ReviewCause.DOCUMENTS_INCOMPLETE: "Your application was incomplete: documents were missing",
    ReviewCause.DOCUMENTS_UNAVAILABLE: "We were unable to verify the documents you sent",
    ReviewCause.NO_CREDIT_FILE: "The credit bureau has no credit file for you",
    ReviewCause.BUREAU_UNAVAILABLE: "We were unable to obtain a credit report for you",
    ReviewCause.EXPOSURE: "Your income is insufficient for the amount of credit requested",
}


def decline_reasons(causes: Sequence[ReviewCause], reasons: Sequence[ScoreReason]) -> tuple[str, ...]:
    """At most four reasons: what the checks found, then, if the score was a cause, what weighed most in it."""
    found = dict.fromkeys(_WORDS[cause] for cause in causes if cause is not ReviewCause.SCORE)
    weighed = [reason.text for reason in reasons] if ReviewCause.SCORE in causes else []
    return (*found, *weighed)[:MAXIMUM_REASONS]
