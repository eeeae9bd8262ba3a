"""One call to a third party over HTTP: JSON there, a typed answer back, or one of four errors. No retries.

Every call has an idempotency key: under it the other side does its work once, and can be asked what became of it. The
key of a call travels as the header `Idempotency-Key`, percent-encoded as UTF-8 where it is not plain ASCII.
"""

from __future__ import annotations

import re
import ssl
import time
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from finaegis.shared.third_party.endpoints import Endpoint
from finaegis.shared.third_party.errors import NotTaken, OutcomeUnknown, Refused, Unavailable

T = TypeVar("T")

#: More than any answer needs; a longer one is not read to its end.
MAXIMUM_ANSWER = 1024 * 1024

_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "finaegis"}
#: Printable ASCII that a header carries as it is: all but the space and the percent sign.
_PLAIN_IN_HEADER = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}"
#: Answers that say: not now, and nothing was done.
_NOT_TAKEN = frozenset({408, 425, 429, 503})
#: Letters alone: a digit in a code could be part of a number that was sent.
_CODE = re.compile(r"[a-z]+(_[a-z]+){0,9}")
_NO_CODE = "third_party_refused"


def segment(key: str) -> str:
    """The key as one segment of a path. Dots too, since `..` means something else there."""
    return quote(key, safe="").replace(".", "%2E")


class Client:
    """Calls one third party. May be shared by threads.

    Connections are not kept alive: one that the other side closed while it idled would look like a lost answer, and
    put a payment in doubt. Redirects are not followed, proxies and credentials of the environment are not used.
    """

    def __init__(self, endpoint: Endpoint, *, transport: httpx.BaseTransport | None = None) -> None:
        self.endpoint = endpoint
        total = endpoint.timeout.total_seconds()
        self._client = httpx.Client(
            base_url=endpoint.url,
            headers=_HEADERS | ({"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}),
            timeout=httpx.Timeout(total, connect=min(total, endpoint.connect_timeout.total_seconds())),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            verify=ssl.create_default_context() if endpoint.url.startswith("https:") else False,
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )

    def post(self, call: str, *, path: str, key: str, body: dict[str, Any], answer: type[T]) -> T:
        """Ask for an effect under this key and give the answer as an `answer`.

        `call` names it in errors. Raises `NotTaken`, `Unavailable`, `OutcomeUnknown`, `Refused`.
        """
        headers = {"Idempotency-Key": quote(key, safe=_PLAIN_IN_HEADER), "Content-Type": "application/json"}
        return self._call(
            call, self._client.build_request("POST", path, content=to_json(body), headers=headers), answer
        )

    def get(self, call: str, *, path: str, answer: type[T]) -> T:
        """Inquire: ask without any effect. Raises as `post`; asking again is always allowed."""
        return self._call(call, self._client.build_request("GET", path), answer)

    def close(self) -> None:
        """Let go of what the client holds; it makes no call afterwards."""
        self._client.close()

    def _call(self, call: str, request: httpx.Request, answer: type[T]) -> T:
        status, content = self._exchange(call, request)
        party = self.endpoint.party
        if 200 <= status < 300:
            try:
                return TypeAdapter(answer).validate_json(content)
            except ValidationError:
                raise OutcomeUnknown(party=party, call=call, reason="its answer cannot be read") from None
        if status in _NOT_TAKEN:
            raise NotTaken(party=party, call=call, reason=f"it cannot serve now ({status})")
        if 400 <= status < 500:
            raise Refused(party=party, call=call, code=_code_of(content), status=status)
        if status >= 500:
            raise Unavailable(party=party, call=call, reason=f"it failed ({status})")
        raise OutcomeUnknown(party=party, call=call, reason=f"it answered with status {status}")

    def _exchange(self, call: str, request: httpx.Request) -> tuple[int, bytes]:
        """Send the request and read the answer whole.

        Errors of the library are not chained: they hold the request, and with it what nobody may read.
        """
        party, patience = self.endpoint.party, self.endpoint.timeout.total_seconds()
        deadline = time.monotonic() + patience
        content = bytearray()
        try:
            response = self._client.send(request, stream=True)
            try:
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > MAXIMUM_ANSWER:
                        raise OutcomeUnknown(party=party, call=call, reason="its answer is too long")
                    if time.monotonic() > deadline:
                        raise OutcomeUnknown(party=party, call=call, reason=f"no whole answer within {patience:g} s")
            finally:
                response.close()
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotTaken(party=party, call=call, reason="no connection in time") from None
        except httpx.ConnectError as error:
            raise NotTaken(party=party, call=call, reason=f"no connection: {error}") from None
        except httpx.LocalProtocolError:
            raise NotTaken(party=party, call=call, reason="the request cannot be sent") from None
        except httpx.TimeoutException:
            raise OutcomeUnknown(party=party, call=call, reason=f"no answer within {patience:g} s") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknown(
                party=party, call=call, reason=f"the connection was lost ({type(error).__name__})"
            ) from None
        return response.status_code, bytes(content)


def _code_of(content: bytes) -> str:
    """The stable word for a refusal, from `{"code": "..."}`; a general one where there is none that may be kept."""
    try:
        body = from_json(content)
    except ValueError:
        return _NO_CODE
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and len(code) <= 64 and _CODE.fullmatch(code) else _NO_CODE
