"""The attributes of the German credit data: their names here, which may score, and what a notice says of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Attributes by their number in the data set.
NAMES: Mapping[int, str] = MappingProxyType(
    {
        1: "checking_account",
        2: "term_months",
        3: "credit_history",
        4: "purpose",
        5: "amount",
        6: "savings",
        7: "employment",
        8: "instalment_rate",
        9: "personal_status_and_sex",
        10: "other_debtors",
        11: "residence_since",
        12: "property",
        13: "age",
        14: "other_instalment_plans",
        15: "housing",
        16: "existing_credits",
        17: "job",
        18: "dependants",
        19: "telephone",
        20: "foreign_worker",
    }
)
#: What Regulation B keeps out of a credit decision, and by which of its rules.
EXCLUDED: Mapping[int, str] = MappingProxyType(
    {
        9: "sex and marital status are prohibited bases (12 CFR 1002.2(z), 1002.6(b)(8))",
        13: "age is not scored (12 CFR 1002.6(b)(2) allows it under conditions only)",
        19: "a telephone listing is not considered (12 CFR 1002.6(b)(4))",
        20: "being a foreign worker stands in for national origin, a prohibited basis (12 CFR 1002.2(z))",
    }
)
#: Every attribute that may have points.
CANDIDATES: tuple[int, ...] = tuple(number for number in NAMES if number not in EXCLUDED)
#: What a notice of adverse action says when an attribute is among the reasons (12 CFR 1002.9(b)(2): specific).
REASONS: Mapping[int, str] = MappingProxyType(
    {
        1: "Low or overdrawn balance on your checking account",
        2: "Long repayment term requested",
        3: "Your record of earlier credits with us and with other lenders",
        4: "Purpose of the loan",
        5: "Amount of credit requested",
        6: "Low balance of savings and bonds",
        7: "Short time in your present employment, or none",
        8: "Size of the instalments against your disposable income",
        10: "No guarantor for the loan",
        11: "Length of time at your present residence",
        12: "Property you own gives too little security",
        14: "Instalment plans with other lenders",
        15: "You do not own your home",
        16: "Number of credits you have with us",
        17: "Kind of work you do",
        18: "Number of people you maintain",
    }
)
