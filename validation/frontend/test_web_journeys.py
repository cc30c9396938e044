"""Somebody gets through the pages: signs in, finds what is there, signs out, and stays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import JourneyTaken, WebTarget


@pytest.mark.smoke
@pytest.mark.needs("web.sign_in")
def test_the_login_page_lets_in(signing_in: JourneyTaken) -> None:
    assert signing_in.went_well, signing_in.account


@pytest.mark.timeout(120)  # a slow platform is told as slow, and not cut off
@pytest.mark.needs("web.sign_in", "web.sign_out")
def test_who_signed_out_stays_out(signing_out: JourneyTaken) -> None:
    assert signing_out.went_well, signing_out.account


@pytest.mark.timeout(120)
@pytest.mark.needs("web.journeys")
def test_journey(web_journey: JourneyTaken) -> None:
    assert web_journey.went_well, web_journey.account


@pytest.mark.timeout(120)
@pytest.mark.needs("web.journeys")
def test_what_is_clicked_shows_it_soon(web_journey: JourneyTaken, web_target: WebTarget) -> None:
    limit_s = web_target.speed.interaction_to_next_paint.total_seconds()
    slow = [reaction_s for reaction_s in web_journey.reactions_s if reaction_s > limit_s]

    assert not slow, (
        f"{web_journey.name}: after {len(slow)} of {len(web_journey.reactions_s)} clicks nothing "
        f"moved for {max(slow):.2f} s; at most {limit_s:g} s (INP, https://web.dev/articles/inp)"
    )
