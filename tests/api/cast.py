"""Workflows that the REST tests start; named apart from every other test's."""

from workflows import NonRetryable, Retry, Sensitive, Workflow, activity


@activity(name="rest.add")
def add(*, n: int) -> int:
    return n + 1


@activity(name="rest.take_back")
def take_back(*, n: int) -> None:
    return None


@activity(name="rest.book", transactional=True, undo=take_back)
def book(*, n: int) -> int:
    return n


@activity(name="rest.refuse", retry=Retry(max_attempts=1))
def refuse(*, n: int) -> int:
    if n == 7:
        return n
    raise NonRetryable("no", code="told_no")


@activity(name="rest.never", retry=Retry(max_attempts=1000, initial=3600.0))
def never() -> int:
    raise RuntimeError("not yet")


@activity(name="rest.welcome")
def welcome(*, secret: Sensitive[str]) -> str:
    return "welcome"


class AdditionWorkflow(Workflow[int]):
    """Add one."""

    name = "rest.Addition"

    async def execute(self, n: int, note: str = "") -> int:
        return await self.activity(add, n=n)


class BookingWorkflow(Workflow[int]):
    """Book, so that something can be undone."""

    name = "rest.Booking"

    async def execute(self, n: int) -> int:
        return await self.activity(book, n=n)


class BookingsWorkflow(Workflow[int]):
    """Book again and again."""

    name = "rest.Bookings"

    async def execute(self, n: int) -> int:
        for number in range(n):
            await self.activity(book, n=number)
        return n


class RefusedWorkflow(Workflow[int]):
    """Book, then be refused, then wait for an operator."""

    name = "rest.Refused"
    on_failure = "hold"

    async def execute(self, n: int) -> int:
        await self.activity(book, n=n)
        return await self.activity(refuse, n=n)


class NapWorkflow(Workflow[int]):
    """Wait for what never works, an hour before each try."""

    name = "rest.Nap"

    async def execute(self) -> int:
        return await self.activity(never)


class SecretWorkflow(Workflow[str]):
    """Take something that nobody may see."""

    name = "rest.Secret"

    async def execute(self, secret: Sensitive[str], n: int = 0) -> str:
        return await self.activity(welcome, secret=secret)
