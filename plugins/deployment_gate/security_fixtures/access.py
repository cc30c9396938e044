"""The fixtures of checks of who may see and do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.fixtures import process_key
from deployment_gate.security_fixtures.judging import leave_unobserved

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.contract import Contract
    from deployment_gate.api.sessions import Sessions, Token
    from deployment_gate.checks import CheckProcess
    from deployment_gate.security.rules import Looked
    from deployment_gate.security.sign_ins import Provoked
    from deployment_gate.security.survey import Survey
    from deployment_gate.security.wrong_sign_ins import WrongSignIns


class AccessLooks:
    """Looks at who may see and do what; what can't be seen leaves the running check unobserved."""

    def __init__(
        self,
        process: CheckProcess,
        sessions: Sessions,
        *,
        contract: Callable[[], Contract],
        wrong_sign_ins: WrongSignIns,
    ) -> None:
        self._process = process
        self._sessions = sessions
        self._security = process.environment.security
        self._contract = contract
        self._wrong = wrong_sign_ins

    def altered_tokens(self) -> Looked:
        """Tokens that nobody was given, made of one that somebody was."""
        from deployment_gate.security import tokens  # noqa: PLC0415  # few checks need it

        return self._see(
            lambda: tokens.look_at_altered_tokens(self._sessions, self._process.redactor.add)
        )

    def expired_token(self, token: Token | None) -> Looked:
        """A token whose time is up, or soon is."""
        from deployment_gate.security import tokens  # noqa: PLC0415
        from deployment_gate.security.rules import Unseen  # noqa: PLC0415

        def look() -> Looked:
            if token is None:
                raise Unseen("no token that soon expires was asked for")
            return tokens.look_at_expired_token(self._sessions, token)

        return self._see(look)

    def signed_out_token(self) -> Looked:
        """A token that was given up."""
        from deployment_gate.security import tokens  # noqa: PLC0415

        return self._see(lambda: tokens.look_at_signed_out_token(self._sessions))

    def renewed_tokens(self) -> Looked:
        """The tokens of two sign-ins."""
        from deployment_gate.security import tokens  # noqa: PLC0415

        return self._see(lambda: tokens.look_at_renewal(self._sessions))

    def operations_without_token(self) -> Looked:
        """What is documented as private and reads, without a token."""
        from deployment_gate.security import operations  # noqa: PLC0415

        return self._see(
            lambda: operations.look_without_token(self._survey(), self._sessions, self._security)
        )

    def operations_with_garbage_token(self) -> Looked:
        """What is documented as private and reads, with a token that nobody was given."""
        from deployment_gate.security import operations  # noqa: PLC0415

        return self._see(
            lambda: operations.look_with_garbage_token(
                self._survey(), self._sessions, self._security
            )
        )

    def writing_operations(self) -> Looked:
        """What is documented as private, or administrative, and writes."""
        from deployment_gate.security import operations  # noqa: PLC0415

        return self._see(
            lambda: operations.look_at_writing(self._survey(), self._sessions, self._security)
        )

    def administrative_operations(self) -> Looked:
        """What is administrative and reads, as the identity that may do the least."""
        from deployment_gate.security import operations  # noqa: PLC0415

        def look() -> Looked:
            has_document = self._sessions.api.openapi is not None
            seen = self._survey() if has_document else None
            return operations.look_at_administrative(self._sessions, self._security, seen=seen)

        return self._see(look)

    def personal_data(self) -> Looked:
        """What anybody is answered."""
        from deployment_gate.security import personal_data  # noqa: PLC0415

        return self._see(
            lambda: personal_data.look_at_personal_data(
                self._survey(), self._sessions, self._security
            )
        )

    def objects_of_others(self) -> Looked:
        """Things of one identity, as others."""
        from deployment_gate.security import objects  # noqa: PLC0415

        return self._see(
            lambda: objects.look_at_objects(self._sessions, self._security.private_objects)
        )

    def cached_identity(self) -> Looked:
        """Who one is, as others."""
        from deployment_gate.security import access, caching  # noqa: PLC0415

        return self._see(
            lambda: caching.look_at_caches(
                self._sessions, [access.private_path_of(self._sessions.api)]
            )
        )

    def cached_lists(self) -> Looked:
        """Lists that aren't for everybody, as others; what else is private where there are none."""
        from deployment_gate.security import access, caching  # noqa: PLC0415

        def look() -> Looked:
            api = self._sessions.api
            paths = caching.private_lists(api) or (access.private_path_of(api),)
            return caching.look_at_caches(self._sessions, paths)

        return self._see(look)

    def refused_sign_ins(self) -> Looked:
        """What refusals tell of usernames."""
        from deployment_gate.security import sign_ins  # noqa: PLC0415

        return self._see(lambda: sign_ins.look_at_refusals(self._wrong, self._provoked()))

    def echoed_passwords(self) -> Looked:
        """Whether refusals repeat what was sent."""
        from deployment_gate.security import sign_ins  # noqa: PLC0415

        return self._see(lambda: sign_ins.look_at_echoes(self._wrong, self._provoked()))

    def default_accounts(self) -> Looked:
        """Accounts that everybody knows of."""
        from deployment_gate.security import sign_ins  # noqa: PLC0415

        return self._see(lambda: sign_ins.look_at_default_accounts(self._wrong))

    def times_of_refusals(self) -> Looked:
        """How long refusals take."""
        from deployment_gate.security import sign_in_times  # noqa: PLC0415

        return self._see(lambda: sign_in_times.look_at_times(self._wrong))

    def sign_in_limit(self) -> Looked:
        """How many passwords may be tried one after another, and how the end of that is told."""
        from deployment_gate.security import answer_headers, answers, sign_ins  # noqa: PLC0415

        def look() -> Looked:
            looked = sign_ins.look_at_limit(self._wrong, self._security.burst)
            # Nobody else provokes a 429, whose headers count as those of other answers do.
            last = self._process.conduct.exchanges[-1].response
            met = answers.provoked("api", last) if last else answers.Answers()
            return looked + answer_headers.look_at_headers(met)

        return self._see(look)

    def own_profile(self) -> Looked:
        """What people may change of themselves, with a role beside it."""
        from deployment_gate.security import access, profiles  # noqa: PLC0415
        from deployment_gate.security.rules import Unseen  # noqa: PLC0415

        def look() -> Looked:
            if self._security.profile is None:
                raise Unseen("it isn't known how one changes a profile. Write `security.profile`")
            name = access.low_privileged(self._sessions.api, self._security)
            return profiles.look_at_profile(self._sessions, self._security.profile, name)

        return self._see(look)

    def _survey(self) -> Survey:
        from deployment_gate.security import survey  # noqa: PLC0415
        from deployment_gate.security.rules import Unseen  # noqa: PLC0415

        try:
            document = self._contract().document
        except AssertionError as error:
            raise Unseen(f"the API's description can't be read: {error}") from error
        return self._process.look_once(
            ("security", "operations"),
            lambda: survey.survey(document, self._sessions, self._security.administrative),
        )

    def _provoked(self) -> Provoked:
        from deployment_gate.security import sign_ins  # noqa: PLC0415

        return self._process.look_once(
            ("security", "sign-ins"), lambda: sign_ins.provoke(self._wrong, self._sessions)
        )

    def _see(self, look: Callable[[], Looked]) -> Looked:
        """What a look shows; a check whose controls fail, say, proves nothing."""
        try:
            return look()
        except GateError as error:
            leave_unobserved(self._process, str(error))


@pytest.fixture
def access(
    request: pytest.FixtureRequest, sessions: Sessions, wrong_sign_ins: WrongSignIns
) -> AccessLooks:
    """Looks at who may see and do what."""

    def contract() -> Contract:
        # Few looks need it, and reading descriptions takes a while to load.
        found: Contract = request.getfixturevalue("contract")
        return found

    process = request.config.stash[process_key]
    return AccessLooks(process, sessions, contract=contract, wrong_sign_ins=wrong_sign_ins)


@pytest.fixture(scope="session")
def wrong_sign_ins(
    environment: Environment,
    http_client: Callable[[str], httpx.Client],
    keep_secret: Callable[[str], str],
) -> WrongSignIns:
    """Offers wrong passwords, a few for each known username in the whole run."""
    from deployment_gate.security.wrong_sign_ins import WrongSignIns  # noqa: PLC0415  # loads httpx

    assert environment.api is not None
    return WrongSignIns(environment.api, make_client=http_client, keep_secret=keep_secret)
