"""Which alternatives of two schemas are the same, though they may have changed."""

from __future__ import annotations

from dataclasses import replace

from deployment_gate.openapi.breaches import breaches
from deployment_gate.openapi.shapes import Shape, Way


def paired(
    old: list[Shape], new: list[Shape], way: Way
) -> tuple[list[tuple[Shape, Shape]], list[str]]:
    """Answer which alternatives are to be compared, and what is wrong with those that have no like.

    Each one that could be sent still can be; each one that may come could come before.
    """
    if len(old) == len(new) == 1:
        return [(old[0], new[0])], []
    is_received = way is Way.RECEIVED
    those, known = (new, old) if is_received else (old, new)
    pairs: list[tuple[Shape, Shape]] = []
    unpaired = []
    for turn, one in enumerate(_by_type(those)):
        others = _by_type(known)
        ranked = [(_likeness(one, other, way), turn == at) for at, other in enumerate(others)]
        best = others[ranked.index(max(ranked))]
        pair = (best, one) if is_received else (one, best)
        if _is_like(*pair, way):
            pairs.append(pair)
        else:
            unpaired.append(
                f"may {'now' if is_received else 'no longer'} be {one.name or one.told}"
            )
    return pairs, unpaired


def _by_type(shapes: list[Shape]) -> list[Shape]:
    """One shape for each type: `type: [string, integer]` and `anyOf` of both mean the same."""
    return [replace(one, types=types) for one in shapes for types in _single(one.types)]


def _single(types: frozenset[str]) -> list[frozenset[str]]:
    """Each type by itself; numbers have their integers with them."""
    numbers = types & {"number", "integer"}
    singles = [frozenset({kind}) for kind in sorted(types - numbers)]
    return [*singles, *([numbers] if numbers or not types else [])]


def _likeness(one: Shape, other: Shape, way: Way) -> tuple[bool, bool, bool, bool, int]:
    return (
        bool(one.types & other.types),
        one.own == other.own,
        one.name == other.name != "",
        not breaches(*((other, one) if way is Way.RECEIVED else (one, other)), way),
        len(one.properties.keys() & other.properties.keys()),
    )


def _is_like(old: Shape, new: Shape, way: Way) -> bool:
    """Whether they are the same alternative, though it may have changed."""
    if not old.types & new.types:
        return False
    if old.name and new.name:
        return old.name == new.name or not breaches(old, new, way)
    shared = old.properties.keys() & new.properties.keys()
    return "object" not in old.types or bool(shared) or not breaches(old, new, way)
