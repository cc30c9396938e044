"""Tokens: altered ones are refused, and those that were good once are, too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from deployment_gate.api.answers import MISSING, body_of, told
from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.access import (
    REFUSALS,
    Admission,
    admission_of,
    demand_let_in,
    first_of,
    place_of,
    private_path_of,
    uncached,
)
from deployment_gate.security.rules import (
    Breach,
    Looked,
    Rule,
    Unseen,
    curl_of,
    told_exchange,
)

if TYPE_CHECKING:
    from deployment_gate.api.sessions import Sessions, Token

_JWKS = "/.well-known/jwks.json"

UNSIGNED = Rule(
    id="unsigned-token-accepted",
    severity=FindingSeverity.CRITICAL,
    title="A token without a signature is taken",
    source="OWASP ASVS 5.0, 9.1.1 and 9.1.2; RFC 8725, 3.1",
    remedy="Verify every token with the one algorithm that it is issued with, named in the code "
    "and not read from the token, and refuse whatever has no signature.",
)
ALTERED = Rule(
    id="altered-token-accepted",
    severity=FindingSeverity.CRITICAL,
    title="A token that was altered is taken",
    source="OWASP ASVS 5.0, 9.1.1",
    remedy="Verify the signature over the whole token before anything in it is read; compare "
    "tokens that are looked up as a whole.",
)
CONFUSED = Rule(
    id="key-confusion",
    severity=FindingSeverity.CRITICAL,
    title="A token that was signed with the public key is taken",
    source="OWASP ASVS 5.0, 9.1.2; RFC 8725, 2.1 and 3.1",
    remedy="Fix the algorithm where tokens are verified, and give each key to one algorithm: a "
    "public key must never serve as the secret of an HMAC.",
)
OUTLIVES_ITS_TIME = Rule(
    id="token-outlives-its-time",
    severity=FindingSeverity.HIGH,
    title="A token is good for longer than it was given for",
    source="OWASP ASVS 5.0, 9.2.1",
    remedy="Have `exp` checked each time that a token is, with a leeway of a second or two at "
    "most.",
)
OUTLIVES_SIGN_OUT = Rule(
    id="token-outlives-sign-out",
    severity=FindingSeverity.HIGH,
    title="A token is good after its owner signed out",
    source="OWASP ASVS 5.0, 7.4.1",
    remedy="End the session on the server when somebody signs out, and refuse tokens of sessions "
    "that have ended. Make sure that no cache of sessions outlives that.",
)
NOT_RENEWED = Rule(
    id="token-not-renewed",
    severity=FindingSeverity.MEDIUM,
    title="Signing in again gives the same token",
    source="OWASP ASVS 5.0, 7.2.4",
    remedy="Issue a new token at each sign-in, with an id of its own (`jti`), and let none be "
    "handed out twice.",
)

RULES = (UNSIGNED, ALTERED, CONFUSED, OUTLIVES_ITS_TIME, OUTLIVES_SIGN_OUT, NOT_RENEWED)

LEEWAY_S = 2.0
"""Seconds that a token may live longer: clocks of two machines, and whole seconds on both."""
LONGEST_WAIT_S = 15.0
"""Seconds that anybody waits for a token to expire."""

_ASKED_EACH_S = 0.25
_TICK_S = 1.1
"""Seconds after which a token that tells the second of its issue is another one."""


@dataclass(frozen=True, slots=True, repr=False)
class AlteredToken:
    """A token that nobody was given, made of one that somebody was.

    Attributes:
        how: What was done to it, as the end of "a token".
        value: The token.
        rule: The rule that is broken where it is taken.
    """

    how: str
    value: str
    rule: Rule


def look_at_altered_tokens(sessions: Sessions, keep_secret: Callable[[str], object]) -> Looked:
    """Ask with tokens that were altered; each must be refused, and the untouched one let in.

    Args:
        sessions: How one signs in.
        keep_secret: Takes what no report may show.

    Raises:
        Unseen: The untouched token isn't let in, before or afterwards.
        SignInError: Nobody can sign in.
    """
    api = sessions.api
    name, path = first_of(api), private_path_of(api)
    token = sessions.token_of(name).value
    demand_let_in(sessions, name, path, token=token)
    accepted: dict[Rule, list[tuple[AlteredToken, httpx.Response]]] = {}
    unseen = []
    for one in altered(token, keys=_public_keys(sessions, token)):
        keep_secret(one.value)
        answer = sessions.stranger.get(uncached(path), headers=sessions.headers(name, one.value))
        admission = admission_of(answer.status_code, refusals=REFUSALS | {400, 422})
        if admission is Admission.LET_IN:
            accepted.setdefault(one.rule, []).append((one, answer))
        elif admission is not Admission.REFUSED:
            unseen.append(
                f"a token {one.how} was answered {answer.status_code}, which is no refusal"
            )
    demand_let_in(sessions, name, path, token=token)
    breaches = tuple(_accepted(rule, path, found) for rule, found in accepted.items())
    return Looked(breaches, tuple(unseen))


def _accepted(rule: Rule, path: str, found: list[tuple[AlteredToken, httpx.Response]]) -> Breach:
    hows = "; ".join(dict.fromkeys(one.how for one, _ in found))
    answer = found[0][1]
    return rule.found(
        f"GET {path} was answered {answer.status_code} with a token {hows}",
        [place_of("GET", path)],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )


def altered(token: str, *, keys: Mapping[str, bytes]) -> Iterator[AlteredToken]:
    """Tokens that must be refused, made of a good one.

    Args:
        token: A good one: a signed JSON Web Token (RFC 7519), or one that only the server can read.
        keys: What may be mistaken for the secret that tokens are signed with, by what it is.
    """
    header, claims = _parts(token)
    if header is None or claims is None:
        middle = len(token) // 2
        other = "x" if token[middle : middle + 1] != "x" else "y"
        yield AlteredToken(
            "with one character changed", token[:middle] + other + token[middle + 1 :], ALTERED
        )
        if len(token) > 1:
            yield AlteredToken("that was cut short", token[:-1], ALTERED)
        yield AlteredToken("with one character more", f"{token}x", ALTERED)
        return
    first, second, signature = token.split(".")
    for algorithm in ("none", "None", "NONE"):
        unsigned = _encoded({**header, "alg": algorithm})
        yield AlteredToken(f"of the algorithm {algorithm}", f"{unsigned}.{second}.", UNSIGNED)
    yield AlteredToken("whose signature was taken off", f"{first}.{second}.", UNSIGNED)
    expires = claims.get("exp")
    # What a server that forgets the signature would take: all in it still makes sense.
    more = {"exp": expires + 3600} if isinstance(expires, int | float) else {"altered": True}
    changed = _encoded({**claims, **more})
    yield AlteredToken("with other claims", f"{first}.{changed}.{signature}", ALTERED)
    # Its last character may hold bits that nobody reads (RFC 4648, 3.5), its first never.
    turned = ("B" if signature[0] == "A" else "A") + signature[1:]
    yield AlteredToken("with another signature", f"{first}.{second}.{turned}", ALTERED)
    for what, key in keys.items():
        signed = f"{_encoded({**header, 'alg': 'HS256'})}.{second}"
        mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
        yield AlteredToken(f"signed with {what}", f"{signed}.{_base64(mac)}", CONFUSED)


def is_asymmetric(token: str) -> bool:
    """Whether a token says that it was signed with a key whose other half is public."""
    header, _ = _parts(token)
    return header is not None and str(header.get("alg"))[:2] in {"RS", "PS", "ES", "Ed"}


def confusable_keys(jwks: object, *, kid: object) -> dict[str, bytes]:
    """What of published keys may be mistaken for a secret: a key as PEM, with its end and without.

    Args:
        jwks: The document with the keys (RFC 7517, 5).
        kid: The id of the key that signs; None for any.
    """
    published = jwks.get("keys") if isinstance(jwks, dict) else None
    keys = [one for one in published if isinstance(one, dict)] if published else []
    named = [one for one in keys if kid is not None and one.get("kid") == kid]
    for key in named or keys:
        pem = _pem(key)
        if pem:
            return {"the public key": pem, "the public key without its end": pem.strip()}
    return {}


def _public_keys(sessions: Sessions, token: str) -> dict[str, bytes]:
    if not is_asymmetric(token):
        return {}
    at = httpx.URL(sessions.api.base_url).copy_with(raw_path=_JWKS.encode())
    answer = sessions.stranger.get(at)
    body = body_of(answer) if answer.is_success else MISSING
    header, _ = _parts(token)
    return {} if body is MISSING else confusable_keys(body, kid=(header or {}).get("kid"))


def _pem(key: Mapping[str, Any]) -> bytes | None:
    """A published key as PEM; None where it isn't one that is understood."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # few APIs need it
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    try:
        if key.get("kty") == "RSA":
            public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        else:
            x, y = _number(key["x"]), _number(key["y"])
            public = ec.EllipticCurvePublicNumbers(x, y, curves[key["crv"]]).public_key()
    except (KeyError, TypeError, ValueError):
        return None
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def look_at_expired_token(
    sessions: Sessions,
    token: Token,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Looked:
    """Ask with a token until it is refused, which must be as soon as its time is up.

    Args:
        sessions: How one signs in.
        token: One that soon expires, or has.
        clock: The time in seconds, from any moment on.
        sleep: Waits for so many seconds.

    Raises:
        Unseen: It lives too long to be waited for, or a token that is still good is refused, too.
        SignInError: Nobody can sign in.
    """
    name, path = first_of(sessions.api), private_path_of(sessions.api)
    lifetime_s = token.lifetime_s
    if lifetime_s is None:
        raise Unseen("signing in didn't say how long the token lives. See to `login.lifetime`")
    if lifetime_s > LONGEST_WAIT_S:
        raise Unseen(
            f"the short-lived token lives {lifetime_s:g} s, and nobody waits longer than "
            f"{LONGEST_WAIT_S:g} s. See that `login.short_lived` asks for less"
        )
    deadline = clock() + lifetime_s + LEEWAY_S
    headers = sessions.headers(name, token.value)
    while (answer := sessions.stranger.get(uncached(path), headers=headers)).is_success:
        if clock() >= deadline:
            return _outlived(
                OUTLIVES_ITS_TIME,
                f"a token that is good for {lifetime_s:g} s was still answered "
                f"{answer.status_code} {LEEWAY_S:g} s after that",
                path,
                answer,
            )
        sleep(_ASKED_EACH_S)
    demand_let_in(sessions, name, path)
    return _refused(answer, "an expired token")


def look_at_signed_out_token(sessions: Sessions) -> Looked:
    """Sign out, and ask with the token that was given up.

    Raises:
        Unseen: The token isn't let in before, or signing out fails.
        SignInError: Nobody can sign in.
    """
    api = sessions.api
    name, path = first_of(api), private_path_of(api)
    if api.logout is None:
        raise Unseen("it isn't known how one signs out. Write `api.logout`")
    token = sessions.sign_in(name).value
    demand_let_in(sessions, name, path, token=token)
    headers = sessions.headers(name, token)
    out = sessions.stranger.request(api.logout.method, api.logout.path, headers=headers)
    # Whoever signs out in a browser is led to a page.
    if not (out.is_success or out.is_redirect):
        raise Unseen(f"{told(out)}, so nobody was signed out")
    after = sessions.stranger.get(uncached(path), headers=headers)
    if after.is_success:
        detail = f"a token that was signed out was still answered {after.status_code}"
        return _outlived(OUTLIVES_SIGN_OUT, detail, path, after)
    return _refused(after, "a token that was signed out")


def look_at_renewal(sessions: Sessions, *, sleep: Callable[[float], None] = time.sleep) -> Looked:
    """Sign in twice, which must give two tokens.

    Args:
        sessions: How one signs in.
        sleep: Waits for so many seconds.

    Raises:
        Unseen: No identity signs in for a token.
        SignInError: One can't.
    """
    api = sessions.api
    name = next((one for one, identity in api.identities.items() if not identity.token), None)
    if name is None or api.login is None or api.login.request is None:
        raise Unseen("no identity signs in for a token. Write one with `username` and `password`")
    first = sessions.sign_in(name).value
    if sessions.sign_in(name).value != first:
        return Looked()
    # One that tells the second of its issue, and nothing else of it, is another a second later.
    sleep(_TICK_S)
    if sessions.sign_in(name).value != first:
        return Looked()
    line = api.login.request
    detail = f"three sign-ins as {name}, {_TICK_S:g} s apart, gave one and the same token"
    return Looked((NOT_RENEWED.found(detail, [place_of(line.method, line.path)]),))


def _outlived(rule: Rule, detail: str, path: str, answer: httpx.Response) -> Looked:
    breach = rule.found(
        detail,
        [place_of("GET", path)],
        exchange=told_exchange(answer),
        curl=curl_of(answer.request),
    )
    return Looked((breach,))


def _refused(answer: httpx.Response, what: str) -> Looked:
    """Nothing where a token that is good no longer was refused, and not only failed."""
    if admission_of(answer.status_code) is Admission.REFUSED:
        return Looked()
    return Looked(unseen=(f"{what} was answered {answer.status_code}; expected 401 or 403",))


def _parts(token: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Header and claims of a signed JSON Web Token; None for each that it hasn't."""
    segments = token.split(".")
    if len(segments) != 3 or not segments[2]:  # noqa: PLR2004  # RFC 7515, 3.1
        return None, None
    header, claims = (_decoded(one) for one in segments[:2])
    return (header, claims) if header and "alg" in header else (None, None)


def _decoded(segment: str) -> dict[str, Any] | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
