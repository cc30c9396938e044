"""What entries mention by name: identities, values for places; and what those may be called."""

from collections.abc import Iterable, Iterator, Mapping

from deployment_gate.environment.errors import did_you_mean
from deployment_gate.environment.templates import is_name, names_in, odd_places_in
from deployment_gate.environment.yaml_source import Key

RUN_VALUES = ("run", "environment", "release")
"""What every template may use: an id of the run, and what is validated."""

Complaint = tuple[Key, str]


def unknown_identity(
    path: Key, name: str | None, identities: Mapping[str, object]
) -> Iterator[Complaint]:
    """Yield what is wrong with a mention of an identity."""
    if name is not None and name not in identities:
        near = did_you_mean(name, identities)
        yield path, f'"{name}" is no identity.{near} There are: {", ".join(identities) or "none"}'


def unknown_places(path: Key, template: object, known: Iterable[str]) -> Iterator[Complaint]:
    """Yield what is wrong with the places of a template, of which only some have values."""
    names = list(known)
    for place in odd_places_in(template):
        yield path, f"{place} is no place for a value. Write {{{{name}}}}: letters, digits and _"
    for name in dict.fromkeys(names_in(template)):
        if name not in names:
            near = did_you_mean(name, names)
            yield (
                path,
                f"nothing is called {{{{{name}}}}} here.{near} "
                + f"There are: {', '.join(names) or 'none'}",
            )


def needless_place(path: Key, text: str) -> Iterator[Complaint]:
    """Yield what is wrong with a text that nothing is filled into."""
    if "{{" in text:
        yield path, "has a place, and nothing to fill it with. Write it as it is"


def unfit_captures(
    path: Key, names: Iterable[str], taken: Iterable[str] = RUN_VALUES
) -> Iterator[Complaint]:
    """Yield which names of captured values can't be used, or hide one that is taken."""
    hidden = set(taken)
    for name in names:
        if not is_name(name):
            yield (*path, name), "is no name for {{...}}. Write letters, digits and _"
        elif name in hidden:
            yield (*path, name), f"would hide the run's own {{{{{name}}}}}. Write another name"
