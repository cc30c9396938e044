"""What breaks clients when a schema changes: a table of rules for each way that values go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from deployment_gate.openapi.shapes import ANYTHING, BOUNDS, Shape, Way
from deployment_gate.openapi.tree import step_to

Breach: TypeAlias = tuple[str, str]
"""A field below, or nothing for the value itself, and what has become of it."""
_Rule: TypeAlias = Callable[[Shape, Shape], Iterator[Breach]]

_SCALARS_AS_TEXT = frozenset({"number", "integer", "boolean"})
# Who knows the first one may be sent no more than it.
_WIDER_FORMATS = frozenset({("int32", "int64"), ("float", "double")})


def breaches(old: Shape, new: Shape, way: Way) -> list[Breach]:
    """Answer what the rules say of two shapes; of another type altogether, only that."""
    found = [breach for rule in _RULES[way] for breach in rule(old, new)]
    return found if old.types & new.types else found[:1]


def _types_taken_away(old: Shape, new: Shape) -> Iterator[Breach]:
    """What was sent until now would be refused."""
    if not old.types <= new.types:
        yield "", f"was {old.told} and is now {new.told}"


def _texts_taken_away(old: Shape, new: Shape) -> Iterator[Breach]:
    """In an address all is text; so who sent a number sends a text."""
    if "string" in new.types:
        new = replace(new, types=new.types | _SCALARS_AS_TEXT)
    if not old.types <= new.types:
        yield "", f"was {old.told} and is now {new.told}"


def _null_taken_away(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who sent null would be refused."""
    is_told = old.types == ANYTHING != new.types
    if old.is_nullable and not new.is_nullable and not is_told:
        yield "", "may no longer be null"


def _values_taken_away(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who sent one of these values would be refused."""
    if new.values is None:
        return
    if old.values is None:
        yield "", f"may now only be {', '.join(new.values)}"
    elif lost := [one for one in old.values if one not in new.values]:
        yield "", f"may no longer be {', '.join(lost)}"


def _bounds_tightened(old: Shape, new: Shape) -> Iterator[Breach]:
    """What was long or large enough would be refused."""
    for keyword, bound in new.bounds.items():
        known = old.bounds.get(keyword)
        is_bounding = BOUNDS[keyword][1] in old.types
        if is_bounding and (known is None or bound > known):
            yield (
                "",
                f"now has {keyword} {_bound(keyword, bound)}, and had {_bound(keyword, known)}",
            )


def _demands_added(old: Shape, new: Shape) -> Iterator[Breach]:
    """What was sent until now might be refused."""
    for kind, demand in new.demands:
        if kind in old.types and (kind, demand) not in old.demands:
            yield "", f"must now {demand}"


def _format_demanded(old: Shape, new: Shape) -> Iterator[Breach]:
    """What is in another form would be refused."""
    if new.format not in {"", old.format} and (old.format, new.format) not in _WIDER_FORMATS:
        yield "", f"was of {_format(old)} and is now of {_format(new)}"


def _fields_demanded(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who doesn't send it would be refused."""
    for name in sorted(new.required - old.required) if "object" in old.types else ():
        yield step_to(name), "is now required"


def _fields_refused(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who sends a field that isn't named would be refused."""
    if new.rest or "object" not in new.types:
        return
    if old.rest:
        yield "", "may no longer have fields that aren't documented"
    for name in old.properties:
        if name not in new.properties:
            yield step_to(name), "may no longer be sent"


def _types_added(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who reads it would meet what it doesn't understand."""
    if not new.types <= old.types:
        yield "", f"was {old.told} and is now {new.told}"


def _null_added(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who reads it would meet a null."""
    is_told = new.types == ANYTHING != old.types
    if new.is_nullable and not old.is_nullable and not is_told:
        yield "", "may now be null"


def _values_added(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who tells cases apart by it would meet one that it doesn't know."""
    if old.values is None:
        return
    if new.values is None:
        yield "", f"was one of {', '.join(old.values)} and is now any {new.told}"
    elif gained := [one for one in new.values if one not in old.values]:
        yield "", f"may now be {', '.join(gained)}"


def _format_lost(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who reads a date in it, say, would find another text."""
    if old.format not in {"", new.format} and (new.format, old.format) not in _WIDER_FORMATS:
        yield "", f"was of {_format(old)} and is now of {_format(new)}"


def _fields_removed(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who reads it would find nothing."""
    for name in old.properties if "object" in new.types else ():
        if name not in new.properties:
            yield step_to(name), "was removed"


def _fields_not_promised(old: Shape, new: Shape) -> Iterator[Breach]:
    """Who relies on it would sometimes find nothing."""
    removed = old.properties.keys() - new.properties.keys()
    missing = old.required - new.required - removed
    for name in sorted(missing) if "object" in new.types else ():
        yield step_to(name), "is no longer always there"


def _bound(keyword: str, bound: tuple[float, bool] | None) -> str:
    if bound is None:
        return "none"
    value, is_excluded = bound
    sign = BOUNDS[keyword][0]
    excluding = "more than " if sign > 0 else "less than "
    return f"{excluding if is_excluded else ''}{sign * value}"


def _format(shape: Shape) -> str:
    return f"the format {shape.format}" if shape.format else "no format"


_OF_WHAT_IS_SENT: tuple[_Rule, ...] = (
    _null_taken_away,
    _values_taken_away,
    _bounds_tightened,
    _demands_added,
    _format_demanded,
    _fields_demanded,
    _fields_refused,
)
_RULES: Mapping[Way, tuple[_Rule, ...]] = {
    Way.SENT: (_types_taken_away, *_OF_WHAT_IS_SENT),
    Way.SENT_AS_TEXT: (_texts_taken_away, *_OF_WHAT_IS_SENT),
    Way.RECEIVED: (
        _types_added,
        _null_added,
        _values_added,
        _format_lost,
        _fields_removed,
        _fields_not_promised,
    ),
}
