"""A paginator for tables without bound: it never counts further than it can page."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

#: Rows a list can reach; whoever looks for more narrows the filters.
MOST_ROWS = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most `MOST_ROWS` rows, so that a list of millions costs what one of thousands does."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_ROWS].count())

    @property
    def is_capped(self) -> bool:
        return self.count >= MOST_ROWS
