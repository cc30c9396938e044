"""Offering wrong passwords, so few that nobody is locked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import SecretStr

from deployment_gate.api.sessions import Sessions
from deployment_gate.environment import Identity
from deployment_gate.security.access import place_of
from deployment_gate.security.rules import Unseen

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import ApiTarget

MOST_WRONG = 3
"""Wrong passwords that are offered for one known username in a run, so that none is locked."""

_SOMEBODY = "somebody"
_NOBODY = "nobody-"


@dataclass(frozen=True, slots=True, repr=False)
class Refusal:
    """What a sign-in with a wrong password was answered.

    Attributes:
        username: What was offered.
        password: What was offered with it.
        is_known: Whether the username is one of the environment's.
        answer: What was answered.
    """

    username: str
    password: str
    is_known: bool
    answer: httpx.Response

    @property
    def is_made_up(self) -> bool:
        """Whether the username is nobody's for sure."""
        return self.username.startswith(_NOBODY)

    @property
    def duration_s(self) -> float:
        """How long the answer took, in seconds."""
        return self.answer.elapsed.total_seconds()


class WrongSignIns:
    """Offers wrong passwords, and so few for each known username that no account is locked.

    Attributes:
        api: What the environment says of the API.
        refusals: What was refused, in order.
    """

    def __init__(
        self,
        api: ApiTarget,
        *,
        make_client: Callable[[str], httpx.Client],
        keep_secret: Callable[[str], str],
    ) -> None:
        self.api = api
        self.refusals: list[Refusal] = []
        self._make_client = make_client
        self._keep_secret = keep_secret
        self._client: httpx.Client | None = None
        self._offered: Counter[str] = Counter()

    @property
    def known(self) -> tuple[str, ...]:
        """The usernames of those who sign in."""
        names = [one.username for one in self.api.identities.values() if one.password]
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def place(self) -> str:
        """Where one signs in."""
        request = self.api.login.request if self.api.login else None
        return place_of(request.method, request.path) if request else "api"

    def is_spent(self, username: str) -> bool:
        """Whether no more wrong passwords are offered for a username."""
        return username in self.known and self._offered[username] >= MOST_WRONG

    def is_real(self, username: str, password: str) -> bool:
        """Whether that is how one of the environment's identities signs in."""
        return any(
            one.username == username
            and one.password is not None
            and one.password.get_secret_value() == password
            for one in self.api.identities.values()
        )

    def was_refused(self, username: str, password: str) -> bool:
        """Whether the two were offered already, and refused."""
        return any((one.username, one.password) == (username, password) for one in self.refusals)

    def offer(self, username: str, password: str) -> tuple[httpx.Response, bool]:
        """Offer a username with a password; what was answered, and whether it was refused.

        Args:
            username: Any.
            password: Not the right one of somebody known.

        Raises:
            Unseen: It isn't offered, since an account could be locked.
        """
        if self.is_spent(username):
            raise Unseen(
                f"no more wrong passwords are offered for {username}: {MOST_WRONG} were, and "
                "more could lock the account"
            )
        self._offered[username] += 1
        sessions = self._sessions({"username": username, "password": password})
        answer = sessions.offer(_SOMEBODY)
        # Whatever the client is told to be its fault, 404 for nobody's username, say.
        is_refused = sessions.is_refused(answer) or answer.is_client_error
        if is_refused and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            is_known = username in self.known
            self.refusals.append(Refusal(username, password, is_known, answer))
        return answer, is_refused

    def refuse(self, username: str) -> Refusal:
        """Offer a made-up password for a username, and say how it was refused.

        Raises:
            Unseen: It wasn't, or sign-ins are limited.
        """
        answer, is_refused = self.offer(username, made_up_password())
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unseen("sign-ins were answered 429: they are limited, and tell nothing more")
        if not is_refused:
            raise Unseen(
                f"a wrong password was answered {answer.status_code}, which is no refusal; see "
                "whether the checks of the API say more"
            )
        return self.refusals[-1]

    def offer_without_username(self) -> Refusal | None:
        """Send a sign-in that lacks its username; None where one doesn't sign in by JSON."""
        login = self.api.login
        if login is None or login.request is None or login.form is not None:
            return None
        template = login.body or {"password": "{{password}}"}
        if not isinstance(template, Mapping):
            return None
        body = {key: value for key, value in template.items() if "username" not in str(value)}
        password = made_up_password()
        changed = self.api.model_copy(update={"login": login.model_copy(update={"body": body})})
        sessions = self._sessions({"username": "", "password": password}, api=changed)
        return Refusal("", password, is_known=False, answer=sessions.offer(_SOMEBODY))

    def _sessions(
        self, credentials: Mapping[str, str], *, api: ApiTarget | None = None
    ) -> Sessions:
        if self._client is None:
            self._client = self._make_client(self.api.base_url)
            # That sign-ins are limited is what is hoped for, and no trouble of this runner's.
            self._client.event_hooks = {"request": [_expect_throttling]}
        client = self._client
        somebody = Identity.model_construct(
            username=credentials["username"], password=SecretStr(credentials["password"])
        )
        return Sessions(
            (api or self.api).model_copy(update={"identities": {_SOMEBODY: somebody}}),
            make_client=lambda _: client,
            keep_secret=self._keep_secret,
        )


def _expect_throttling(request: httpx.Request) -> None:
    request.extensions["expects_throttling"] = True


def made_up_password() -> str:
    """A password that is nobody's, and is found wherever it is repeated."""
    return f"wrong-{uuid4().hex}"


def made_up_username(like: str = "") -> str:
    """A username that is nobody's.

    Args:
        like: One that is known: where it is an address, so is this.
    """
    domain = like.partition("@")[2]
    name = f"{_NOBODY}{uuid4().hex[:12]}"
    return f"{name}@{domain}" if domain else name
