"""What is looked at for security as it was understood, in sentences for people."""

from collections.abc import Iterable, Iterator

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.model import Environment
from deployment_gate.environment.security_sections import HoldsFrom, Security, TlsProfile

_VERSIONS = {
    TlsProfile.INTERMEDIATE: "TLS 1.2 and 1.3",
    TlsProfile.MODERN: "TLS 1.3 alone",
}


def explain_security(environment: Environment) -> Iterator[str]:
    """Yield what the `security` section means, line by line; nothing without API and pages."""
    security = environment.security
    if environment.api is None and environment.web is None:
        return
    yield f"TLS as Mozilla's {security.tls} profile has it: {_VERSIONS[security.tls]}"
    for name, url in environment.plain_http.items():
        yield f"plain http of {name} is at {url}"
    yield f"anybody may see {_listed(security.public) or 'no description, metrics or the like'}"
    if environment.api is not None:
        yield from _api(environment, security)
    yield from _bounds(environment, security)


def _api(environment: Environment, security: Security) -> Iterator[str]:
    if security.allowed_origins:
        yield f"pages of {_listed(security.allowed_origins)} may ask the API, too"
    least = security.low_privilege or "whoever may do the least"
    if security.administrative:
        yield f"{least} must be refused {_listed(map(str, security.administrative))}"
    for one in security.private_objects:
        others = _listed(one.others) or "any other identity"
        yield f"{one.path} is {one.owner}'s, and must be refused to {others}"
    if security.profile:
        leave = "" if environment.allow.writes else " (not tried: no leave to write)"
        yield f"{security.profile.request} must give {least} no other role{leave}"
    if environment.allow.burst:
        yield f"{security.burst} wrong sign-ins one after another must meet a limit"
    odd = security.odd_input
    methods = "GET and HEAD, and POST to lists" if environment.allow.writes else "GET and HEAD"
    yield (
        f"odd input: up to {odd.requests} requests for each described operation ({methods}), "
        f"within {format_duration(odd.duration)}, made up from the seed {odd.seed}"
    )


def _bounds(environment: Environment, security: Security) -> Iterator[str]:
    hosts = _listed(sorted(environment.own_hosts()))
    yield (
        f"at most {security.most_requests} requests in all, {security.rate:g} a second, to no host "
        f"but {hosts}"
    )
    less = "" if security.holds_from is HoldsFrom.LOW else "; what is less only warns"
    yield f"a finding holds from {security.holds_from} on{less}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
