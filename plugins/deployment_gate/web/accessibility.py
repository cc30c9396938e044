"""What axe-core finds wrong with a page for people who use it otherwise than most."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import Impact
from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from playwright.sync_api import Page

WCAG_A_AND_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""axe-core's names for WCAG 2.0, 2.1 and 2.2, levels A and AA (2.2 adds no rules to level A)."""

_MEASURED_BY_LAYOUT = "target-size"
"""layout.py measures WCAG 2.2, 2.5.8, at each width; it shall not be said twice."""

_MOST_PLACES = 3
_LONGEST_HTML = 120
_LONGEST_SENTENCE = 240


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a page breaks, however often.

    Attributes:
        rule: axe-core's id of it, as in "image-alt".
        impact: The worst of its places.
        help: What is right.
        mend: What would mend the first place, in one line.
        help_url: Where the rule is explained.
        where: HTML of the first places, shortened; at most three.
        count: Of all places.
    """

    rule: str
    impact: Impact
    help: str
    mend: str
    help_url: str
    where: tuple[str, ...]
    count: int


class AxeError(GateError):
    """axe-core could not look at a page."""


def violations(page: Page, *, tags: Iterable[str] = WCAG_A_AND_AA) -> tuple[Violation, ...]:
    """What axe-core finds in a page as it is now, the worst first; embedded pages are left out.

    It runs in a world of its own beside the page's scripts: no policy of the page keeps it out,
    and nothing of it is left there.

    Args:
        page: A loaded page, in Chromium.
        tags: axe-core's names of the rules to hold it against.

    Raises:
        AxeError: axe-core itself failed.
        playwright.sync_api.Error: The page went away meanwhile.
    """
    options = {
        "runOnly": {"type": "tag", "values": list(tags)},
        "rules": {_MEASURED_BY_LAYOUT: {"enabled": False}},
        "resultTypes": ["violations"],
        # It would wait half a second for each embedded page, where it isn't.
        "iframes": False,
        # It would fetch style sheets and media of other hosts.
        "preload": False,
    }
    session = page.context.new_cdp_session(page)
    try:
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send(
            "Page.createIsolatedWorld", {"frameId": frame, "worldName": "deployment-gate"}
        )["executionContextId"]
        answer = session.send(
            "Runtime.evaluate",
            {
                "expression": f"{_axe()}\n;axe.run(document, {json.dumps(options)})",
                "contextId": world,
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
    finally:
        session.detach()
    failure = answer.get("exceptionDetails")
    if failure:
        said = failure.get("exception", {}).get("description") or failure["text"]
        raise AxeError(f"axe-core could not look at {page.url}: {_line(said)}")
    read = map(_violation, answer["result"]["value"]["violations"])
    ranks = list(Impact)
    return tuple(sorted(read, key=lambda one: ranks.index(one.impact), reverse=True))


def sentence(violation: Violation) -> str:
    """What is wrong, where, and how to mend it, in one line."""
    others = violation.count - 1
    more = f" and {others} more" if others else ""
    place = f" at {violation.where[0]}{more}" if violation.where else ""
    return f"{violation.help} ({violation.impact}, {violation.rule}){place}: {violation.mend}"


def _violation(found: dict[str, Any]) -> Violation:
    nodes = found["nodes"]
    return Violation(
        rule=found["id"],
        impact=Impact(found["impact"] or Impact.MINOR),
        help=_line(found["help"]),
        mend=_essence(nodes[0].get("failureSummary") or "") if nodes else "",
        help_url=found["helpUrl"].partition("?")[0],
        where=tuple(_line(node["html"], most=_LONGEST_HTML) for node in nodes[:_MOST_PLACES]),
        count=len(nodes),
    )


def _essence(summary: str) -> str:
    """The first thing that would help.

    axe-core lists, below a line "Fix any of the following:" (or "all"), one way a line.
    """
    ways = [line for line in summary.splitlines() if line.startswith("  ")]
    return _line(ways[0] if ways else summary)


def _line(text: str, *, most: int = _LONGEST_SENTENCE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


@cache
def _axe() -> str:
    # It belongs to an extra, and has no types.
    from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Axe,
    )

    script: str = Axe().axe_script
    return script
