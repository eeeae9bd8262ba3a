"""Values to stored JSON and back, by pydantic from the annotations (SEMANTICS E24, D18).

Stored payloads are canonical JSON: UTF-8, no spaces, insertion order, Decimal as a string at its scale. A value that
cannot be stored the same on every database (NUL, lone surrogates, NaN, an ORM instance), or not read back, is refused
here.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, core_schema, to_json, to_jsonable_python

from workflows.core.errors import DefinitionError, PayloadError, RemoteError

T = TypeVar("T")
Json = Any

#: A sensitive value in stored JSON is an object with this one key.
SENSITIVE_KEY = "$sensitive"
MASK = "•••"
_PLAIN = {"plain": True}
#: What Python and pydantic read of a number in JSON; one that is longer would be written and never read again.
_MOST_DIGITS = 4300
_BEYOND = 10**_MOST_DIGITS
#: Infinities are written as such, so that the check for what cannot be stored sees them.
_CONFIG = ConfigDict(hide_input_in_errors=True, allow_inf_nan=False, ser_json_inf_nan="constants")


class Cipher(Protocol):
    """Encrypts sensitive fields at rest; given by the runtime, so that the core holds no key."""

    def encrypt(self, text: str) -> str: ...

    def decrypt(self, token: str) -> str: ...


class _CipherBox:
    cipher: Cipher | None = None


def use_cipher(cipher: Cipher) -> None:
    """Set the cipher for sensitive fields; called once when the engine starts."""
    _CipherBox.cipher = cipher


def _cipher() -> Cipher:
    if _CipherBox.cipher is None:
        raise PayloadError("no encryption key is configured, so a sensitive value can be neither stored nor read")
    return _CipherBox.cipher


class Sensitive(Generic[T]):
    """A value that is masked wherever a person looks and encrypted wherever it is stored.

    In JSON input it is a plain T. `reveal()` gives the value; `str` and `repr` never do.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself; do not log it or put it in an error."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Sensitive({MASK})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and self._value == other._value

    def __hash__(self) -> int:
        return hash(("sensitive", self._value))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        """Forms take such a field and never show it again."""
        return {**handler(schema), "writeOnly": True}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = (get_args(source) or (Any,))[0]

        def validate(value: Any, inner_validator: core_schema.ValidatorFunctionWrapHandler) -> Sensitive[Any]:
            if isinstance(value, Sensitive):
                value = value.reveal()
            elif isinstance(value, dict) and set(value) == {SENSITIVE_KEY}:
                value = json.loads(_cipher().decrypt(value[SENSITIVE_KEY]))
            return Sensitive(inner_validator(value))

        def serialize(value: Sensitive[Any], info: core_schema.SerializationInfo) -> Any:
            plain = to_jsonable_python(value.reveal())
            if info.context is _PLAIN:
                return plain
            return {SENSITIVE_KEY: _cipher().encrypt(json.dumps(plain, ensure_ascii=False))}

        return core_schema.no_info_wrap_validator_function(
            validate,
            handler.generate_schema(inner),
            serialization=core_schema.plain_serializer_function_ser_schema(
                serialize, info_arg=True, when_used="always"
            ),
        )


def loads(text: str) -> Any:
    """Stored JSON text as a JSON-ready value."""
    return json.loads(text)


def dumps(value: Json) -> str:
    """Canonical JSON text of a JSON-ready value, in insertion order."""
    return to_json(value).decode()


def dumps_sorted(value: Json) -> str:
    """Canonical JSON text with sorted keys: equal inputs give equal bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True)


def mask(value: Json) -> Json:
    """The same JSON with every sensitive field masked: what a person may see."""
    if isinstance(value, dict):
        if set(value) == {SENSITIVE_KEY}:
            return MASK
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return value


def clean_text(text: str) -> str:
    """Text that every database stores: NUL and lone surrogates are replaced."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")


