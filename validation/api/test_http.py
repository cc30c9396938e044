"""The API speaks HTTP as clients, caches and balancers on the way rely on it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Listing

pytestmark = pytest.mark.needs("api.collections.{collection}")

SERVER_ERROR = 500
NOT_MODIFIED = 304
# A list that others write to may move between two answers.
LOOKS = 3
# Smaller answers may well be sent as they are: they grow by compression, or fit a packet anyway.
WORTH_COMPRESSING = 1400


@pytest.mark.severity("warning")
def test_head_answers_like_get_without_a_body(collection: Listing) -> None:
    got, head = collection.reader.get(collection.path), collection.reader.head(collection.path)

    assert head.status_code == got.status_code, (
        f"HEAD {collection.path} was answered {head.status_code}, GET {got.status_code}"
    )
    assert not head.content, f"the answer to HEAD has a body of {len(head.content)} bytes"
    kinds = [answer.headers.get("Content-Type") for answer in (head, got)]
    assert kinds[0] == kinds[1], f"HEAD says {kinds[0]}, GET {kinds[1]}"


@pytest.mark.severity("warning")
def test_options_says_what_is_served(collection: Listing) -> None:
    answer = collection.reader.options(collection.path)

    assert answer.status_code < SERVER_ERROR, f"OPTIONS was answered {answer.status_code}"
    if answer.is_success:
        allowed = answer.headers.get("Allow", "")
        assert "GET" in allowed, f"OPTIONS {collection.path} allows {allowed or 'nothing'}"


def test_a_compressed_answer_is_whole(collection: Listing) -> None:
    # Not byte by byte: an answer may tell how long it took. And others may write meanwhile.
    for _ in range(LOOKS):
        plain, packed = (
            collection.reader.get(collection.path, headers={"Accept-Encoding": encoding})
            for encoding in ("identity", "gzip")
        )
        items = [collection.page_in(answer).items for answer in (packed, plain)]
        if items[0] == items[1]:
            break

    assert items[0] == items[1], f"compressed it lists {len(items[0])}, plain {len(items[1])} items"
    encoding = packed.headers.get("Content-Encoding", "")
    assert encoding in {"", "gzip", "identity"}, f"asked for gzip, answered with {encoding}"
    assert "Content-Encoding" not in plain.headers, "compressed, though nobody asked for it"


@pytest.mark.severity("warning")
def test_a_large_answer_is_compressed(collection: Listing) -> None:
    answer = collection.reader.get(collection.path, headers={"Accept-Encoding": "gzip"})

    if len(answer.content) >= WORTH_COMPRESSING:
        packed = len(gzip.compress(answer.content))
        assert answer.headers.get("Content-Encoding") == "gzip", (
            f"{len(answer.content)} bytes were sent as they are; compressed they are {packed}"
        )
        assert "accept-encoding" in answer.headers.get("Vary", "").lower(), (
            "compressed without Vary: Accept-Encoding, so that caches mix the two up"
        )


@pytest.mark.needs("api.login", "api.collections.{collection}.is_private")
def test_a_private_answer_is_kept_by_no_shared_cache(collection: Listing) -> None:
    answer = collection.reader.get(collection.path)

    # RFC 9111, 3.5: with Authorization, only these let a shared cache keep the answer.
    directives = {
        part.strip().lower().partition("=")[0]
        for part in answer.headers.get("Cache-Control", "").split(",")
    }
    shared = directives & {"public", "s-maxage", "must-revalidate"}
    assert not shared or directives & {"no-store", "private"}, (
        f"{collection.path} needs a token, and its Cache-Control lets caches keep it for all: "
        f"{answer.headers['Cache-Control']}"
    )


@pytest.mark.needs(
    "api.collections.{collection}.item",
    "api.collections.{collection}.etag",
    "api.collections.{collection}.fewest",
)
def test_an_item_that_has_not_changed_is_not_sent_again(collection: Listing) -> None:
    address = collection.address_of(collection.id_of(collection.page().items[0]))
    first = collection.reader.get(address)
    etag = first.headers.get("ETag")
    assert etag, f"{address} was answered without an ETag"

    again = collection.reader.get(address, headers={"If-None-Match": etag})
    # Another number or letter at its end: some take only what they could have written.
    other_etag = etag[:-2] + ("1" if etag[-2] != "1" else "2") + etag[-1]
    other = collection.reader.get(address, headers={"If-None-Match": other_etag})

    assert again.status_code == NOT_MODIFIED, (
        f"{address} with its own ETag was answered {again.status_code}; expected 304"
    )
    assert not again.content, "304 with a body"
    assert other.status_code == first.status_code, (
        f"with the ETag of another version it was answered {other.status_code}"
    )


@pytest.mark.writes
@pytest.mark.provokes
@pytest.mark.needs("api.collections.{collection}.draft")
def test_a_redirect_keeps_the_method(collection: Listing) -> None:
    # Without a body: where it is served there, too, it is refused, or removed again.
    answer = collection.writer.post(f"{collection.path}/")
    collection.remove_made_by(answer)

    assert answer.status_code < SERVER_ERROR, f"answered {answer.status_code}"
    # RFC 9110, 15.4: after these a client may ask by GET, and what was sent is lost.
    assert answer.status_code not in {301, 302, 303}, (
        f"POST {collection.path}/ is redirected by {answer.status_code} to "
        f"{answer.headers.get('Location')}, where it becomes a GET; 307 or 308 keep it"
    )
