"""The kinds of values in an environment file: each from YAML's scalars to what it is held as."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from deployment_gate.environment import phrases
from deployment_gate.environment.durations import DURATION_FORMS, format_duration, read_duration
from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.terms import (
    Action,
    Category,
    Condition,
    Decide,
    Impact,
    Move,
    Over,
    TargetPhrase,
    Watch,
)
from deployment_gate.environment.variables import Substituted, as_written
from deployment_gate.environment.yaml_source import typed_scalar

_SECRET_AT_LEAST = 4
_STATUSES = range(100, 600)
_SURENESS = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%?", re.ASCII)
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%", re.ASCII)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*", re.ASCII)
# RFC 9110, 5.6.2
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Tier(StrEnum):
    """How much a run validates."""

    SMOKE = "smoke"
    FULL = "full"


class Content(StrEnum):
    """What an endpoint answers with."""

    JSON = "json"
    PAGE = "page"
    TEXT = "text"
    ANY = "any"


@dataclass(frozen=True, slots=True, eq=False)  # unions need it hashable
class Written:
    """Pydantic's way from a field as it is written (JSON Schema) to what it is held as."""

    read: Callable[[Any], object]
    schema: JsonSchemaValue
    write: Callable[[Any], object]

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Hold what `read` answers."""
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the field to editors as it is written."""
        return dict(self.schema)


def phrase_field(
    parse: Callable[[str], object],
    kinds: type | tuple[type, ...],
    examples: tuple[str, ...],
    write: Callable[[Any], object],
) -> Written:
    """Answer the way from a phrase to what `parse` makes of it, which is one of `kinds`."""

    def read(value: object) -> object:
        if isinstance(value, kinds):
            return value
        if not isinstance(value, str):
            raise ValueError(f'must be a phrase in quotes. Write "{examples[0]}"')  # noqa: TRY004
        return parse(value)

    return Written(read, {"type": "string", "examples": list(examples)}, write)


def text_of(phrase: Any) -> object:
    """Answer a phrase as it is written."""
    return phrase.text


def choice(kind: type[StrEnum]) -> Written:
    """Answer the way from a word to the member of `kind` that has it for its value."""
    names = [member.value for member in kind]

    def read(value: object) -> object:
        if value not in names:
            raise ValueError(
                f"{as_written(value)} is none of {', '.join(names)}."
                f"{did_you_mean(str(value), names)}"
            )
        return kind(str(value))

    return Written(read, {"type": "string", "enum": names}, str)


def _read_statuses(value: object) -> frozenset[int]:
    given = value if isinstance(value, list | tuple | set | frozenset) else [value]
    statuses = [_typed_again(item) for item in given]
    wrong = [item for item in statuses if isinstance(item, bool) or item not in _STATUSES]
    if wrong or not statuses:
        raise ValueError("must be an HTTP status or a list of them. Write 200 or [200, 204]")
    return frozenset(int(str(item)) for item in statuses)


def _read_confidence(value: object) -> float:
    """Read how sure one must be, in percent: a fraction, 0.95, would not be sure at all."""
    found = None if isinstance(value, bool) else _SURENESS.fullmatch(str(value).strip())
    percentage = Decimal(found[1]) if found else Decimal(0)
    if not 50 <= percentage < 100:  # noqa: PLR2004
        raise ValueError(
            f'{as_written(value)} is no confidence from 50% to below 100%. Write "95%" or "99.9%"'
        )
    return float(percentage)


def _read_share(value: object) -> float:
    """Read a share: a percentage, or as a bare number a fraction."""
    found = _PERCENTAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    share: object = float(Decimal(found[1]) / 100) if found else _typed_again(value)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise ValueError(
            f'{as_written(value)} is no share from 0% to below 100%. Write "0.1%", or 0.001'
        )
    return float(share)


