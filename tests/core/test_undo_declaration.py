"""SEMANTICS A1: how an undo's parameters are filled, and which undos are refused when they are declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from workflows import activity
from workflows.core.compensation import fill_arguments
from workflows.core.errors import DefinitionError


@dataclass(frozen=True)
class Reserved:
    reservation: str
    amount: int


class ReservedModel(BaseModel):
    reservation: str
    amount: int


class ReservedDict(TypedDict):
    reservation: str
    amount: int


@activity(name="undo_declaration.free")
def free(*, reservation: str | None = None, account: str, result: Any = None, note: str = "") -> None:
    """Undoes a reservation."""


@activity(name="undo_declaration.free_strictly")
def free_strictly(*, reservation: str) -> None:
    """Undoes a reservation that it must be told."""


@activity(name="undo_declaration.free_amount")
def free_amount(*, amount: int) -> None:
    """Undoes by what is both an argument and a field of the result."""


@activity(name="undo_declaration.free_by_account")
def free_by_account(*, account: str) -> None:
    """Undoes by argument alone."""


@activity(name="undo_declaration.reserve", undo=free)
def reserve(*, account: str, amount: int) -> Reserved:
    return Reserved("R-1", amount)


def test_parameters_come_from_the_results_fields_then_from_the_arguments() -> None:
    assert reserve.undo_map == {
        "reservation": ["result", "reservation"],
        "account": ["argument", "account"],
        "result": ["result"],
    }


def test_a_field_of_the_result_precedes_the_argument_of_that_name() -> None:
    @activity(name="undo_declaration.reserve_amount", undo=free_amount)
    def reserve_amount(*, amount: int) -> Reserved: ...

    assert reserve_amount.undo_map == {"amount": ["result", "amount"]}


@pytest.mark.parametrize("result", [Reserved, ReservedModel, ReservedDict])
def test_fields_are_those_of_a_dataclass_a_model_or_a_typed_dict(result: Any) -> None:
    def reserve_as(*, account: str) -> Any: ...

    reserve_as.__annotations__["return"] = result
    declared = activity(name=f"undo_declaration.as_{result.__name__}", undo=free)(reserve_as)

    assert declared.undo_map is not None
    assert declared.undo_map["reservation"] == ["result", "reservation"]


def test_a_parameter_that_nothing_can_fill_is_refused() -> None:
    with pytest.raises(DefinitionError, match="needs 'account', which is neither in the result nor an argument"):

        @activity(name="undo_declaration.without_account", undo=free)
        def without_account(*, amount: int) -> Reserved: ...


def test_a_parameter_that_only_the_result_can_fill_needs_a_default() -> None:
    """An attempt with an unknown outcome has no result; its undo then finds the effect by undone_key."""
    with pytest.raises(DefinitionError, match="takes 'reservation' from the result") as refusal:

        @activity(name="undo_declaration.uncertain", undo=free_strictly)
        def uncertain(*, amount: int) -> Reserved: ...

    assert "undone_key" in str(refusal.value)


def test_the_whole_result_needs_a_default_too() -> None:
    @activity(name="undo_declaration.free_whole")
    def free_whole(*, result: Reserved) -> None: ...

    with pytest.raises(DefinitionError, match="takes 'result' from the result"):

        @activity(name="undo_declaration.uncertain_whole", undo=free_whole)
        def uncertain_whole(*, amount: int) -> Reserved: ...


def test_a_transactional_step_may_do_without_the_default_since_it_has_its_result_or_did_nothing() -> None:
    @activity(name="undo_declaration.certain", transactional=True, undo=free_strictly)
    def certain(*, amount: int) -> Reserved: ...

    assert certain.undo_map == {"reservation": ["result", "reservation"]}


def test_a_transactional_step_undone_when_attempted_needs_the_default() -> None:
    with pytest.raises(DefinitionError, match="takes 'reservation' from the result"):

        @activity(
            name="undo_declaration.certain_attempted", transactional=True, undo=free_strictly, undo_when="attempted"
        )
        def certain_attempted(*, amount: int) -> Reserved: ...


def test_a_variant_with_another_undo_is_checked_like_a_declaration() -> None:
    variant = reserve.options(undo=free_by_account)

    assert variant.undo_map == {"account": ["argument", "account"]}
    assert (variant.name, variant.signature) == (reserve.name, reserve.signature)
    with pytest.raises(DefinitionError):
        reserve.options(undo=free_strictly)


def test_a_result_fills_its_fields_and_the_whole() -> None:
    stored = {"reservation": "R-1", "amount": 5}

    filled = fill_arguments(reserve.undo_map or {}, {"account": "a", "amount": 5}, stored, has_result=True)

    assert filled == {"reservation": "R-1", "account": "a", "result": stored}


def test_without_a_result_its_fields_are_left_to_the_defaults() -> None:
    filled = fill_arguments(reserve.undo_map or {}, {"account": "a", "amount": 5}, None, has_result=False)

    assert filled == {"account": "a"}


def test_without_a_result_a_field_that_is_also_an_argument_is_the_argument() -> None:
    filled = fill_arguments({"amount": ["result", "amount"]}, {"amount": 7}, None, has_result=False)

    assert filled == {"amount": 7}
