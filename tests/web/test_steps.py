"""Steps are taken by what people see, and say what went wrong as people would."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from deployment_gate.environment import WebTarget
from deployment_gate.web.steps import StepError, Walk
from tests.web.conftest import Site

FORM = """<!doctype html><title>Shop</title><h1>Shop</h1>
<nav aria-label="Main"><a href="/two">Orders</a></nav>
<main><label>Name <input id=name></label>
<label>Size <select><option>Small<option>Large</select></label>
<button onclick="document.title = 'bought ' + document.getElementById('name').value
  + ' ' + document.querySelector('select').value;
  document.getElementById('said').textContent = document.title">Buy</button>
<p id=said role=status></p><a href="/two">Orders</a></main>
"""


def take(page: Page, site: Site, *steps: dict[str, Any], **values: object) -> dict[str, object]:
    """Take steps as a file has them."""
    site.answers.setdefault("/", FORM)
    site.answers.setdefault("/two", "<title>Two</title><h1>Orders</h1><p>order 17</p>")
    target = WebTarget.model_validate(
        {"base_url": site.url, "journeys": {"one": {"steps": list(steps)}}}
    )
    known = dict(values)
    steps_ = target.journeys["one"].steps
    Walk(page=page, base_url=site.url, values=known, timeout_s=0.8).take(steps_)
    return known


def test_fields_are_filled_by_their_labels_and_buttons_clicked_by_their_names(
    tab: Page, site: Site
) -> None:
    take(
        tab,
        site,
        {"open": "/"},
        {"fill": {"Name": "{{who}}"}, "select": {"Size": "Large"}},
        {"click": {"button": "Buy"}, "see": {"status": None}},
        {"see": {"text": "bought tea Large"}},
        who="tea",
    )
    assert tab.title() == "bought tea Large"


def test_an_element_is_found_inside_another(tab: Page, site: Site) -> None:
    link = {"link": "Orders", "inside": {"navigation": "Main"}}
    take(tab, site, {"open": "/"}, {"click": link, "see": {"heading": "Orders"}})


def test_what_was_captured_stands_in_later_steps(tab: Page, site: Site) -> None:
    captured = {"order": {"text": {"matches": "order [0-9]+"}}}
    known = take(tab, site, {"open": "/two", "capture": captured}, {"see": {"text": "{{order}}"}})
    assert known["order"] == "order 17"


def test_the_browsers_own_buttons_lead_back(tab: Page, site: Site) -> None:
    take(
        tab,
        site,
        {"open": "/"},
        {"open": "/two"},
        {"go": "back", "see": {"heading": "Shop"}, "see_not": {"heading": "Orders"}},
        {"go": "forward", "see": {"heading": "Orders"}},
        {"go": "reload", "see": {"heading": "Orders"}},
    )


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            {"click": {"button": "Sell"}},
            'step 2, click button "Sell": there was no button "Sell" within 0.8 s',
        ),
        ({"fill": {"Weight": "1"}}, 'step 2, fill in Weight: there was no field "Weight" within'),
        (
            {"click": {"link": "Orders"}},
            'step 2, click link "Orders": there are 2 of it; say which by `nth:` or `inside:`',
        ),
        (
            {"see": {"heading": "Sold"}},
            """heading "Sold" isn't seen within 0.8 s, at http://127.0.0.1""",
        ),
        ({"see": {"heading": "Sold"}}, 'which shows "Shop"'),
        ({"see_not": {"heading": "Shop"}}, 'heading "Shop" is still seen within 0.8 s'),
        ({"open": "/three"}, "step 2, open /three: /three was answered 404"),
        ({"see": {"heading": "{{gone}}"}}, "gone"),
    ],
)
def test_what_goes_wrong_is_told_as_people_see_it(
    step: dict[str, Any], said: str, tab: Page, site: Site
) -> None:
    with pytest.raises(StepError) as caught:
        take(tab, site, {"open": "/"}, step)
    assert said in str(caught.value)