def _read_command(value: object) -> str | tuple[str, ...]:
    if isinstance(value, str) and value.strip():
        return str(value)
    if isinstance(value, list | tuple) and value and all(isinstance(word, str) for word in value):
        return tuple(str(word) for word in value)
    raise ValueError(
        'must be a command: one text or a list of texts. Write "python -m sandbox up"'
        ' or ["python", "-m", "sandbox", "up"]'
    )


def _read_escalation(value: object) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    steps = [step.strip() for step in value.split("+")] if isinstance(value, str) else []
    if not steps or not all(steps):
        raise ValueError('must name who is asked, joined by "+". Write "On-call engineer + lead"')
    return tuple(steps)


def _read_secret(value: object) -> SecretStr:
    """Take a secret only from the process environment: a file is read by many, and copied."""
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, Substituted) or not value.is_whole:
        raise ValueError("passwords come from the process environment. Write ${NAME}")
    if len(value) < _SECRET_AT_LEAST:
        raise ValueError(
            f"{as_written(value)} holds fewer than {_SECRET_AT_LEAST} characters, too few to "
            "keep it out of reports. Set a longer one"
        )
    return SecretStr(str(value))


def _typed_again(value: object) -> object:
    """Read what a variable holds as YAML would have, for a field that isn't text."""
    return typed_scalar(value) if isinstance(value, Substituted) else value


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if (
        not port_is_valid
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not url.isprintable()
        or " " in url
    ):
        raise ValueError(
            f"{as_written(url)} is no http or https address. Write http://host:port/path"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "has a name or password in its address, which reports would show. Write it without"
        )
    return url


def _base_address(url: str) -> str:
    parts = urlsplit(_web_address(url))
    if parts.query or parts.fragment:
        raise ValueError(f"{as_written(url)} has a query or fragment. Write it up to its path")
    return url.rstrip("/")


def _read_day(value: object) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else date.fromisoformat("")
    except ValueError:
        raise ValueError(f"{as_written(value)} is no day. Write it as 2026-12-31") from None


def as_tuple(value: object) -> object:
    """Take a list for the tuple that it is held as."""
    return tuple(value) if isinstance(value, list) else value


def _absolute_path(path: str) -> str:
    if not path.startswith("/") or not path.isprintable():
        raise ValueError(f"{as_written(path)} is no path. Write one that starts with /")
    return path


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{as_written(name)} is no name of a header. Write one such as X-Release")
    return name


def _host_name(name: str) -> str:
    if not _HOST.fullmatch(name.lower()):
        near = urlsplit(name if "//" in name else f"//{name}").hostname or ""
        example = near if _HOST.fullmatch(near) else "cdn.example.org"
        raise ValueError(
            f"{as_written(name)} is no name of a host. Write each by its whole name alone, as in "
            f"{example}"
        )
    return name.lower()


