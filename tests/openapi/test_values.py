"""With which values a sweep calls: those that are written down, and those that the API has."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.responses import JSONResponse

from tests.openapi.library import Library, Sweep, documented, getting, told


def test_the_environments_value_comes_first(library: Library, run_sweep: Sweep) -> None:
    run_sweep(parameters={"q": "a b&c", "book_id": 42, "order": ["age"]})

    assert {"/books/42", "/books/42/notes/c", "/search?q=a%20b%26c"} <= set(library.asked)
    assert "/books?order=age&least=1&short=false" in library.asked


def test_a_value_from_an_example_may_be_missing_where_that_is_documented(
    library: Library, run_sweep: Sweep
) -> None:
    name = {"name": "id", "in": "path", "required": True, "example": 7}
    known = documented({"/books/{id}": getting(name, statuses=(200, 404))})
    unknown = documented({"/books/{id}": getting(name)})

    assert told(run_sweep(known)) == []
    assert told(run_sweep(unknown)) == [
        "GET /books/{id}: was answered 404, which isn't documented; documented: 200"
    ]
    assert library.asked == ["/books/7", "/books/7"]


def test_after_an_example_that_is_missing_the_apis_own_values_are_tried(
    library: Library, run_sweep: Sweep
) -> None:
    name = {"name": "id", "in": "path", "required": True, "example": 7}
    query = [
        {"name": key, "in": "query", "required": True, "example": value}
        for key, value in (("order", "age"), ("least", 1), ("short", False))
    ]

    result = run_sweep(documented({"/books/{id}": getting(name), "/books": getting(*query)}))

    assert told(result) == []
    assert library.asked == ["/books?order=age&least=1&short=false", "/books/7", "/books/41"]


def test_up_to_three_candidates_are_tried_until_one_is_there(
    library: Library, run_sweep: Sweep
) -> None:
    things = [{"id": 1, "uuid": "u", "slug": "s", "key": "k", "thing_ref": "r", "extra": "e"}]
    library.replaced["/things"] = JSONResponse({"items": things})
    library.replaced["/things/u"] = JSONResponse({})
    document = documented({"/things": getting(), "/things/{thing_ref}": getting()})

    assert told(run_sweep(document)) == []
    assert library.asked == ["/things", "/things/r", "/things/1", "/things/u"]

    library.replaced["/things/u"] = JSONResponse({}, 404)

    assert told(run_sweep(document)) == [
        (
            "GET /things/{thing_ref}: was answered 404 for {thing_ref} = r and 1 and u, "
            "as GET /things has it"
        ),
    ]


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ([{"id": 5}], "thing_id", "5"),
        ([{"id": 5}], "thingId", "5"),
        ([{"thingId": 6, "id": 5}], "thing_id", "6"),
        ([{"thing_uuid": "u", "id": 5}], "thing-uuid", "u"),
        ([{"id": True, "name": "n"}], "thing_id", "n"),
        ([{"id": None, "slug": "", "key": ".."}], "thing_id", None),
        (["a", "b"], "name", "a"),
        ({"errors": ["x"], "found": [{"id": 5}]}, "thing_id", "5"),
        ({"facets": [{"id": 9}], "items": [{"id": 5}]}, "thing_id", "5"),
        ({"facets": [{"id": 9}], "things": []}, "thing_id", None),
        ({"total": 1, "found": ["a"]}, "name", "a"),
        ({"data": [{"id": 5}], "links": {}}, "thing_id", "5"),
        ({"_embedded": {"things": [{"id": 5}]}, "_links": {"self": {}}}, "thing_id", "5"),
        ({"first": {"x": 1}, "second": {"x": 2}}, "name", "first"),
        ({"status": "ok"}, "name", None),
        ({}, "name", None),
        ("text", "name", None),
    ],
)
def test_values_come_from_the_list_before_the_parameter(
    library: Library, run_sweep: Sweep, body: Any, name: str, value: str | None
) -> None:
    library.replaced["/things"] = JSONResponse(body)
    library.replaced[f"/things/{value}"] = JSONResponse({})

    result = run_sweep(documented({f"/things/{{{name}}}": getting(), "/things": getting()}))

    assert told(result) == []
    assert library.asked == ["/things", *([f"/things/{value}"] if value else [])]
    assert len(result.not_called) == (value is None)


@pytest.mark.parametrize("listing", ["/things", "/things/", "/thing", "/thing/"])
def test_lists_are_found_by_likely_names(library: Library, run_sweep: Sweep, listing: str) -> None:
    library.replaced[listing] = JSONResponse([{"id": 5}])
    library.replaced["/thing/5"] = JSONResponse({})
    paths = (listing, "/thing/{id}") if listing != "/things/" else ("/things/", "/things/{id}")
    library.replaced["/things/5"] = JSONResponse({})

    result = run_sweep(documented({path: getting() for path in paths}))

    assert (told(result), result.called) == ([], 2)


def test_a_value_that_does_not_fit_its_schema_is_not_tried(
    library: Library, run_sweep: Sweep
) -> None:
    library.replaced["/things"] = JSONResponse([{"id": "five", "key": 5}])
    library.replaced["/things/5"] = JSONResponse({})
    name = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}

    run_sweep(documented({"/things": getting(), "/things/{id}": getting(name)}))

    assert library.asked == ["/things", "/things/5"]


def test_a_list_of_values_is_sent_one_by_one(library: Library, run_sweep: Sweep) -> None:
    tags = {"name": "tag", "in": "query", "required": True, "example": ["a", "b"]}
    library.replaced["/things"] = JSONResponse([])

    run_sweep(documented({"/things": getting(tags)}))

    assert library.asked == ["/things?tag=a&tag=b"]