def _check_storable(value: Json, path: str) -> None:
    if isinstance(value, str):
        if "\x00" in value or (not value.isascii() and _has_surrogate(value)):
            raise PayloadError(f"{path}: text holds NUL or a lone surrogate, which cannot be stored")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise PayloadError(f"{path}: NaN and infinity cannot be stored")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_storable(key, path)
            _check_storable(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            _check_storable(item, path)
    elif isinstance(value, int) and not -_BEYOND < value < _BEYOND:
        raise PayloadError(f"{path}: a number of more than {_MOST_DIGITS} digits cannot be read back")


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def describe(error: ValidationError) -> str:
    """What did not fit, without the value that did not."""
    parts = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"])
        parts.append(f"{where}: {item['msg']}" if where else item["msg"])
    return clean_text("; ".join(parts))


class Codec:
    """Validates, stores and reads values of one annotated type."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation
        try:
            self.adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=_CONFIG)
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":
                raise DefinitionError(f"cannot store values of {annotation!r}: {error.message}") from None
            self.adapter = TypeAdapter(annotation)

    def validate(self, value: Any, *, path: str) -> Any:
        """The value as its declared type; raises PayloadError naming `path`, never the value."""
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            raise PayloadError(f"{path}: {describe(error)}") from None

    def encode(self, value: Any, *, path: str) -> Json:
        """The stored form of a validated value; raises PayloadError when it has none."""
        try:
            stored = self.adapter.dump_python(value, mode="json", warnings="error")
        except PydanticSerializationError as error:
            if "encryption" in str(error).lower():  # the cipher's own words, no value in them
                raise PayloadError(f"{path}: {error}") from None
            raise PayloadError(f"{path}: a {type(value).__name__} cannot be stored as JSON") from None
        except UnicodeEncodeError:
            raise PayloadError(f"{path}: text holds a lone surrogate, which cannot be stored") from None
        except UnicodeDecodeError:
            raise PayloadError(f"{path}: bytes that are no text cannot be stored") from None
        _check_storable(stored, path)
        return stored

    def plain(self, value: Any) -> Json:
        """The JSON form with sensitive fields in clear: for digests only, never stored."""
        return self.adapter.dump_python(value, mode="json", context=_PLAIN)

    def decode(self, stored: Json, *, path: str) -> Any:
        """The value that was stored."""
        try:
            return self.adapter.validate_json(dumps(stored))
        except ValidationError as error:
            raise PayloadError(f"{path}: the stored value no longer fits: {describe(error)}") from None


_MISSING = inspect.Parameter.empty


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an activity or of `execute`."""

    name: str
    codec: Codec
    default: Any

    @property
    def required(self) -> bool:
        return self.default is _MISSING


class Signature:
    """The parameters and result of a function, as codecs."""

    def __init__(
        self, function: Callable[..., Any], *, label: str, skip_self: bool, localns: Mapping[str, Any]
    ) -> None:
        self.label = label
        try:
            hints = get_type_hints(function, localns=dict(localns), include_extras=True)
        except NameError as error:
            raise DefinitionError(f"{label}: an annotation names something unknown: {error}") from None
        parameters = list(inspect.signature(function).parameters.values())
        if skip_self:
            parameters = parameters[1:]
        self.parameters: dict[str, Parameter] = {}
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise DefinitionError(f"{label}: parameter {parameter.name!r} must have a name that callers can use")
            codec = Codec(hints.get(parameter.name, Any))
            self.parameters[parameter.name] = Parameter(parameter.name, codec, parameter.default)
        self.result_annotation = hints.get("return", Any)
        self.result = Codec(self.result_annotation)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Validated arguments by name with defaults filled; raises PayloadError for any that does not fit."""
        given = dict(kwargs)
        names = list(self.parameters)
        if len(args) > len(names):
            raise PayloadError(f"{self.label}: takes {len(names)} argument(s), {len(args)} were given")
        for name, value in zip(names, args, strict=False):
            if name in given:
                raise PayloadError(f"{self.label}: {name!r} was given twice")
            given[name] = value
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise PayloadError(f"{self.label}: unknown argument(s): {', '.join(map(repr, unknown))}")
        bound: dict[str, Any] = {}
        problems: list[str] = []
        for name, parameter in self.parameters.items():
            if name in given:
                try:
                    bound[name] = parameter.codec.validate(given[name], path=name)
                except PayloadError as error:
                    problems.append(str(error))
            elif parameter.required:
                problems.append(f"{name}: is required")
            else:
                bound[name] = parameter.default
        if problems:
            raise PayloadError(f"{self.label}: {'; '.join(problems)}")
        return bound

    def encode(self, bound: Mapping[str, Any]) -> dict[str, Json]:
        return {name: self.parameters[name].codec.encode(value, path=name) for name, value in bound.items()}

    def plain(self, bound: Mapping[str, Any]) -> dict[str, Json]:
        return {name: self.parameters[name].codec.plain(value) for name, value in bound.items()}

    def decode(self, stored: Mapping[str, Json]) -> dict[str, Any]:
        """Arguments from their stored form. Parameters added since take their defaults; removed ones are refused."""
        decoded: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            if name in stored:
                decoded[name] = parameter.codec.decode(stored[name], path=name)
            elif parameter.required:
                raise PayloadError(f"{self.label}: {name}: is required but was not stored")
        unknown = sorted(set(stored) - set(self.parameters))
        if unknown:
            raise PayloadError(f"{self.label}: stored argument(s) no longer exist: {', '.join(unknown)}")
        return decoded

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments as one object, as doors take them."""
        inputs: list[Any] = [
            (name, "validation", parameter.codec.adapter) for name, parameter in self.parameters.items()
        ]
        schemas, shared = TypeAdapter.json_schemas(inputs)
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: schemas[(name, "validation")] for name in self.parameters},
            "required": [name for name, parameter in self.parameters.items() if parameter.required],
            "additionalProperties": False,
        }
        if "$defs" in shared:
            schema["$defs"] = shared["$defs"]
        return schema


