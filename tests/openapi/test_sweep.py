"""Sweeps over a library that is really served: what is called, and what is found."""

from __future__ import annotations

import httpx
import pytest
from fastapi import Response
from fastapi.responses import JSONResponse, RedirectResponse

from deployment_gate.environment import RequestLine
from deployment_gate.errors import GateError
from deployment_gate.openapi import Document
from tests.openapi.library import Library, Sweep, documented, getting, told


def test_a_library_without_a_defect_is_called_completely(
    library: Library, run_sweep: Sweep
) -> None:
    result = run_sweep()

    assert told(result) == []
    assert result.undocumented == []
    assert result.not_called == {}
    assert result.called == 11
    assert sorted(library.asked) == [
        "/account",
        "/books/41",
        "/books/41/notes",
        "/books/41/notes/a%2Fb",
        "/books?order=title&least=1&short=false",
        "/old",
        "/search?q=Law",
        "/setting/loans",
        "/settings",
        "/shelves",
        "/shelves/north%20wing.json",
    ]


@pytest.mark.parametrize(
    ("path", "answer", "what"),
    [
        ("/shelves", Response(status_code=503), "GET /shelves: was answered 503"),
        (
            "/shelves/north wing.json",
            JSONResponse({"shelf": 1}),
            "GET /shelves/{shelf}.json: $.shelf: 1 is not of type 'string'",
        ),
        (
            "/account",
            JSONResponse({}, 203),
            "GET /account: was answered 203, which isn't documented; documented: 200",
        ),
        (
            "/account",
            JSONResponse({}, 403),
            "GET /account: was refused with 403 although signed in",
        ),
        (
            "/account",
            Response("{}", media_type="text/plain"),
            (
                "GET /account: was answered 200 as text/plain, which isn't documented; "
                "documented: application/json"
            ),
        ),
        (
            "/account",
            RedirectResponse("/elsewhere"),
            "GET /account: was answered 307, which isn't documented; documented: 200",
        ),
        (
            "/setting/loans",
            Response("{", media_type="application/json"),
            (
                "GET /setting/{key}: was answered 200 as application/json, and the body isn't "
                "JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
            ),
        ),
        (
            "/books/41/notes/a/b",
            JSONResponse({}, 404),
            (
                "GET /books/{book_id}/notes/{note_id}: was answered 404 for {note_id} = a/b, "
                "as GET /books/{book_id}/notes has it"
            ),
        ),
        (
            "/search",
            JSONResponse({}, 404),
            "GET /search: was answered 404, which isn't documented; documented: 200, 422",
        ),
        (
            "/search",
            JSONResponse([{"id": 1}]),
            "GET /search: $[0]: 'title' is a required property",
        ),
    ],
)
def test_a_single_defect_is_found_alone(
    library: Library, run_sweep: Sweep, path: str, answer: Response, what: str
) -> None:
    library.replaced[path] = answer

    result = run_sweep()

    assert told(result) == [what]
    assert result.called == 11 - (path == "/shelves")


def test_what_is_below_a_listed_thing_may_be_missing_where_that_is_documented(
    library: Library, run_sweep: Sweep
) -> None:
    library.replaced["/things"] = JSONResponse([{"id": 5}])
    library.replaced["/things/5/cover"] = JSONResponse({}, 404)
    below = getting(statuses=(200, 404))
    known = documented({"/things": getting(), "/things/{id}/cover": below})
    unknown = documented({"/things": getting(), "/things/{id}/cover": getting()})

    assert told(run_sweep(known)) == []
    assert told(run_sweep(unknown)) == [
        "GET /things/{id}/cover: was answered 404, which isn't documented; documented: 200"
    ]


@pytest.mark.parametrize("path", ["/things/{id}", "/things/{id}/"])
def test_a_listed_thing_itself_may_not_be_missing(
    library: Library, run_sweep: Sweep, path: str
) -> None:
    library.replaced["/things"] = JSONResponse([{"id": 5}])
    library.replaced[path.format(id=5)] = JSONResponse({}, 404)
    document = documented({"/things": getting(), path: getting(statuses=(200, 404))})

    assert told(run_sweep(document)) == [
        f"GET {path}: was answered 404 for {{id}} = 5, as GET /things has it"
    ]


