"""Business calendars: holidays and cut-offs of currencies and rails as data.

Workflow code describes: `await self.sleep_until(next_business_day(calendar="USD", days=3))`. The runtime calls
`resolve` when it writes the timer. Calendars are edited in the console; `first_content` brings the first ones.
"""

from workflows.calendars.reading import resolve
from workflows.core.when import BusinessDay, UnknownCalendar, next_business_day

__all__ = ["BusinessDay", "UnknownCalendar", "next_business_day", "resolve"]
