"""What was found, and what to do next, for whoever asked at the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deployment_gate.discovery.platform import ApiFound, Platform, WebFound
from deployment_gate.discovery.writing import variables_of
from deployment_gate.discovery.yaml_text import printable

_DEFAULT_FOLDER = Path("environments")


def account_of(platform: Platform, name: str, path: Path, *, variables: Mapping[str, str]) -> str:
    """Answer what was found, where that is written, and which commands come next.

    Args:
        platform: What was found.
        name: What the environment is called.
        path: Its file.
        variables: The process environment.
    """
    lines = [
        f"{platform.address} was looked at by {platform.requests} requests. Found:",
        *(f"  {line}" for line in _found(platform)),
        *(f"Note: {remark}" for remark in platform.remarks),
        f"Written: {path}. Read it through, then:",
        *(f"  {line}" for line in _next(platform, name, path, variables)),
    ]
    # A target's own words must not control the terminal.
    return "\n".join(map(printable, lines))


def _found(platform: Platform) -> Iterator[str]:
    for health in platform.health:
        yield f"health     {health.url} {health.said}"
    for release in platform.releases:
        replicas = f" ({release.replicas} replicas)" if release.replicas > 1 else ""
        yield f"release    {release.url} says {release.release}{replicas}"
    if not platform.releases:
        yield "release    none that names itself"
    yield from _of_api(platform.api) if platform.api else ("api        no description of one",)
    yield from _of_web(platform.web) if platform.web else ("web        no pages",)


def _of_api(api: ApiFound) -> Iterator[str]:
    yield f"api        {api.base_url}, {api.operations} operations described"
    if api.login:
        yield f"sign-in    {api.login.request or 'credentials with each request'}"
    for one in api.lists:
        yield f"list       {one.path}" + ("" if one.is_public else ", which asks who one is")
    if api.search:
        yield f"search     {api.search.path}"


def _of_web(web: WebFound) -> Iterator[str]:
    pages = ", ".join(page.path for page in web.pages)
    yield f"web        {web.base_url}: {pages}"
    if web.form:
        yield f"sign-in    the form at {web.form.path}"
    if not web.is_seen:
        yield "           it is a comment in the file, since no browser has looked at it"


def _next(platform: Platform, name: str, path: Path, variables: Mapping[str, str]) -> Iterator[str]:
    folder = "" if path.parent == _DEFAULT_FOLDER else f" --env-dir={path.parent}"
    yield f"deployment-gate explain {name}{folder}"
    yield f"pytest --env={name}{folder} -m smoke"
    login = platform.api.login if platform.api else None
    unset = [one for one in variables_of(name, login) if not variables.get(one)]
    if unset:
        yield (
            f"and to see what needs a sign-in: set {' and '.join(unset)}, then "
            f"sed -i 's/^#: //' {path}"
        )