def result_fields(annotation: Any) -> frozenset[str]:
    """Names of the fields of a result type: dataclass, pydantic model or TypedDict; none for other types."""
    if isinstance(annotation, type):
        if dataclasses.is_dataclass(annotation):
            return frozenset(field.name for field in dataclasses.fields(annotation))
        if issubclass(annotation, BaseModel):
            return frozenset(annotation.model_fields)
        if issubclass(annotation, dict) and hasattr(annotation, "__total__"):
            return frozenset(annotation.__annotations__)
    return frozenset()


def sensitive_texts(value: Any) -> set[str]:
    """The clear texts of every sensitive value inside `value`, for scrubbing error texts."""
    if isinstance(value, Sensitive):
        return {text for text in (str(value.reveal()),) if text}
    if isinstance(value, Mapping):
        return set().union(*(sensitive_texts(item) for item in value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return set().union(*(sensitive_texts(item) for item in value))
    if isinstance(value, BaseModel):
        return sensitive_texts(dict(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return sensitive_texts({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    return set()


def scrub(text: str, secrets: set[str]) -> str:
    """`text` without the given secrets and storable everywhere."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return clean_text(text)


def error_data(error: BaseException, secrets: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    """An error as stored: type, code, message and its cause, scrubbed of the secrets given."""
    cause = error.__cause__
    message = str(error) or type(error).__name__
    if isinstance(error, ValidationError):
        message = describe(error)
    return {
        # A recorded error keeps its own class's name when it becomes the cause of another.
        "type": error.type if isinstance(error, RemoteError) else type(error).__name__,
        "code": str(getattr(error, "code", "") or "error"),
        "message": scrub(message, secrets)[:4000],
        "cause": error_data(cause, secrets) if cause is not None else None,
    }
