"""What a value must be, as an environment file writes it."""

from __future__ import annotations

import pytest

from deployment_gate.environment import Matcher, Word, read_matcher


@pytest.mark.parametrize("value", ["active", 1, None, True, [1, 2], {}, {"status": "active"}])
def test_what_is_no_word_must_be_equaled(value: object) -> None:
    assert read_matcher(value) == Matcher(((Word.EQUALS, value),))


def test_words_are_read_and_all_of_them_hold() -> None:
    matcher = read_matcher({"at_least": 1, "type": "integer"})
    assert matcher.demands == ((Word.AT_LEAST, 1), (Word.TYPE, "integer"))


def test_each_holds_a_matcher_of_its_own() -> None:
    matcher = read_matcher({"each": {"matches": "^a"}})
    assert matcher.demands == ((Word.EACH, Matcher(((Word.MATCHES, "^a"),))),)


@pytest.mark.parametrize("value", ["a", {"at_least": 1}, {"each": {"type": "string"}}, [1], None])
def test_a_matcher_is_read_again_from_what_it_is_written_as(value: object) -> None:
    matcher = read_matcher(value)
    assert read_matcher(matcher.written()) == matcher


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"at_least": 1, "at_moist": 2}, "Did you mean at_most"),
        ({"matches": "("}, "is no regular expression"),
        ({"matches": 1}, "takes a regular expression in quotes"),
        ({"count": -1}, "takes a whole number, 0 or more"),
        ({"count": True}, "takes a whole number, 0 or more"),
        ({"exists": "yes"}, "takes true or false"),
        ({"type": "text"}, "takes one of null, boolean"),
        ({"each": {"type": "text"}}, "takes one of null, boolean"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_matcher(value)


def test_a_pattern_with_a_place_is_read_once_the_value_is_known() -> None:
    assert read_matcher({"matches": "^{{id}}("}).demands == ((Word.MATCHES, "^{{id}}("),)
