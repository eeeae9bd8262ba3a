"""Names of workflows and activities: their defaults, and which declarations are refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from workflows import Workflow, activity
from workflows.core.definitions import RESERVED_PARAMETERS, registry
from workflows.core.errors import DefinitionError


@activity
def name_by_default() -> None:
    """Does nothing."""


@activity(name="naming.other_name")
def name_by_hand() -> None:
    """Does nothing."""


class NamedByDefaultWorkflow(Workflow[None]):
    """The first line.

    The rest.
    """

    async def execute(self) -> None:
        """Does nothing."""


class NamedByHand(Workflow[None]):
    name = "naming.ByHand"

    async def execute(self) -> None:
        """Does nothing."""


def declare(execute: Any, **attributes: Any) -> type[Workflow[Any]]:
    """A workflow class made of one function, with a name that is not taken."""
    return type("DeclaredWorkflow", (Workflow,), {"name": "naming.Declared", "execute": execute, **attributes})


async def nothing(self: Any) -> None:
    """An `execute` without parameters."""


def with_parameters(text: str) -> Any:
    """An `execute` with the parameters that `text` spells."""
    made: dict[str, Any] = {}
    exec(f"async def execute(self, {text}): ...", {}, made)
    return made["execute"]


def test_an_activity_is_named_after_its_app_and_function() -> None:
    assert name_by_default.name == "tests.name_by_default"
    assert registry.activities["tests.name_by_default"] is name_by_default


def test_a_workflow_is_named_after_its_app_and_its_class_without_workflow() -> None:
    assert NamedByDefaultWorkflow.definition.name == "tests.NamedByDefault"
    assert NamedByDefaultWorkflow.name == "tests.NamedByDefault"


def test_a_name_given_overrides_the_default() -> None:
    assert name_by_hand.name == "naming.other_name"
    assert NamedByHand.definition.name == "naming.ByHand"


def test_the_console_shows_the_first_line_of_the_docstring_or_the_name() -> None:
    assert NamedByDefaultWorkflow.definition.summary == "The first line."
    assert NamedByHand.definition.summary == "naming.ByHand"


def test_two_activities_of_one_name_are_refused() -> None:
    def another() -> None: ...

    with pytest.raises(DefinitionError, match=r"two activities are named 'naming\.other_name'") as refusal:
        activity(name="naming.other_name")(another)

    assert refusal.value.code == "definition_invalid"
    assert registry.activities["naming.other_name"] is name_by_hand


def test_two_workflows_of_one_name_and_version_are_refused() -> None:
    with pytest.raises(DefinitionError, match=r"two workflows are named 'naming\.ByHand' with version 1"):
        type("Another", (Workflow,), {"name": "naming.ByHand", "execute": nothing})

    assert registry.workflows["naming.ByHand"][1] is NamedByHand


def test_another_version_of_a_name_stands_beside_the_old_one() -> None:
    newer = type("Newer", (Workflow,), {"name": "naming.ByHand", "version": 2, "execute": nothing})

    assert registry.workflows["naming.ByHand"] == {1: NamedByHand, 2: newer}
    assert {"naming.ByHand@1", "naming.ByHand@2"} <= set(registry.capabilities())


def test_the_same_definition_seen_twice_is_no_double() -> None:
    """A module that is imported under two circumstances defines everything again."""

    def define() -> Any:
        @activity(name="naming.seen_twice")
        def seen_twice() -> None: ...

        return seen_twice

    first, second = define(), define()

    assert registry.activities["naming.seen_twice"] is second
    assert first.name == second.name


def test_a_base_class_without_execute_is_not_registered() -> None:
    base = type("BaseOfMany", (Workflow,), {"name": "naming.Base"})

    assert "naming.Base" not in registry.workflows
    assert issubclass(base, Workflow)


def test_a_subclass_of_such_a_base_is_named_after_itself() -> None:
    base = type("ManyWorkflow", (Workflow,), {})
    made = type("OneOfManyWorkflow", (base,), {"execute": nothing})

    assert made.definition.name == "tests.OneOfMany"  # type: ignore[attr-defined]


@pytest.mark.parametrize("parameter", ["key", "delay", "version", "actor", "reason", "on_close", "compensate"])
def test_a_parameter_that_the_operations_take_for_themselves_is_refused(parameter: str) -> None:
    with pytest.raises(DefinitionError, match=f"may not have parameters named {parameter}$"):
        declare(with_parameters(f"{parameter}: int = 0"))

    assert parameter in RESERVED_PARAMETERS
    assert "naming.Declared" not in registry.workflows


@pytest.mark.parametrize("parameters", ["*amounts", "**options", "amount, /"])
def test_a_parameter_without_a_name_that_callers_can_use_is_refused(parameters: str) -> None:
    with pytest.raises(DefinitionError, match="must have a name that callers can use"):
        declare(with_parameters(parameters))


def test_an_annotation_that_names_nothing_is_refused() -> None:
    with pytest.raises(DefinitionError, match="an annotation names something unknown"):
        declare(with_parameters("amount: 'NowhereDefined'"))


def test_a_type_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(DefinitionError, match="cannot store values of"):

        @activity(name="naming.unstorable")
        def unstorable(*, loop: asyncio.AbstractEventLoop) -> None: ...

    assert "naming.unstorable" not in registry.activities


def test_execute_must_be_asynchronous_and_an_activity_must_not() -> None:
    def plain(self: Any) -> None: ...

    async def asynchronous() -> None: ...

    with pytest.raises(DefinitionError, match="execute must be `async def`"):
        declare(plain)
    with pytest.raises(DefinitionError, match="an activity is a synchronous function"):
        activity(name="naming.asynchronous")(asynchronous)


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_a_version_is_a_whole_number_from_one(version: object) -> None:
    with pytest.raises(DefinitionError, match="version is a whole number from 1"):
        declare(nothing, version=version)


@pytest.mark.parametrize(
    ("attribute", "value"), [("on_failure", "retry"), ("on_cancel", "compensates"), ("compensation", "")]
)
def test_a_policy_is_one_of_its_words(attribute: str, value: str) -> None:
    with pytest.raises(DefinitionError, match=f"{attribute} is one of"):
        declare(nothing, **{attribute: value})


def test_a_start_check_may_ask_only_for_what_execute_takes() -> None:
    @activity(name="naming.check_amount")
    def check_amount(*, amount: int) -> None: ...

    with pytest.raises(DefinitionError, match=r"start check naming\.check_amount asks for unknown amount"):
        declare(nothing, start_checks=(check_amount,))


def test_undo_when_is_one_of_its_words() -> None:
    def effect() -> None: ...

    with pytest.raises(DefinitionError, match="undo_when is 'completed' or 'attempted'"):
        activity(name="naming.odd_undo_when", undo_when="always")(effect)  # type: ignore[call-overload]


def test_a_subclass_that_inherits_execute_is_a_workflow_of_its_own() -> None:
    """Else its options would be ignored without a word: the class before it would run."""

    class InheritedFromWorkflow(Workflow[int]):
        """One."""

        async def execute(self) -> int:
            return 1

    class InheritingWorkflow(InheritedFromWorkflow):
        """Another."""

        on_failure = "hold"

    assert InheritingWorkflow.definition.name == "tests.Inheriting"
    assert InheritingWorkflow.definition.on_failure == "hold"
    assert InheritedFromWorkflow.definition.on_failure == "compensate"
