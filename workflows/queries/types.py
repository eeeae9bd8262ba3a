"""What can be started, and what its runs can be told and asked."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from workflows.contracts import MessageType, WorkflowType
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition, registry
from workflows.core.errors import CodeMissing
from workflows.core.messages import Message, MessageKind


def list_workflows() -> list[WorkflowType]:
    """Every registered workflow, by name and version."""
    return [
        _described(cls.definition)
        for _, versions in sorted(registry.workflows.items())
        for _, cls in sorted(versions.items())
    ]


def get_workflow(name: str, version: int) -> WorkflowType:
    """One registered workflow; raises CodeMissing where this process does not have its code."""
    return _described(definition_of(name, version))


def definition_of(name: str, version: int) -> WorkflowDefinition:
    """The code of a run's workflow; raises CodeMissing."""
    cls = registry.workflows.get(name, {}).get(version)
    if cls is None:
        raise CodeMissing(f"this process does not have the code of {name} version {version}")
    definition: WorkflowDefinition = cls.definition
    return definition


def _described(definition: WorkflowDefinition) -> WorkflowType:
    return WorkflowType(
        definition.name,
        definition.version,
        definition.summary,
        definition.on_failure,
        definition.signature.json_schema(),
        tuple(_message(message) for message in definition.messages.values()),
    )


def _message(message: Message[..., Any]) -> MessageType:
    lines = inspect.cleandoc(message.__doc__ or "").splitlines()
    answered = message.kind is not MessageKind.SIGNAL
    return MessageType(
        message.kind.value,
        message.name,
        lines[0] if lines else "",
        message.signature.json_schema(),
        result_schema(message.signature) if answered else None,
    )


def result_schema(signature: payloads.Signature) -> dict[str, Any]:
    """JSON Schema of what a function gives; empty for a type that JSON Schema cannot tell."""
    try:
        return signature.result.adapter.json_schema(mode="validation")
    except PydanticInvalidForJsonSchema:
        return {}
