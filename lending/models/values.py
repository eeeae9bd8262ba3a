"""A contract kept whole in a text column, as canonical JSON; what is searched stands in columns of its own."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

from pydantic import TypeAdapter

V = TypeVar("V")


class ValueOf(Generic[V]):
    """Reads a column of JSON text as its contract: `score = ValueOf("score_json", Score)`; `dump` makes the text.

    A column that holds nothing (NULL) reads as None, so declare such a one `ValueOf[Score | None]`.
    """

    def __init__(self, column: str, annotation: Any) -> None:
        self._column = column
        self._adapter: TypeAdapter[V] = TypeAdapter(annotation)

    @overload
    def __get__(self, row: None, owner: type) -> ValueOf[V]: ...

    @overload
    def __get__(self, row: Any, owner: type) -> V: ...

    def __get__(self, row: Any, owner: type) -> V | ValueOf[V]:
        if row is None:
            return self
        return self._adapter.validate_json(getattr(row, self._column))

    def dump(self, value: V) -> str:
        """The text that is stored."""
        return self._adapter.dump_json(value).decode()
