"""Facts that several answers tell, and must tell alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment_gate.api.answers import read_source, same, shown
from deployment_gate.environment import fill, names_in

if TYPE_CHECKING:
    import httpx

    from deployment_gate.environment import Fact


def disagreement(
    fact: Fact, ask: Callable[[str], httpx.Response], values: Mapping[str, object]
) -> str | None:
    """Who tells what, where they don't tell the same; None when they do.

    Args:
        fact: Who tells it, and what it must be.
        ask: Asks at an address; each is asked once.
        values: What stands for {{environment}} and the like.
    """
    answers = {address: ask(address) for address in dict.fromkeys(t.address for t in fact.told_by)}
    told: list[tuple[object, list[str]]] = []
    for teller in fact.told_by:
        answer = answers[teller.address]
        value = read_source(teller.source, answer) if answer.is_success else None
        if value is None:
            return f"{teller} tells nothing (answered {answer.status_code})"
        alike = next((tellers for known, tellers in told if same(known, value)), None)
        if alike is None:
            told.append((value, [str(teller)]))
        else:
            alike.append(str(teller))
    says = "; ".join(f"{', '.join(tellers)} say {shown(value)}" for value, tellers in told)
    if len(told) > 1:
        return says
    if fact.equals is None or not set(names_in(fact.equals)) <= values.keys():
        return None
    wanted = fill(fact.equals, values)
    return None if same(told[0][0], wanted) else f"{says}; expected {shown(wanted)}"


@dataclass(frozen=True, slots=True)
class SharedFact:
    """A fact of the environment file, and how to ask for it.

    Attributes:
        name: Its name in the file.
    """

    name: str
    _fact: Fact
    _ask: Callable[[str], httpx.Response]
    _values: Mapping[str, object]
    _pause: Callable[[], None]

    def disagreement(self) -> str | None:
        """Who tells what, where they don't tell the same; None when they do.

        A fact may change between two answers, so that a disagreement is looked at twice.
        """
        if disagreement(self._fact, self._ask, self._values) is None:
            return None
        self._pause()
        return disagreement(self._fact, self._ask, self._values)
