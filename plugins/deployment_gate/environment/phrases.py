"""The grammar of the runbook's phrases, and what each is read as."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Generic, TypeVar

from deployment_gate.environment.durations import DURATION, parse_duration
from deployment_gate.environment.terms import (
    Action,
    Category,
    Comparison,
    Condition,
    Consecutive,
    Indicator,
    IndicatorKind,
    Sustained,
    TargetPhrase,
    Unit,
    Watch,
)
from deployment_gate.environment.variables import as_written

# Case and the amount of space don't matter; nothing else is guessed.
#
# condition  ::= health | checks | errors | latency
# health     ::= ("health check fails" | "health checks fail")
#                "for" COUNT ("consecutive attempts" | "consecutive attempt")
# checks     ::= [CATEGORY] ("check fails" | "checks fail")      without one: marked ones only
#                "for" COUNT ("consecutive attempts" | "consecutive attempt")
# errors     ::= ["page"] "error rate >" PERCENT "for" DURATION
# latency    ::= [statistic] ("response time" | "page load time") ">" DURATION "for" DURATION
# statistic  ::= "p" NUMBER | "median"                          without one: p95
#
# target     ::= quantile | rate | users | average | level
# quantile   ::= compare DURATION "for" PERCENT "of" ("requests" | "page loads")
# rate       ::= compare NUMBER ("requests/second" | "requests per second")
# users      ::= compare NUMBER "concurrent users"
# average    ::= compare PERCENT ("average" | "average usage")
# level      ::= [compare] PERCENT "target"                     without one: at least
# compare    ::= "<" | ">"
#
# watch      ::= any phrase without a figure
# response   ::= "within" DURATION | "immediate (within" DURATION ")"
# action     ::= "automatic rollback to previous version" | "rollback" | "hold" | "notify" | ...
# PERCENT    ::= NUMBER "%"                                     DURATION: see durations.py
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_HUNDRED = Decimal(100)
_USUAL_STATISTIC = Decimal(95)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Form(Generic[T]):
    """One form of a phrase: examples of it, its pattern, and what a match means."""

    examples: tuple[str, ...]
    pattern: re.Pattern[str]
    meaning: Callable[[re.Match[str], str], T]


def parse_condition(text: str) -> Condition:
    """Read a rollback trigger's condition.

    Raises:
        ValueError: The phrase isn't understood; the message lists the forms that are.
    """
    return _parse(text, _CONDITIONS)


def parse_target(text: str) -> TargetPhrase:
    """Read a performance target.

    Raises:
        ValueError: The phrase isn't understood; the message lists the forms that are.
    """
    return _parse(text, _TARGETS)


def parse_metric(text: str) -> TargetPhrase | Watch:
    """Read a monitoring metric: a target, or a phrase without a figure.

    Raises:
        ValueError: The phrase has a figure and isn't understood.
    """
    if text.strip() and not any(character.isdigit() for character in text):
        return Watch(text)
    return parse_target(text)


def parse_response_time(text: str) -> timedelta:
    """Read within which time an alert is answered.

    Raises:
        ValueError: The phrase isn't understood.
    """
    return _parse(text, _RESPONSE_TIMES)


def parse_action(text: str) -> Action:
    """Read what a trigger asks for.

    Raises:
        ValueError: The phrase isn't understood.
    """
    action = _ACTIONS.get(_tidy(text).lower())
    if action is None:
        raise ValueError(_not_understood(text, ACTION_EXAMPLES))
    return action


def _parse(text: str, forms: tuple[_Form[T], ...]) -> T:
    for form in forms:
        if found := form.pattern.fullmatch(_tidy(text)):
            return form.meaning(found, text)
    raise ValueError(_not_understood(text, _examples(forms)))


def _examples(forms: tuple[_Form[T], ...]) -> tuple[str, ...]:
    return tuple(example for form in forms for example in form.examples)


def _not_understood(text: str, examples: tuple[str, ...]) -> str:
    forms = "; ".join(f'"{example}"' for example in examples)
    by_lower = {example.lower(): example for example in examples}
    near = get_close_matches(_tidy(text).lower(), by_lower, n=1, cutoff=0.4)
    advice = f' Write it as in "{by_lower[near[0]]}"' if near else " Write one of these"
    return f"{as_written(text)} isn't understood. Understood forms: {forms}.{advice}"


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _fraction(number: str) -> float:
    share = Decimal(number) / _HUNDRED
    if share > 1:
        raise ValueError(f"{number}% is more than everything. Write a percentage up to 100%")
    return float(share)


def _limit(number: str) -> float:
    """Read the fraction that a trigger allows: at 100 % it could never be exceeded."""
    if Decimal(number) >= _HUNDRED:
        raise ValueError(f"more than {number}% can't happen. Write a percentage below 100%")
    return _fraction(number)


def _consecutive_checks(found: re.Match[str], text: str) -> Condition:
    count = int(found["count"])
    if count < 1:
        raise ValueError(f"{as_written(text)} would always hold. Write at least 1 attempt")
    category = found["category"] and found["category"].lower()
    if category == Category.HEALTH:
        return Consecutive(Indicator(IndicatorKind.HEALTH), count, text)
    return Consecutive(Indicator(IndicatorKind.CHECK, category=category), count, text)


def _sustained_errors(found: re.Match[str], text: str) -> Condition:
    period_s = parse_duration(found["period"]).total_seconds()
    indicator = Indicator(IndicatorKind.ERROR, is_of_pages=bool(found["page"]))
    return Sustained(indicator, _limit(found["limit"]), period_s, text)


def _sustained_latency(found: re.Match[str], text: str) -> Condition:
    quantile = Decimal(found["quantile"]) if found["quantile"] else _USUAL_STATISTIC
    if found["median"]:
        quantile = Decimal(50)
    if not 0 < quantile < _HUNDRED:
        raise ValueError(f"p{quantile} doesn't exist. Write a percentile between 0 and 100: p95")
    return Sustained(
        Indicator(
            IndicatorKind.SLOW,
            parse_duration(found["threshold"]).total_seconds(),
            is_of_pages=bool(found["page"]),
        ),
        float((_HUNDRED - quantile) / _HUNDRED),
        parse_duration(found["period"]).total_seconds(),
        text,
    )


def _quantile_target(found: re.Match[str], text: str) -> TargetPhrase:
    limit = parse_duration(found["limit"]).total_seconds()
    share, of = _fraction(found["share"]), found["of"].lower()
    return TargetPhrase(text, Comparison(found["side"]), limit, Unit.SECONDS, share, of)


def _counted_target(unit: Unit) -> Callable[[re.Match[str], str], TargetPhrase]:
    def meaning(found: re.Match[str], text: str) -> TargetPhrase:
        return TargetPhrase(text, Comparison(found["side"]), float(found["limit"]), unit)

    return meaning


def _average_target(found: re.Match[str], text: str) -> TargetPhrase:
    limit, side = _fraction(found["limit"]), Comparison(found["side"])
    return TargetPhrase(text, side, limit, Unit.FRACTION, of="average usage")


def _level_target(found: re.Match[str], text: str) -> TargetPhrase:
    side = Comparison(found["side"]) if found["side"] else Comparison.AT_LEAST
    return TargetPhrase(text, side, _fraction(found["limit"]), Unit.FRACTION)


_PERCENT = rf"{_NUMBER}(?= ?%)"
_CONDITIONS: tuple[_Form[Condition], ...] = (
    _Form(
        (
            "Health check fails for 3 consecutive attempts",
            "Security check fails for 2 consecutive attempts",
        ),
        _pattern(
            rf"(?:(?P<category>{'|'.join(Category)}) )?check(?: fails|s fail) "
            r"for (?P<count>[0-9]{1,9}) consecutive attempts?"
        ),
        _consecutive_checks,
    ),
    _Form(
        ("Error rate > 5% for 2 minutes", "Page error rate > 5% for 2 minutes"),
        _pattern(
            rf"(?P<page>page )?error rate ?> ?(?P<limit>{_PERCENT}) ?% for (?P<period>{DURATION})"
        ),
        _sustained_errors,
    ),
    _Form(
        (
            "Response time > 500ms for 3 minutes",
            "p99 response time > 1s for 5 minutes",
            "Page load time > 2s for 3 minutes",
        ),
        _pattern(
            rf"(?:(?:p(?P<quantile>{_NUMBER})|(?P<median>median)) )?"
            r"(?:response|(?P<page>page load)) time ?> ?"
            rf"(?P<threshold>{DURATION}) for (?P<period>{DURATION})"
        ),
        _sustained_latency,
    ),
)
_SIDE = "(?P<side>[<>])"
_TARGETS: tuple[_Form[TargetPhrase], ...] = (
    _Form(
        ("< 200ms for 95% of requests",),
        _pattern(
            rf"{_SIDE} ?(?P<limit>{DURATION}) for (?P<share>{_PERCENT}) ?% "
            r"of (?P<of>requests|page loads)"
        ),
        _quantile_target,
    ),
    _Form(
        ("> 1000 requests/second",),
        _pattern(rf"{_SIDE} ?(?P<limit>{_NUMBER}) requests(?: ?/ ?| per )second"),
        _counted_target(Unit.REQUESTS_PER_SECOND),
    ),
    _Form(
        ("> 100 concurrent users",),
        _pattern(rf"{_SIDE} ?(?P<limit>{_NUMBER}) concurrent users"),
        _counted_target(Unit.USERS),
    ),
    _Form(
        ("< 80% average usage",),
        _pattern(rf"{_SIDE} ?(?P<limit>{_PERCENT}) ?% average(?: usage)?"),
        _average_target,
    ),
    _Form(
        ("99.9% target",),
        _pattern(rf"(?:{_SIDE} ?)?(?P<limit>{_PERCENT}) ?% target"),
        _level_target,
    ),
)
_RESPONSE_TIMES: tuple[_Form[timedelta], ...] = (
    _Form(
        ("Within 30 minutes",),
        _pattern(rf"within (?P<limit>{DURATION})"),
        lambda found, _: parse_duration(found["limit"]),
    ),
    _Form(
        ("Immediate (within 5 minutes)",),
        _pattern(rf"immediate ?\( ?within (?P<limit>{DURATION}) ?\)"),
        lambda found, _: parse_duration(found["limit"]),
    ),
)
_ACTIONS = {
    "automatic rollback to previous version": Action.ROLLBACK,
    "automatic rollback": Action.ROLLBACK,
    "rollback": Action.ROLLBACK,
    "hold": Action.HOLD,
    "notify": Action.NOTIFY,
}

CONDITION_EXAMPLES = _examples(_CONDITIONS)
TARGET_EXAMPLES = _examples(_TARGETS)
RESPONSE_TIME_EXAMPLES = _examples(_RESPONSE_TIMES)
ACTION_EXAMPLES = ("Automatic rollback to previous version", *(action.value for action in Action))
