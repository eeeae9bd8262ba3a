"""The OpenAPI document: what a problem looks like, which problems and headers each operation may answer with."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    response=[200, 201, 202],
    description="Where what was made or acted on is read.",
)
PREFERENCE_APPLIED = OpenApiParameter(
    "Preference-Applied",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201, 202],
    description="The wait that was honoured: `wait=10`.",
)

#: Parameters of a pattern; OpenAPI tells such as the members of one object.
ATTRIBUTES = OpenApiParameter(
    "attr",
    {
        "type": "object",
        "patternProperties": {
            r"^attr\.[A-Za-z_]((?!__)[A-Za-z0-9_])*(__(lt|lte|gt|gte))?$": {"type": "string", "minLength": 1}
        },
        "additionalProperties": False,
        "examples": [{"attr.customer": "Ada Lovelace", "attr.amount__gte": "100"}],
    },
    OpenApiParameter.QUERY,
    style="form",
    explode=True,
    description=(
        "Runs whose search attribute equals a value: `attr.<name>=<value>`, or compares with it: `attr.<name>__lt=`, "
        "`__lte`, `__gt`, `__gte` (numbers, times and dates). May be given for several attributes. The text fits "
        "every type that it can be read as: `12.5` the number and the text."
    ),
)

#: RFC 9457; some problems carry more members (`errors`, `state`, `allowed`, `run_id`, `retry_after`).
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` is stable; `detail` is for people.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        "errors": {
            "type": "array",
            "description": "One entry for each field that does not fit.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["field", "code", "detail"],
            },
        },
        "state": {"type": "string", "description": "The run's state, when an act does not fit it."},
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "Acts that may fit it."},
        "run_id": {"type": "string", "format": "uuid", "description": "The run that the key belongs to."},
        "retry_after": {"type": "integer", "description": "Seconds until the next request is taken."},
    },
    "required": ["type", "title", "status", "detail", "code"],
}

#: Status -> (name of the response component, description).
_PROBLEMS = {
    "400": ("BadRequest", "Not a JSON document, or the query, a header or the reason does not fit."),
    "401": ("Unauthenticated", "No valid credentials."),
    "403": ("Forbidden", "The user lacks the permission."),
    "404": ("NotFound", "There is no such thing."),
    "406": ("NotAcceptable", "Only JSON is given."),
    "409": ("Conflict", "The key belongs to another request, or the act does not fit the state."),
    "413": ("TooLarge", "The body is larger than 1 MiB."),
    "415": ("UnsupportedMediaType", "The body is not application/json."),
    "422": ("Unprocessable", "The content does not fit."),
    "429": ("TooManyRequests", "Too many requests."),
    "500": ("InternalError", "An error of the platform."),
    "503": ("Unavailable", "The database is unreachable or busy; try again."),
}
_HEADERS = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to authenticate."}},
    "429": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until the next request is taken."}},
}
_EVERY = ("400", "401", "403", "406", "429", "500", "503")
_WRITE = ("409", "413", "415", "422")
_ONE = ("404",)


#: What an answer that is none of a problem says, unless the operation says more.
_GOOD = {
    "200": "As asked; of a start: what the key belongs to.",
    "201": "Made.",
    "202": "Accepted, and still open: look again at `Location`.",
}


def describe_answers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook: every operation says what its answers mean and names the problems it may give.

    A problem that an operation gives beside those of its kind is declared by its view: `responses={..., 409: None}`.
    """
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {name: _problem(status, text) for status, (name, text) in _PROBLEMS.items()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                answer["description"] = answer["description"] or _GOOD.get(status, "")
            own = {*_EVERY, *(() if method == "get" else _WRITE), *(_ONE if "{" in path else ())}
            for status in sorted(own | (operation["responses"].keys() & _PROBLEMS.keys())):
                operation["responses"][status] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
    return result


def _problem(status: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
