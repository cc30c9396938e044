"""Odd input, made up by schemathesis from the API's own description, and how it is answered.

Each request is made up before the first is sent, so that the same seed makes the same ones
whatever the API answers. They are sent by who calls, never by schemathesis itself.
"""

from __future__ import annotations

import copy
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from deployment_gate.environment import READING
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Breach, Looked, Rule, curl_of, told_exchange

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import OddInput

SERVER_ERROR = Rule(
    id="server-error-on-odd-input",
    severity=FindingSeverity.MEDIUM,
    title="Odd input is answered with an error of the server's",
    source="OWASP ASVS 5.0, 16.5.3; OWASP API Security Top 10 2023, API8",
    remedy="Check the input before it is worked with, and answer 400, 404 or 422 to what doesn't "
    "fit the description.",
)
NOT_AS_DESCRIBED = Rule(
    id="answer-against-description",
    severity=FindingSeverity.LOW,
    title="Odd input is answered in a way that the API's description doesn't know",
    source="OWASP ASVS 5.0, 4.1.1; OpenAPI Specification, Responses Object",
    remedy="Describe the answer's status, content type and schema, or answer as the description "
    "says.",
)

RULES = (SERVER_ERROR, NOT_AS_DESCRIBED)

LIBRARY = "schemathesis"
"""What makes requests up."""

_OF_STATUS = "status_code_conformance"
_CHECKS = (
    "not_a_server_error",
    _OF_STATUS,
    "content_type_conformance",
    "response_schema_conformance",
)
# RFC 9110, 5.1 and 5.5: what no client can send is no input.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?)?")
# Of the connection, of who asks, and what would make another request of it.
_NOT_OURS = re.compile(
    r"host|content-length|transfer-encoding|connection|upgrade|expect|t(?:e|railer)|user-agent"
    r"|accept-encoding|authorization|proxy-.*|x-schemathesis-.*|.*method-override",
    re.IGNORECASE,
)
# RFC 9110, 15: 400 stands for any refusal. Servers themselves answer what is too long.
_NEED_NO_DESCRIPTION = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }
)
# They tell of a platform, or of what stands before it, that is too busy or away; or of this input.
_AWAY = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
_LONGEST_URL = 8000
_TOLD = 5


