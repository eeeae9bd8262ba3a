"""What a call to a third party can come to beside its answer, by what the caller does next.

| class            | what is known                              | the caller                                     |
|------------------|--------------------------------------------|------------------------------------------------|
| `NotTaken`       | never taken, so nothing was done           | tries again, under the same key                |
| `Unavailable`    | it failed, perhaps after it did something  | tries again under the same key, or inquires    |
| `OutcomeUnknown` | it was sent, and no answer could be read   | inquires by the key; repeats only under it     |
| `Refused`        | nothing was done; `code` says why          | gives up or mends the request                  |

Texts name the party, the call and a reason of ours. They never hold what was sent or what came back, which may be
somebody's secret: of an answer only its `code` is kept, and only if it is made of letters.
"""

from __future__ import annotations


class ThirdPartyError(Exception):
    """A call to a third party came to no answer that could be used."""

    code = "third_party_failed"

    def __init__(self, *, party: str, call: str, reason: str) -> None:
        super().__init__(f"{party}: {call}: {reason}")
        self.party = party
        self.call = call
        self.reason = reason


class Unavailable(ThirdPartyError):
    """The third party failed to serve the call. Repeating it under the same key is allowed.

    It may have acted before it failed; for a call with an effect only an inquiry tells.
    """

    code = "third_party_unavailable"


class NotTaken(Unavailable):
    """The call was never taken: no connection, or the answer "not now". Nothing was done."""

    code = "third_party_not_taken"


class OutcomeUnknown(ThirdPartyError):
    """The call was sent and its outcome is not known: no answer in time, a lost connection, an unreadable answer."""

    code = "third_party_outcome_unknown"


class Refused(ThirdPartyError):
    """The third party refused the call and did nothing. `code` is its stable word for why, `status` its HTTP status."""

    code = "third_party_refused"

    def __init__(self, *, party: str, call: str, code: str, status: int) -> None:
        super().__init__(party=party, call=call, reason=f"refused as {code} ({status})")
        self.code = code
        self.status = status
