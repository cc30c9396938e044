"""Signing in: who the checks are, what shows it, and for how long."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from deployment_gate.api.answers import read_source
from deployment_gate.environment import fill, fill_text
from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from deployment_gate.environment import ApiTarget, Identity, Login

_RENEWED_AT = 0.8
"""The share of a token's life after which a new one is got, so that none expires on its way."""

_REFUSED = frozenset({400, 401, 403, 422, 423, 429})
_ATTEMPTS = 3
"""Sign-ins that may fail for another reason than a refusal before nobody tries any more."""

_CREDENTIALS: Mapping[str, str] = {"username": "{{username}}", "password": "{{password}}"}


class SignInError(GateError):
    """Somebody could not sign in.

    Attributes:
        is_final: Whether another attempt would be no better, and may lock the account.
    """

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """What signing in gave.

    Attributes:
        value: What goes with each request.
        refresh: What a new one is got with, where the platform has that.
        lifetime_s: For how many seconds the platform says that it is good.
    """

    value: str
    refresh: str | None = None
    lifetime_s: float | None = None


class Sessions:
    """Signs identities in, once each, and hands out clients that are signed in.

    Attributes:
        api: What the environment says of the API.
    """

    def __init__(
        self,
        api: ApiTarget,
        *,
        make_client: Callable[[str], httpx.Client],
        keep_secret: Callable[[str], str],
    ) -> None:
        self.api = api
        self._make_client = make_client
        self._keep_secret = keep_secret
        self._stranger: httpx.Client | None = None
        self._tokens: dict[str, tuple[Token, float]] = {}
        self._clients: dict[str, httpx.Client] = {}
        self._failures: dict[str, list[SignInError]] = {}

    @property
    def stranger(self) -> httpx.Client:
        """A client that nobody is signed in with."""
        if self._stranger is None:
            self._stranger = self._make_client(self.api.base_url)
        return self._stranger

    def client(self, name: str | None) -> httpx.Client:
        """A client that the identity called `name` is signed in with; a stranger's for None.

        Raises:
            SignInError: There is no such identity, or it can't sign in.
        """
        if name is None:
            return self.stranger
        if name not in self._clients:
            self.token_of(name)
            client = self._make_client(self.api.base_url)
            client.auth = _SignedIn(self, name)
            self._clients[name] = client
        return self._clients[name]

    def token_of(self, name: str) -> Token:
        """The token of an identity, which is signed in where it isn't yet, or not any more.

        A password that was refused is not offered again: each check would, and lock the account.

        Raises:
            SignInError: There is no such identity, or it can't sign in.
        """
        token, got_at = self._tokens.get(name, (None, 0.0))
        age_s = time.monotonic() - got_at
        if token and (token.lifetime_s is None or age_s < token.lifetime_s * _RENEWED_AT):
            return token
        failures = self._failures.setdefault(name, [])
        if failures and (failures[-1].is_final or len(failures) >= _ATTEMPTS):
            raise failures[-1]
        try:
            token = self.sign_in(name)
        except SignInError as error:
            failures.append(error)
            raise
        self._tokens[name] = token, time.monotonic()
        return token

    def sign_in(self, name: str, *, more: Mapping[str, Any] | None = None) -> Token:
        """Sign an identity in anew.

        Args:
            name: The identity.
            more: What is sent beside its credentials.

        Raises:
            SignInError: There is no such identity, or it can't sign in.
        """
        identity = self._identity(name)
        if identity.token:
            return Token(identity.token.get_secret_value())
        if self._login.request is None:
            return Token("")
        answer = self.offer(name, more=more)
        # A form may answer with a redirect that bears the cookie.
        if not (answer.is_success or answer.is_redirect):
            raise SignInError(
                f"signing in as {name} was answered {answer.status_code}",
                is_final=answer.status_code in _REFUSED,
            )
        return self.token_in(answer)

    def offer(
        self, name: str, *, password: str | None = None, more: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Send an identity's credentials to where they are checked, and return the answer.

        Args:
            name: The identity.
            password: Sent in place of its own.
            more: What is sent beside the credentials.

        Raises:
            SignInError: There is no such identity, or nothing checks its credentials.
        """
        login = self._login
        values = self._credentials(self._identity(name), password)
        if login.request is None:
            if self.api.private_path is None:
                raise SignInError(f"nothing private is known that {name} could be refused")
            headers = self._sent(values | {"token": values["password"]})
            return self.stranger.get(self.api.private_path, headers=headers)
        headers = {key: fill_text(value, values) for key, value in login.headers.items()}
        if login.form is not None:
            form = fill({**login.form, **(more or {})}, values)
            answer = self.stranger.request(
                login.request.method, login.request.path, data=form, headers=headers
            )
        else:
            body = fill({**(login.body or _CREDENTIALS), **(more or {})}, values)
            answer = self.stranger.request(
                login.request.method, login.request.path, json=body, headers=headers
            )
        self._keep_tokens_of(answer)
        return answer

    def is_refused(self, answer: httpx.Response) -> bool:
        """Whether the answer to credentials lets nobody in, and is no failure of the platform's."""
        if answer.is_success or answer.is_redirect:
            login = self._login
            return login.request is not None and not read_source(login.token, answer)
        return answer.status_code in _REFUSED

    def refresh(self, token: Token) -> httpx.Response:
        """Ask for a new token without the password, and return the answer.

        Raises:
            SignInError: There is nothing to ask with, or nowhere to ask.
        """
        if self.api.refresh is None or token.refresh is None:
            raise SignInError(
                "signing in gave nothing to refresh with. Write `login.refresh_token` and `refresh`"
            )
        section, values = self.api.refresh, {"refresh_token": token.refresh}
        template = section.body or {"refresh_token": "{{refresh_token}}"}
        answer = self.stranger.request(
            section.request.method,
            section.request.path,
            data=None if section.form is None else fill(section.form, values),
            json=None if section.form is not None else fill(template, values),
        )
        self._keep_tokens_of(answer)
        return answer

    def token_in(self, answer: httpx.Response) -> Token:
        """The token in the answer to a sign-in.

        Raises:
            SignInError: It holds none.
        """
        login = self._login
        value = read_source(login.token, answer)
        if not isinstance(value, str) or not value:
            raise SignInError(f"the answer to signing in holds no token in {login.token}")
        refresh = read_source(login.refresh_token, answer) if login.refresh_token else None
        lifetime = read_source(login.lifetime, answer) if login.lifetime else None
        return Token(
            value,
            refresh=refresh if isinstance(refresh, str) else None,
            lifetime_s=_seconds(lifetime),
        )

    def headers(self, name: str, token: str | None = None) -> dict[str, str]:
        """The headers that show who sends a request.

        Args:
            name: The identity.
            token: In place of its own.

        Raises:
            SignInError: There is no such identity, or it can't sign in.
        """
        values = self._credentials(self._identity(name))
        return self._sent(values | {"token": self.token_of(name).value if token is None else token})

    def _sent(self, values: Mapping[str, str]) -> dict[str, str]:
        return {key: fill_text(value, values) for key, value in self._login.send.items()}

    def _credentials(self, identity: Identity, password: str | None = None) -> dict[str, str]:
        username = identity.username or ""
        if password is None:
            password = identity.password.get_secret_value() if identity.password else ""
        basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        if password:
            self._keep_secret(basic)
        return {"username": username, "password": password, "basic": basic}

    def _keep_tokens_of(self, answer: httpx.Response) -> None:
        """Whatever looks like a token is kept out of reports, also where none was to be given."""
        for source in (self._login.token, self._login.refresh_token):
            value = read_source(source, answer) if source else None
            if isinstance(value, str) and value:
                self._keep_secret(value)

    def _identity(self, name: str) -> Identity:
        if name not in self.api.identities:
            known = ", ".join(self.api.identities) or "none"
            raise SignInError(f"there is no identity {name!r} in `api.identities`: {known}")
        return self.api.identities[name]

    @property
    def _login(self) -> Login:
        if self.api.login is None:
            raise SignInError("the `api` section says no `login`; write one")
        return self.api.login


class _SignedIn(httpx.Auth):
    """Shows with each request who sends it."""

    def __init__(self, sessions: Sessions, name: str) -> None:
        self._sessions = sessions
        self._name = name

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add what shows it, for the API alone.

        Raises:
            SignInError: The request goes elsewhere.
        """
        base = httpx.URL(self._sessions.api.base_url)
        if _origin(request.url) != _origin(base):
            raise SignInError(
                f"{request.method} {request.url} was not sent: what shows who {self._name} is goes "
                f"to {base} only. Ask others by `api`, which is nobody in particular"
            )
        shown = self._sessions.headers(self._name)
        request.headers.update(shown)
        request.extensions["identity"] = self._name
        request.extensions["identity_headers"] = frozenset(name.lower() for name in shown)
        yield request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _seconds(value: object) -> float | None:
    """A token's life; None where it is unknown, or has no end."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if seconds > 0 else None