def _entry_name(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError("must have a name of visible characters")
    return name


def _checked(check: Callable[[str], str]) -> BeforeValidator:
    """Check a text before pydantic makes it a plain one, which no longer knows its variables."""
    return BeforeValidator(lambda value: check(value) if isinstance(value, str) else value)


Text: TypeAlias = Annotated[str, Field(min_length=1)]
Name: TypeAlias = Annotated[str, _checked(_entry_name)]
Url: TypeAlias = Annotated[
    str,
    _checked(_web_address),
    Field(json_schema_extra={"examples": ["http://api-service:8000/health"]}),
]
BaseUrl: TypeAlias = Annotated[
    str,
    _checked(_base_address),
    Field(json_schema_extra={"examples": ["http://api-service:8000"]}),
]
Texts: TypeAlias = Annotated[tuple[Text, ...], BeforeValidator(as_tuple)]
Urls: TypeAlias = Annotated[tuple[Url, ...], BeforeValidator(as_tuple)]
UrlPath: TypeAlias = Annotated[str, _checked(_absolute_path)]
HeaderName: TypeAlias = Annotated[str, _checked(_header_name)]
HostName: TypeAlias = Annotated[
    str, _checked(_host_name), Field(json_schema_extra={"examples": ["cdn.example.org"]})
]
Count: TypeAlias = Annotated[int, BeforeValidator(_typed_again), Field(ge=1, le=10_000)]
Percent: TypeAlias = Annotated[int, Field(ge=1, le=100), BeforeValidator(_typed_again)]
Amount: TypeAlias = Annotated[
    float, BeforeValidator(_typed_again), Field(ge=0, allow_inf_nan=False)
]
Share: TypeAlias = Annotated[
    float,
    Written(
        _read_share,
        {
            "anyOf": [
                {"type": "string", "examples": ["0.1%"]},
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            ]
        },
        lambda share: f"{share * 100:.10g}%",
    ),
]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_typed_again)]
Duration: TypeAlias = Annotated[
    timedelta,
    Written(read_duration, {"type": "string", "examples": list(DURATION_FORMS)}, format_duration),
]
Day: TypeAlias = Annotated[
    date,
    Written(
        _read_day, {"type": "string", "format": "date", "examples": ["2026-12-31"]}, date.isoformat
    ),
]
ResponseTime: TypeAlias = Annotated[
    timedelta,
    phrase_field(
        phrases.parse_response_time,
        timedelta,
        phrases.RESPONSE_TIME_EXAMPLES,
        lambda within: f"Within {format_duration(within)}",
    ),
]
ConditionField: TypeAlias = Annotated[
    Condition,
    phrase_field(phrases.parse_condition, Condition.__args__, phrases.CONDITION_EXAMPLES, text_of),
]
ActionField: TypeAlias = Annotated[
    Action,
    phrase_field(
        phrases.parse_action, Action, phrases.ACTION_EXAMPLES, lambda action: action.value
    ),
]
Target: TypeAlias = Annotated[
    TargetPhrase,
    phrase_field(phrases.parse_target, TargetPhrase, phrases.TARGET_EXAMPLES, text_of),
]
Metric: TypeAlias = Annotated[
    TargetPhrase | Watch,
    phrase_field(
        phrases.parse_metric,
        (TargetPhrase, Watch),
        (*phrases.TARGET_EXAMPLES, "Monitor for anomalies"),
        text_of,
    ),
]
CategoryName: TypeAlias = Annotated[Category, choice(Category)]
ContentName: TypeAlias = Annotated[Content, choice(Content)]
OverName: TypeAlias = Annotated[Over, choice(Over)]
DecideName: TypeAlias = Annotated[Decide, choice(Decide)]
MoveName: TypeAlias = Annotated[Move, choice(Move)]
ImpactName: TypeAlias = Annotated[Impact, choice(Impact)]
Confidence: TypeAlias = Annotated[
    float,
    Written(
        _read_confidence,
        {
            "anyOf": [
                {"type": "string", "examples": ["95%", "99.9%"]},
                {"type": "number", "minimum": 50, "exclusiveMaximum": 100},
            ]
        },
        lambda percentage: f"{percentage:.10g}%",
    ),
]
Statuses: TypeAlias = Annotated[
    frozenset[int],
    Written(
        _read_statuses,
        {
            "anyOf": [
                {"type": "integer", "minimum": _STATUSES.start, "maximum": _STATUSES[-1]},
                {"type": "array", "minItems": 1, "items": {"type": "integer"}},
            ]
        },
        sorted,
    ),
]
Command: TypeAlias = Annotated[
    str | tuple[str, ...],
    Written(
        _read_command,
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        lambda command: command if isinstance(command, str) else list(command),
    ),
]
Escalation: TypeAlias = Annotated[
    tuple[str, ...],
    Written(
        _read_escalation,
        {"type": "string", "examples": ["On-call engineer + team lead"]},
        " + ".join,
    ),
]
Secret: TypeAlias = Annotated[
    SecretStr,
    Written(
        _read_secret,
        {"type": "string", "pattern": r"^\$\{.*\}$", "examples": ["${STAGING_TEST_PASSWORD}"]},
        str,
    ),
]
