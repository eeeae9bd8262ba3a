"""What an applicant states: the form that is handed in, and the facts of it without the SSN."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from finaegis.shared.money import Money
from workflows import Sensitive

#: The one product so far; an applicant has at most one open application for it.
PRODUCT = "consumer_loan"
#: Months.
MAXIMUM_TERM = 120

#: Coded attributes of the credit data: name here -> code there -> what it says. Numbers as in the data's description.
CODES: dict[str, dict[str, str]] = {
    # 1
    "checking_account": {
        "A11": "below 0",
        "A12": "0 to 200",
        "A13": "200 or more, or salary paid in for a year",
        "A14": "no checking account",
    },
    # 3
    "credit_history": {
        "A30": "no credits taken, or all paid back duly",
        "A31": "all credits at this bank paid back duly",
        "A32": "existing credits paid back duly till now",
        "A33": "delay in paying off in the past",
        "A34": "critical account, or credits elsewhere",
    },
    # 4
    "purpose": {
        "A40": "car_new",
        "A41": "car_used",
        "A42": "furniture",
        "A43": "television",
        "A44": "appliances",
        "A45": "repairs",
        "A46": "education",
        "A47": "vacation",
        "A48": "retraining",
        "A49": "business",
        "A410": "other",
    },
    # 6
    "savings": {
        "A61": "below 100",
        "A62": "100 to 500",
        "A63": "500 to 1000",
        "A64": "1000 or more",
        "A65": "unknown, or no savings account",
    },
    # 7
    "employment": {
        "A71": "unemployed",
        "A72": "below_1_year",
        "A73": "1_to_4_years",
        "A74": "4_to_7_years",
        "A75": "7_years_or_more",
    },
    # 10
    "other_debtors": {"A101": "none", "A102": "co_applicant", "A103": "guarantor"},
    # 12
    "property": {"A121": "real_estate", "A122": "savings_or_insurance", "A123": "car_or_other", "A124": "none"},
    # 14
    "other_instalment_plans": {"A141": "bank", "A142": "stores", "A143": "none"},
    # 15
    "housing": {"A151": "rent", "A152": "own", "A153": "free"},
    # 17
    "job": {
        "A171": "unskilled_non_resident",
        "A172": "unskilled",
        "A173": "skilled",
        "A174": "highly_qualified",
    },
}  # fmt: skip


def _coded(name: str) -> BeforeValidator:
    """Takes the code of the credit data or the word for it; keeps the code."""
    known = {code: code for code in CODES[name]} | {word: code for code, word in CODES[name].items()}

    def code_of(value: object) -> object:
        if value is None:
            return None
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return known[value]

    return BeforeValidator(code_of)


class Attributes(BaseModel):
    """What an applicant states beside the amount, each as its code in the credit data or as the word for it.

    Whatever is left out counts neither for nor against the applicant. Sex, age, telephone and nationality are not
    asked (Reg B), and what a bureau knows is not taken from the applicant.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    purpose: Annotated[str | None, _coded("purpose"), Field(examples=["car_used"])] = None
    employment: Annotated[str | None, _coded("employment"), Field(examples=["4_to_7_years"])] = None
    #: Instalments as a class of disposable income, attribute 8: 1 = 35 % or more ... 4 = below 20 %.
    instalment_rate: Annotated[int | None, Field(ge=1, le=4)] = None
    other_debtors: Annotated[str | None, _coded("other_debtors"), Field(examples=["none"])] = None
    #: Attribute 11: a class of years at the present residence, 1 to 4.
    residence_since: Annotated[int | None, Field(ge=1, le=4)] = None
    property: Annotated[str | None, _coded("property"), Field(examples=["real_estate"])] = None
    housing: Annotated[str | None, _coded("housing"), Field(examples=["own"])] = None
    job: Annotated[str | None, _coded("job"), Field(examples=["skilled"])] = None
    #: Attribute 18: people the applicant has to maintain.
    dependants: Annotated[int | None, Field(ge=0, le=50)] = None


class Document(BaseModel):
    """A document that goes with an application: what it is, and where it lies."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Annotated[str, Field(min_length=1, max_length=60, examples=["payslip"])]
    reference: Annotated[str, Field(min_length=1, max_length=200, examples=["DOC-2026-0001"])]


_PLAIN_AMOUNT = r"[0-9]{1,20}(\.[0-9]{1,8})?"


def _plain(value: object) -> object:
    """Never a float, which holds no amount exactly, and no exponent."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not re.fullmatch(_PLAIN_AMOUNT, value):
        raise ValueError("must be a plain decimal text such as 1500.00")
    return Decimal(value)


#: An amount whose currency stands beside it.
PlainAmount = Annotated[
    Decimal,
    BeforeValidator(_plain),
    WithJsonSchema({"type": "string", "pattern": f"^{_PLAIN_AMOUNT}$", "examples": ["5000.00"]}),
]
ApplicantName = Annotated[str, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
CurrencyCode = Annotated[str, Field(min_length=3, max_length=12, examples=["USD"])]
TermMonths = Annotated[int, Field(ge=1, le=MAXIMUM_TERM, examples=[24])]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["ada@example.com"])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationForm:
    """An application as it is handed in: the input of `lending.LoanApplication`. `income` is that of a year.

    Letters go to `email`; without one they go to the desk that prints and posts them.
    """

    applicant: ApplicantName
    ssn: Sensitive[str]
    income: PlainAmount
    currency: CurrencyCode
    amount: PlainAmount
    term_months: TermMonths
    documents: tuple[Document, ...] = ()
    attributes: Attributes = field(default_factory=Attributes)
    email: Email | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an application states, without the SSN. `income` is that of a year."""

    applicant: str
    income: Money
    amount: Money
    term_months: int
    documents: tuple[Document, ...] = ()
    attributes: Attributes = field(default_factory=Attributes)
