"""The fixtures of checks of headers and cookies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from deployment_gate.environment import Environment
from deployment_gate.errors import GateError
from deployment_gate.evidence import Observation, ObservationKind
from deployment_gate.fixtures import process_key

if TYPE_CHECKING:
    import httpx

    from deployment_gate.api.sessions import Sessions
    from deployment_gate.environment import ApiTarget
    from deployment_gate.security.answers import Answers
    from deployment_gate.security.cors import CrossOrigin
    from deployment_gate.security.rules import Looked

_ANSWERS = "answers of every kind"
_ORIGINS = "strangers' origins"

_provoked_key = pytest.StashKey["Answers"]()


@pytest.fixture
def note_answer(request: pytest.FixtureRequest) -> Callable[[str, httpx.Response], None]:
    """Takes an answer that a check provoked, so that its headers are looked at, too.

    `note_answer("api", answer)`: only 429 and what is from 500 on counts. A check in another
    process doesn't see it.
    """
    from deployment_gate.security.answers import Answers, provoked  # noqa: PLC0415

    stash = request.config.stash

    def note(base: str, response: httpx.Response) -> None:
        stash[_provoked_key] = stash.get(_provoked_key, Answers()) + provoked(base, response)

    return note


@pytest.fixture
def answers_seen(
    request: pytest.FixtureRequest,
    environment: Environment,
    http_client: Callable[[str], httpx.Client],
) -> Answers:
    """Answers of every kind that pages and API give, asked for once for all checks."""
    from deployment_gate.security.answers import Answers, ask_api, ask_web  # noqa: PLC0415

    def look() -> Answers:
        answers = Answers()
        if environment.web:
            answers += ask_web(environment.web, http_client(environment.web.base_url))
        if environment.api:
            sessions: Sessions = request.getfixturevalue("sessions")
            answers += ask_api(environment.api, sessions, is_public=environment.security.is_public)
        return answers

    process = request.config.stash[process_key]
    seen = process.look_once(_ANSWERS, look)
    return seen + request.config.stash.get(_provoked_key, Answers())


@pytest.fixture
def headers_seen(request: pytest.FixtureRequest, answers_seen: Answers) -> Looked:
    """Which answers lack headers that keep them safe in a browser; the report lists the answers."""
    from deployment_gate.security.answer_headers import look_at_headers  # noqa: PLC0415

    request.node.add_report_section("call", "answers", answers_seen.told())
    return look_at_headers(answers_seen)


@pytest.fixture
def policies_seen(answers_seen: Answers) -> Looked:
    """What the content security policies of pages leave open."""
    from deployment_gate.security.content_policy import look_at_policies  # noqa: PLC0415

    return look_at_policies(answers_seen)


@pytest.fixture
def cookies_seen(answers_seen: Answers, environment: Environment) -> Looked:
    """Which cookies are kept less close than they must be."""
    from deployment_gate.security.answers import token_cookies  # noqa: PLC0415
    from deployment_gate.security.cookies import look_at_cookies  # noqa: PLC0415

    return look_at_cookies(answers_seen, tokens=token_cookies(environment.api))


@pytest.fixture
def leaks_seen(answers_seen: Answers) -> Looked:
    """Which headers tell of products and versions."""
    from deployment_gate.security.leaks import look_at_leaks  # noqa: PLC0415

    return look_at_leaks(answers_seen)


@pytest.fixture
def page_sources_seen(answers_seen: Answers, environment: Environment) -> Looked:
    """What pages load unguarded, and which private addresses are told."""
    from deployment_gate.security.page_source import look_at_pages  # noqa: PLC0415

    return look_at_pages(answers_seen, environment.own_hosts())


@pytest.fixture
def grade_seen(
    request: pytest.FixtureRequest,
    answers_seen: Answers,
    environment: Environment,
    http_client: Callable[[str], httpx.Client],
) -> Looked:
    """How the Mozilla HTTP Observatory would grade the web interface; the report has all of it."""
    from deployment_gate.security.answers import token_cookies  # noqa: PLC0415
    from deployment_gate.security.observatory import grade_page, look_at_grade  # noqa: PLC0415
    from deployment_gate.security.rules import Looked  # noqa: PLC0415

    page = answers_seen.front
    if page is None:
        return Looked((), answers_seen.unseen_pages)
    plain = environment.security.plain_http.get("web")
    asked: tuple[CrossOrigin, ...] = request.getfixturevalue("web_origins_asked")
    grade = grade_page(
        page,
        cross_origin=asked,
        plain=http_client(plain).get(page.response.url.path) if plain else None,
        own_hosts=environment.own_hosts(),
        tokens=token_cookies(environment.api),
    )
    request.node.add_report_section("call", "grade", grade.told())
    conduct = request.config.stash[process_key].conduct
    conduct.observe(
        Observation(
            at=datetime.now(UTC),
            kind=ObservationKind.GRADE,
            subject=page.place,
            duration_s=0.0,
            facts={"grade": grade.letter, "points": grade.score},
            check=conduct.check,
        )
    )
    return look_at_grade(grade)


@pytest.fixture
def web_origins_asked(
    request: pytest.FixtureRequest,
    answers_seen: Answers,
    http_client: Callable[[str], httpx.Client],
    environment: Environment,
) -> tuple[CrossOrigin, ...]:
    """What the web interface answers to a page of a stranger's origin."""
    from deployment_gate.security.cors import FOREIGN, Question, ask_as  # noqa: PLC0415

    page, web = answers_seen.front, environment.web
    if page is None or web is None:
        return ()

    def look() -> tuple[CrossOrigin, ...]:
        client = http_client(web.base_url)
        path = page.response.url.path.removeprefix(client.base_url.path.rstrip("/")) or "/"
        origins = {FOREIGN: "a stranger's origin"}
        return ask_as(origins, Question("web", path), reader=client, stranger=client)

    return request.config.stash[process_key].look_once((_ORIGINS, "web"), look)