def test_a_connection_that_breaks_is_a_violation_and_the_sweep_goes_on(
    library: Library, run_sweep: Sweep
) -> None:
    cut_off = Response(b"{", headers={"Content-Length": "9"}, media_type="application/json")
    library.replaced["/account"] = cut_off

    result = run_sweep()

    assert len(result.violations) == 1
    assert str(result.violations[0]).startswith("GET /account: was not answered: ")
    assert result.called == 11


def test_a_refusal_of_the_gates_own_is_passed_on(run_sweep: Sweep) -> None:
    class RequestRefusedError(GateError):
        pass

    def refuse(path: str, _: bool) -> httpx.Response:  # noqa: FBT001
        raise RequestRefusedError(path)

    with pytest.raises(RequestRefusedError):
        run_sweep(ask=refuse)


def test_an_undocumented_field_is_told_with_its_operation(
    library: Library, run_sweep: Sweep
) -> None:
    library.replaced["/search"] = JSONResponse([{"id": 1, "title": "a", "shelf": 1}])

    result = run_sweep()

    assert told(result) == []
    assert result.undocumented == ["GET /search: $[*].shelf"]


def test_a_finding_says_what_was_asked(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/search"] = Response(status_code=500)

    (finding,) = run_sweep().violations

    assert str(finding) == "GET /search: was answered 500 (asked for /search?q=Law)"


def test_what_has_no_value_is_not_called_and_says_why(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/settings"] = JSONResponse({})
    library.replaced["/books"] = JSONResponse([])

    result = run_sweep(parameters={})

    advice = "write one under `api.openapi.parameters`"
    assert told(result) == []
    assert result.not_called == {
        "GET /books/{book_id}/notes/{note_id}": f"no value for {{book_id}}; {advice}",
        "GET /books/{book_id}/notes": f"no value for {{book_id}}; {advice}",
        "GET /books/{book_id}": f"no value for {{book_id}}; {advice}",
        "GET /search": f"no value for q; {advice}",
        "GET /setting/{key}": f"no value for {{key}}; {advice}",
    }
    assert result.called == 6


def test_what_the_environment_skips_is_not_called(library: Library, run_sweep: Sweep) -> None:
    skip = [RequestLine("GET", "/books/{{id}}"), RequestLine("GET", "/account")]

    result = run_sweep(skip=[*skip, RequestLine("POST", "/books"), RequestLine("GET", "/none")])

    assert result.not_called == {
        "GET /books/{book_id}": "skipped by the environment",
        "GET /account": "skipped by the environment",
        "GET /none": "skipped by the environment, and not documented at all",
    }
    assert not {"/account", "/books/41"} & set(library.asked)
    assert "/books/41/notes" in library.asked


def test_no_more_operations_are_called_than_the_limit(library: Library, run_sweep: Sweep) -> None:
    result = run_sweep(limit=4)

    assert result.called == len(library.asked) == 4
    assert len(result.not_called) == 7
    assert set(result.not_called.values()) == {"more than 4 operations"}


def test_a_required_header_keeps_an_operation_from_being_called(
    library: Library, run_sweep: Sweep
) -> None:
    header = {"name": "X-Tenant", "in": "header", "required": True, "example": "a"}

    result = run_sweep(documented({"/books": getting(header)}))

    assert result.not_called == {
        "GET /books": "needs the header X-Tenant, which a sweep doesn't send"
    }
    assert library.asked == []


def test_the_base_path_is_part_of_what_is_asked(library: Library, run_sweep: Sweep) -> None:
    library.replaced["/api/things"] = JSONResponse([])
    document = Document.parse(
        {
            "openapi": "3.0.0",
            "servers": [{"url": "https://elsewhere.example/api"}],
            "paths": {"/things": getting()},
        },
        origin="here",
    )

    assert told(run_sweep(document)) == []
    assert library.asked == ["/api/things"]


def test_a_parameter_of_no_place_in_the_path_is_left_out(
    library: Library, run_sweep: Sweep
) -> None:
    stray = {"name": "gone", "in": "path", "required": True}
    library.replaced["/things"] = JSONResponse([])

    result = run_sweep(documented({"/things": getting(stray)}))

    assert (told(result), result.not_called, library.asked) == ([], {}, ["/things"])