@dataclass(frozen=True, slots=True, eq=False)
class OddRequest:
    """A request that was made up.

    Attributes:
        operation: The operation of the description that it is of, `GET /policies/{id}` say.
        method: How it is asked.
        url: Where, whole.
        headers: Those that were made up, and the content type.
        body: What it carries.
        case: What schemathesis knows of it.
    """

    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    case: Any = None

    @property
    def weight(self) -> int:
        """How large it is; the smallest of several shows best what is wrong."""
        return len(self.url) + len(self.body) + sum(map(len, self.headers.values()))

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it differ from another."""
        return self.method, self.url, self.body, tuple(sorted(self.headers.items()))


Ask: TypeAlias = "Callable[[OddRequest], httpx.Response]"
"""Sends a request that was made up."""


def make_up(
    root: Mapping[str, Any],
    *,
    base_url: str,
    wanted: Collection[str],
    count: int,
    seed: int,
) -> list[list[OddRequest]]:
    """Make requests up for operations of a description: half of them fit it, half don't.

    Args:
        root: The description.
        base_url: The address that its paths are below.
        wanted: The operations, `GET /policies/{id}` say.
        count: How many requests there are at the most for each of them.
        seed: The same one makes the same requests.

    Returns:
        Those of each operation, in the order of the description.
    """
    import schemathesis  # noqa: PLC0415  # few checks need it
    from schemathesis.config import SchemathesisConfig  # noqa: PLC0415
    from schemathesis.core.result import Ok  # noqa: PLC0415

    # Whatever file of its own lies about doesn't count.
    schema = schemathesis.openapi.from_dict(copy.deepcopy(dict(root)), config=SchemathesisConfig())
    schema.config.generation.with_security_parameters = False
    made = []
    for result in schema.get_all_operations():
        # What can't be read isn't made up, and is missed by who asks.
        if not isinstance(result, Ok) or result.ok().label not in wanted:
            continue
        operation = result.ok()
        known: dict[tuple[object, ...], OddRequest] = {}
        for mode in schemathesis.GenerationMode:
            half = -(-count // 2) if mode is schemathesis.GenerationMode.POSITIVE else count // 2
            for case in _drawn(operation, mode, count=half, seed=seed) if half else ():
                request = _request_of(case, base_url)
                if request:
                    known.setdefault(request.key, request)
        made.append(list(known.values()))
    return [requests for requests in made if requests]


def _drawn(operation: Any, mode: Any, *, count: int, seed: int) -> list[Any]:
    """Cases of an operation, the same ones for the same seed; none where there can't be any."""
    import hypothesis  # noqa: PLC0415  # schemathesis stands on it
    from hypothesis.errors import HypothesisException  # noqa: PLC0415
    from schemathesis.errors import SchemathesisError  # noqa: PLC0415

    cases: list[Any] = []

    def draw(case: Any) -> None:
        cases.append(case)

    bounded = hypothesis.settings(
        max_examples=count,
        database=None,
        phases=[hypothesis.Phase.generate],
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        strategy = operation.as_strategy(generation_mode=mode)
        given: Any = hypothesis.given(strategy)
        hypothesis.seed(seed)(bounded(given(draw)))()
    except (HypothesisException, SchemathesisError):
        # What takes no input can be asked in one way, and in no wrong one.
        return cases
    return cases


def _request_of(case: Any, base_url: str) -> OddRequest | None:
    """What would be sent; None where no client could."""
    from schemathesis.config import SanitizationConfig  # noqa: PLC0415
    from schemathesis.transport.prepare import prepare_request  # noqa: PLC0415

    try:
        prepared: Any = prepare_request(
            case, None, config=SanitizationConfig(enabled=False), base_url=base_url
        )
    except (ValueError, TypeError):  # requests' errors of an address are ValueErrors
        return None
    method, url = str(prepared.method), str(prepared.url)
    if f"{method} {case.operation.path}" != case.operation.label or len(url) > _LONGEST_URL:
        return None
    names = {name.lower() for name in case.headers or {}} | {"content-type", "cookie"}
    headers = {
        str(name): str(value)
        for name, value in _as_texts(prepared.headers.items())
        if name.lower() in names
        and _NAME.fullmatch(name)
        and _VALUE.fullmatch(value)
        and not _NOT_OURS.fullmatch(name)
    }
    body = prepared.body or b""
    return OddRequest(
        operation=case.operation.label,
        method=method,
        url=url,
        headers=headers,
        # A request that reads carries nothing: what a body there means isn't defined.
        body=b"" if method in READING else body.encode() if isinstance(body, str) else body,
        case=case,
    )


def _as_texts(headers: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        yield (
            name.decode("latin-1") if isinstance(name, bytes) else name,
            value.decode("latin-1") if isinstance(value, bytes) else value,
        )


def look_oddly(
    root: Mapping[str, Any],
    ask: Ask,
    *,
    base_url: str,
    wanted: Collection[str],
    bounds: OddInput,
) -> Looked:
    """Make requests up for operations of a description, send them, and judge the answers.

    Args:
        root: The description.
        ask: Sends one.
        base_url: The address that its paths are below.
        wanted: The operations, `GET /policies/{id}` say.
        bounds: How many for each operation, for how long, made up from what.

    Raises:
        httpx.TransportError: There was no answer.
        BudgetSpentError: No more may be sent.
    """
    requests = make_up(
        root, base_url=base_url, wanted=wanted, count=bounds.requests, seed=bounds.seed
    )
    made = {many[0].operation for many in requests}
    # Only what the platform bears is bounded: making them up is this machine's own work, which
    # may be slow without anything being wrong.
    looked = ask_oddly(requests, ask, duration_s=bounds.duration.total_seconds())
    if missing := [one for one in wanted if one not in made]:
        why = (
            f"no request could be made up for {len(missing)} operations, the first of them "
            f"{missing[0]}. Mend their description, or name them in `api.openapi.skip`"
        )
        return looked + Looked(unseen=(why,))
    return looked


@dataclass(slots=True)
class _Answered:
    """What was answered, and what of it is wrong."""

    sent: int = 0
    wrong: defaultdict[str, list[_Wrong]] = field(default_factory=lambda: defaultdict(list))
    throttled: Counter[str] = field(default_factory=Counter)
    away: Counter[str] = field(default_factory=Counter)
    asked: set[str] = field(default_factory=set)
    control: OddRequest | None = None


@dataclass(frozen=True, slots=True)
class _Wrong:
    """One answer that breaks a rule, and by what."""

    request: OddRequest
    answer: httpx.Response
    what: str


def ask_oddly(
    requests: Sequence[Sequence[OddRequest]],
    ask: Ask,
    *,
    duration_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Looked:
    """Send what was made up, operation by operation in turn, and hold the answers against it.

    What is wrong must be wrong twice where it can be asked again. An answer that refuses so many
    requests says nothing of the input, nor does one that says that the platform is away where
    another request is answered so, too.

    Args:
        requests: Those of each operation.
        ask: Sends one.
        duration_s: How long that may take, in seconds.
        clock: The time in seconds, from any moment on.

    Raises:
        httpx.TransportError: There was no answer.
        BudgetSpentError: No more may be sent.
    """
    seen = _Answered()
    until = clock() + duration_s
    for request in (one for turn in zip_longest(*requests) for one in turn if one):
        if clock() >= until:
            break
        _ask_one(request, ask, seen)
    unasked = [many[0].operation for many in requests if many[0].operation not in seen.asked]
    return Looked(tuple(_breaches(seen)), tuple(_unseen(seen, unasked)))


def _ask_one(request: OddRequest, ask: Ask, seen: _Answered) -> None:
    answer = ask(request)
    seen.sent += 1
    seen.asked.add(request.operation)
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        seen.throttled[request.operation] += 1
        return
    wrong = _faults(request, answer)
    if wrong and request.method in READING:
        answer = ask(request)
        seen.sent += 1
        wrong = {rule: what for rule, what in _faults(request, answer).items() if rule in wrong}
    if not wrong and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        seen.control = seen.control or request
    if wrong and answer.status_code in _AWAY and not _is_there(ask, seen):
        seen.away[request.operation] += 1
        return
    for rule, what in wrong.items():
        seen.wrong[rule].append(_Wrong(request, answer, what))


def _is_there(ask: Ask, seen: _Answered) -> bool:
    """The control: whether the platform answers well what it did before."""
    if seen.control is None:
        return False
    seen.sent += 1
    return ask(seen.control).status_code < HTTPStatus.INTERNAL_SERVER_ERROR


def _faults(request: OddRequest, answer: httpx.Response) -> dict[str, str]:
    """What is wrong with an answer by schemathesis' own checks: a rule's id -> what it is."""
    from schemathesis.checks import CHECKS, load_all_checks  # noqa: PLC0415  # few checks need it
    from schemathesis.core.failures import FailureGroup, ServerError  # noqa: PLC0415

    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return {}
    load_all_checks()
    names = [
        name
        for name in _CHECKS
        if name != _OF_STATUS or answer.status_code not in _NEED_NO_DESCRIPTION
    ]
    try:
        request.case.validate_response(answer, checks=list(CHECKS.get_by_names(names)))
    except FailureGroup as group:
        # An error of the server's is that, whether it is described or not.
        server = [one for one in group.exceptions if isinstance(one, ServerError)]
        if server:
            return {SERVER_ERROR.id: f"{answer.status_code} {answer.reason_phrase}".strip()}
        first = min(group.exceptions, key=str)
        return {NOT_AS_DESCRIBED.id: " ".join(str(first).split())}
    return {}


def _breaches(seen: _Answered) -> Iterator[Breach]:
    for rule in RULES:
        wrong = seen.wrong.get(rule.id)
        if not wrong:
            continue
        counted = Counter(one.request.operation for one in wrong)
        smallest = min(wrong, key=lambda one: (one.request.weight, one.request.url))
        texts = dict.fromkeys(_short(one.what) for one in wrong)
        told = ", ".join(f"{count} at {name}" for name, count in counted.most_common(_TOLD))
        more = f", {len(counted) - _TOLD} more" if len(counted) > _TOLD else ""
        yield rule.found(
            f"{len(wrong)} of {seen.sent} made-up requests ({told}{more}): "
            f"{'; '.join(list(texts)[:_TOLD])}",
            [f"api {name}" for name in counted],
            exchange=told_exchange(smallest.answer),
            curl=curl_of(smallest.answer.request),
        )


def _short(what: str) -> str:
    return what if len(what) <= 160 else f"{what[:160]}..."  # noqa: PLR2004  # one line


def _unseen(seen: _Answered, unasked: Sequence[str]) -> Iterator[str]:
    if seen.throttled:
        yield (
            f"{seen.throttled.total()} of {seen.sent} made-up requests were answered 429, first at "
            f"{next(iter(seen.throttled))}. Lower `security.rate`, or let this runner ask more"
        )
    if seen.away:
        yield (
            f"{seen.away.total()} of {seen.sent} made-up requests were answered that the platform "
            f"is away, first at {next(iter(seen.away))}. Look at its health, then validate again"
        )
    if unasked:
        yield (
            f"the time was up before {len(unasked)} operations were asked, the first of them "
            f"{unasked[0]}. Raise `security.odd_input.duration`, or lower `requests` there"
        )