@pytest.fixture
def origins_seen(
    request: pytest.FixtureRequest,
    environment: Environment,
    api_target: ApiTarget,
    sessions: Sessions,
    web_origins_asked: tuple[CrossOrigin, ...],
) -> Looked:
    """Which strangers' origins may read answers; the report says whether the pages' own may."""
    from deployment_gate.security.answers import data_of  # noqa: PLC0415
    from deployment_gate.security.cors import (  # noqa: PLC0415
        Question,
        ask_as,
        look_at_origins,
        origin_of,
        strangers,
    )
    from deployment_gate.security.rules import Looked  # noqa: PLC0415

    own = origin_of(environment.web.base_url) if environment.web else None
    here = origin_of(api_target.base_url)
    path, identity = data_of(api_target)

    def look() -> tuple[tuple[CrossOrigin, ...], tuple[CrossOrigin, ...]]:
        reader = sessions.client(identity)
        is_private = identity is not None and not environment.security.is_public(path)
        allowed = (*environment.security.allowed_origins, here)
        ask = partial(
            ask_as,
            question=Question("api", path, is_private),
            reader=reader,
            stranger=sessions.stranger,
        )
        others = strangers(own, allowed)
        ours = {own: "the pages' own origin"} if own and own != here else {}
        return ask(others), ask(ours)

    process = request.config.stash[process_key]
    try:
        asked, ours = process.look_once(_ORIGINS, look)
    except GateError as error:
        return look_at_origins(web_origins_asked) + Looked(unseen=(str(error),))
    lines = [f"{one.called} ({one.answer.place}): {one.allowed or 'none'}" for one in asked + ours]
    if ours and not any(one.may_be_read for one in ours):
        lines.append(
            f"the pages' own origin {own} isn't allowed: they can't ask this API from a browser"
        )
    request.node.add_report_section("call", "allowed origins", "\n".join(lines))
    return look_at_origins(asked + web_origins_asked)
