"""The `security` section: what may be seen by whom, and how far the checks of that may go."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from deployment_gate.environment.fields import (
    BaseUrl,
    Count,
    Duration,
    Name,
    Texts,
    UrlPath,
    as_tuple,
    choice,
)
from deployment_gate.environment.load_sections import Rate
from deployment_gate.environment.request_fields import JsonPathField, RequestField, Requests
from deployment_gate.environment.sections import Section


class TlsProfile(StrEnum):
    """Whom a server talks to: Mozilla's Server Side TLS, version 5.7."""

    INTERMEDIATE = "intermediate"
    """TLS 1.2 and 1.3."""
    MODERN = "modern"
    """TLS 1.3 alone."""


class HoldsFrom(StrEnum):
    """The severity from which on a finding holds; what is less only warns."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(as_tuple)]
Origins: TypeAlias = Annotated[tuple[BaseUrl, ...], BeforeValidator(as_tuple)]

PERSONAL_FIELDS = (
    "email",
    "e_mail",
    "phone",
    "phone_number",
    "mobile",
    "birthday",
    "birth_date",
    "date_of_birth",
    "ssn",
    "social_security_number",
    "iban",
    "card_number",
    "passport_number",
    "tax_id",
    "password",
    "password_hash",
)
"""Names of fields that tell of a person, or let one in; compared without case, _ and -."""

_ADMINISTRATORS = ("admin", "root", "superuser", "owner")


class PrivateObject(Section):
    """Something that belongs to one identity."""

    path: UrlPath
    """Where it is."""
    owner: Name
    """Which identity of the API may see it."""
    others: Names = ()
    """Those that must not; unset: all others."""


_Objects = Annotated[tuple[PrivateObject, ...], BeforeValidator(as_tuple)]


class Profile(Section):
    """How somebody changes what is known of them, which must not be their role."""

    request: RequestField
    """The request that changes it, as in `PATCH /api/v1/me`."""
    body: Annotated[Mapping[str, Any], Field(min_length=1)]
    """What may be changed, and to what; it is put back afterwards where the answer shows it."""
    role: JsonPathField
    """Where an answer says which role they have."""


class OddInput(Section):
    """How the API's own description is used to ask what nobody would."""

    requests: Count = 20
    """How many requests are made up for each operation."""
    duration: Duration = timedelta(seconds=20)
    """How long the platform may be asked in that way; making them up isn't counted."""
    seed: Count = 1
    """What they are made up from: the same seed makes the same requests."""


class Security(Section):
    """What may be seen by whom, and how far the checks of that may go."""

    tls: Annotated[TlsProfile, choice(TlsProfile)] = TlsProfile.INTERMEDIATE
    """Mozilla's profile that servers must keep to: intermediate or modern."""
    plain_http: Mapping[Name, BaseUrl] = {}
    """Where plain http is answered, for `api` and `web`; unset: port 80 of those on port 443."""
    public: Annotated[tuple[UrlPath, ...], BeforeValidator(as_tuple)] = ()
    """Paths that anybody may see, with * as a wildcard: descriptions and metrics, say."""
    allowed_origins: Origins = ()
    """Origins of others whose pages may ask the API."""
    personal_fields: Texts = PERSONAL_FIELDS
    """Fields of JSON that tell of a person."""
    low_privilege: Name | None = None
    """The identity that may do the least; unset: the first that is no administrator by its role."""
    administrative: Requests = ()
    """What that identity must be refused, as in `GET /api/v1/users`; its places are filled with
    what is there."""
    private_objects: _Objects = ()
    """Things that belong to one identity."""
    profile: Profile | None = None
    """How somebody changes what is known of them."""
    holds_from: Annotated[HoldsFrom, choice(HoldsFrom)] = HoldsFrom.MEDIUM
    """The severity from which on a finding holds."""
    burst: Count = 40
    """How many wrong sign-ins one after another must meet a limit."""
    odd_input: OddInput = Field(default_factory=OddInput)
    """How the API's description is used to ask what nobody would."""
    most_requests: Count = 1500
    """The requests that all checks of security together may send in a run."""
    rate: Rate = 50
    """How many they may send a second."""

    def is_public(self, path: str) -> bool:
        """Whether anybody may see a path.

        Args:
            path: One without its query.
        """
        return any(fnmatchcase(path, one) for one in self.public)


def is_administrator(role: str) -> bool:
    """Whether a role, or the name of an identity without one, is that of an administrator."""
    return any(word in role.lower() for word in _ADMINISTRATORS)
