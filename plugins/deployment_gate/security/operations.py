"""Operations that not everybody may call, asked as those who may not."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from deployment_gate.api.collections import Listing
from deployment_gate.environment import READING, RequestLine, fill_text
from deployment_gate.environment import names_in as places_in
from deployment_gate.evidence import FindingSeverity
from deployment_gate.openapi.operations import nameless
from deployment_gate.security.access import (
    GARBAGE,
    REFUSALS,
    Admission,
    Admitted,
    admission_of,
    demand_let_in,
    first_of,
    learned_refusals,
    looked_at,
    low_privileged,
    place_of,
    private_path_of,
    uncached,
)
from deployment_gate.security.rules import Looked, Rule, Unseen
from deployment_gate.security.survey import MISSING_ID, MOST, Survey, is_harmless

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget, Security
    from deployment_gate.openapi import Operation

WITHOUT_TOKEN = Rule(
    id="operation-without-token",
    severity=FindingSeverity.CRITICAL,
    title="An operation that is documented as private answers without a token",
    source="OWASP API Security Top 10 2023, API2; OWASP ASVS 5.0, 8.2.1",
    remedy="Have each private operation refuse whoever isn't signed in with 401, before it looks "
    "at anything else of the request: in one place that all operations pass through.",
)
WITH_GARBAGE = Rule(
    id="operation-with-garbage-token",
    severity=FindingSeverity.CRITICAL,
    title="An operation that is documented as private answers to a token that nobody was given",
    source="OWASP API Security Top 10 2023, API2; OWASP ASVS 5.0, 9.1.1",
    remedy="Verify the token in each private operation, not only that there is one, and refuse "
    "what isn't good with 401.",
)
ADMINISTRATIVE = Rule(
    id="administrative-operation-open",
    severity=FindingSeverity.CRITICAL,
    title="An administrative operation answers to somebody who is no administrator",
    source="OWASP API Security Top 10 2023, API5; OWASP ASVS 5.0, 8.2.1",
    remedy="Check the role in each administrative operation, before it looks at anything else of "
    "the request, and answer 403.",
)
UNDECLARED = Rule(
    id="private-operations-undeclared",
    severity=FindingSeverity.LOW,
    title="The API's description doesn't say what is private",
    source="OWASP API Security Top 10 2023, API9; OpenAPI 3.1.1, 4.8.10.1",
    remedy="Declare `security` for each private operation: whoever reads the description knows "
    "then, and these checks ask each of them without a token.",
)

RULES = (WITHOUT_TOKEN, WITH_GARBAGE, ADMINISTRATIVE, UNDECLARED)


@dataclass(frozen=True, slots=True)
class _Target:
    """One request that is sent as somebody who must be refused."""

    method: str
    path: str
    address: str
    is_open_to_reader: bool = False

    @property
    def is_item(self) -> bool:
        """Whether it is about a thing that there may not be."""
        return "{" in self.path


def look_without_token(seen: Survey, sessions: Sessions, security: Security) -> Looked:
    """Ask what is documented as private without a token.

    Args:
        seen: What is documented, and how whoever may read was answered.
        sessions: How one signs in.
        security: What is public all the same.

    Raises:
        Unseen: Not even whoever may read is let in.
    """
    targets, told = _reading_targets(seen, sessions, security)
    refusals = learned_refusals(sessions, token=None)
    admitted = _ask_all(sessions, targets, headers={}, refusals=refusals)
    return looked_at(WITHOUT_TOKEN, "without a token", admitted) + told


def look_with_garbage_token(seen: Survey, sessions: Sessions, security: Security) -> Looked:
    """Ask what is documented as private with a token that nobody was given.

    Args:
        seen: What is documented, and how whoever may read was answered.
        sessions: How one signs in.
        security: What is public all the same.

    Raises:
        Unseen: Not even whoever may read is let in.
        SignInError: It isn't known how a token is sent.
    """
    targets, told = _reading_targets(seen, sessions, security)
    refusals = learned_refusals(sessions, token=GARBAGE)
    headers = sessions.headers(first_of(sessions.api), GARBAGE)
    admitted = _ask_all(sessions, targets, headers=headers, refusals=refusals)
    # The look without a token tells what the description lacks.
    return looked_at(WITH_GARBAGE, "with a made-up token", admitted) + Looked(unseen=told.unseen)


def look_at_writing(seen: Survey, sessions: Sessions, security: Security) -> Looked:
    """Send what would write without a token, with a made-up one, and with too low a privilege.

    Each has an id that there is nothing of, or an empty body that the description rules out, so
    that nothing changes even where it is let in; what has neither isn't sent.

    Args:
        seen: What is documented.
        sessions: How one signs in.
        security: What is public, and what is administrative.

    Raises:
        Unseen: Nobody is let in with a good token.
        SignInError: Nobody can sign in.
    """
    api = sessions.api
    demand_let_in(sessions, first_of(api), private_path_of(api))
    operations = [
        one
        for one in seen.private(is_reading=False)
        if not security.is_public(one.path) and not _gives_up(api, one)
    ]
    harmless, unseen = [], []
    for one in operations:
        if is_harmless(seen.document, one):
            harmless.append(one)
        else:
            unseen.append(
                f"{one} was not sent: nothing in it keeps it from changing something. If somebody "
                "has seen that it asks for a token, write it under `api.openapi.skip`"
            )
    targets = [_missing_target(seen, api, one) for one in harmless[:MOST]]
    unseen += _too_many(harmless)
    looked = Looked(unseen=tuple(unseen))
    if targets:
        admitted = _ask_all(
            sessions, targets, headers={}, refusals=learned_refusals(sessions, token=None)
        )
        looked += looked_at(WITHOUT_TOKEN, "without a token", admitted)
    if targets and api.login and api.login.sends_token:
        headers = sessions.headers(first_of(api), GARBAGE)
        refusals = learned_refusals(sessions, token=GARBAGE)
        admitted = _ask_all(sessions, targets, headers=headers, refusals=refusals)
        looked += looked_at(WITH_GARBAGE, "with a made-up token", admitted)
    return looked + _administrative_writing(seen, sessions, security)


def _administrative_writing(seen: Survey, sessions: Sessions, security: Security) -> Looked:
    lines = [one for one in security.administrative if not one.is_reading]
    if not lines:
        return Looked()
    targets, unseen = [], []
    for line in lines:
        operation = seen.document.find(line.method, line.path)
        if operation is None:
            unseen.append(
                f"{line} was not sent: the API's description doesn't say what it takes. Document "
                "it, or take it out of `security.administrative`"
            )
        elif not is_harmless(seen.document, operation):
            unseen.append(
                f"{line} was not sent: nothing in it keeps it from changing something. Take it "
                "out of `security.administrative`"
            )
        else:
            targets.append(_missing_target(seen, sessions.api, operation))
    name = low_privileged(sessions.api, security)
    demand_let_in(sessions, name, private_path_of(sessions.api))
    admitted = _ask_all(
        sessions, targets, headers=sessions.headers(name), refusals=REFUSALS, hides=True
    )
    return looked_at(ADMINISTRATIVE, f"as {name}", admitted, unseen=unseen)


def look_at_administrative(
    sessions: Sessions, security: Security, *, seen: Survey | None
) -> Looked:
    """Ask what is for administrators as the identity that may do the least.

    Args:
        sessions: How one signs in.
        security: What is for administrators, and who isn't one.
        seen: What is documented, where anything is: it has values for places.

    Raises:
        Unseen: Nothing that reads is named, that identity isn't known, or isn't let in anywhere.
        SignInError: Somebody can't sign in.
    """
    lines = [one for one in security.administrative if one.is_reading]
    if not lines:
        raise Unseen(
            "no administrative operation is named that only reads. Write one under "
            "`security.administrative`"
        )
    name = low_privileged(sessions.api, security)
    demand_let_in(sessions, name, private_path_of(sessions.api))
    targets = [
        _Target(line.method, line.path, _address_of_line(line, sessions, seen)) for line in lines
    ]
    admitted = _ask_all(
        sessions, targets, headers=sessions.headers(name), refusals=REFUSALS, hides=True
    )
    return looked_at(ADMINISTRATIVE, f"as {name}", admitted)


def _gives_up(api: ApiTarget, operation: Operation) -> bool:
    """Whether it signs out or renews: without a good token there is nothing that it could end."""
    known = (api.logout, api.refresh.request if api.refresh else None)
    return any(
        one and (one.method, nameless(operation.path)) == (operation.method, one.path)
        for one in known
    )


def _reading_targets(
    seen: Survey, sessions: Sessions, security: Security
) -> tuple[list[_Target], Looked]:
    """What is private and reads, by its description or by the environment; what is said of that.

    Raises:
        Unseen: Whoever may read isn't let in anywhere.
    """
    api = sessions.api
    operations = [one for one in seen.private(is_reading=True) if not security.is_public(one.path)]
    if not any(seen.is_open_to_reader(one) for one in operations):
        demand_let_in(sessions, first_of(api), private_path_of(api))
    targets = []
    for one in operations[:MOST]:
        address = seen.address_of(one)
        if address is None:
            targets.append(_missing_target(seen, api, one))
        else:
            is_open = seen.is_open_to_reader(one)
            targets.append(_Target(one.method, one.path, address, is_open))
    paths = (api.private_path, *(one.path for one in api.collections.values() if one.is_private))
    targets += [
        _Target("GET", path, path)
        for path in dict.fromkeys(paths)
        if path and seen.document.find("GET", path) not in operations
    ]
    told = Looked(unseen=tuple(_too_many(operations)))
    if not operations:
        origin = seen.document.origin
        detail = f"{origin} says of no operation that it is private, although one signs in"
        told += Looked((UNDECLARED.found(detail, [place_of("GET", origin)]),))
    return targets, told


def _too_many(operations: Sequence[Operation]) -> list[str]:
    left = len(operations) - MOST
    return [f"{left} operations were not asked, since they are more than {MOST}"] * (left > 0)


def _ask_all(
    sessions: Sessions,
    targets: Iterable[_Target],
    *,
    headers: Mapping[str, str],
    refusals: Collection[int],
    hides: bool = False,
) -> list[Admitted]:
    """How each is answered to somebody who must be refused.

    Args:
        sessions: How one asks.
        targets: What to ask.
        headers: What shows who asks.
        refusals: The statuses that are refusals.
        hides: Whether a thing may be said not to be there.
    """
    admitted = []
    for one in targets:
        is_reading = one.method in READING
        answer = sessions.stranger.request(
            one.method,
            uncached(one.address),
            headers=dict(headers),
            json=None if is_reading else {},
        )
        admission = admission_of(answer.status_code, refusals=refusals)
        is_missing = answer.status_code == httpx.codes.NOT_FOUND
        is_hidden = hides and one.is_item and is_missing
        # The same request is answered to whoever may: only who asks can be what is wrong with it.
        if admission is Admission.UNCHECKED and (is_hidden or one.is_open_to_reader):
            admission = Admission.REFUSED
        elif admission is Admission.UNCHECKED and is_missing and not one.is_item:
            # Not even served, it may be.
            admission = Admission.UNCLEAR
        admitted.append(Admitted(place_of(one.method, one.path), answer, admission))
    return admitted


def _missing_target(seen: Survey, api: ApiTarget, operation: Operation) -> _Target:
    return _Target(operation.method, operation.path, seen.address_of_missing(api, operation))


def _address_of_line(line: RequestLine, sessions: Sessions, seen: Survey | None) -> str:
    """Where an administrative operation is, its places filled with what is there."""
    if not any(places_in(line.path)):
        return line.path
    api = sessions.api
    for name, section in api.collections.items():
        if section.item and _bare(section.item) == _bare(line.path):
            listing = Listing(name, api, sessions.client, values={})
            items = listing.page().items
            if items:
                return listing.address_of(listing.id_of(items[0]))
    operation = seen.document.find("GET", line.path) if seen else None
    if seen and operation and (address := seen.address_of(operation)):
        return address
    known = seen.parameters if seen else {}
    values = {name: known.get(name, MISSING_ID) for name in places_in(line.path)}
    return fill_text(line.path, values, quote=lambda text: quote(text, safe=""))


def _bare(path: str) -> str:
    return re.sub(r"\{\{.*?\}\}", "{}", path)
