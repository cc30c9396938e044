"""Which addresses are the platform's, and which can be asked at all."""

from __future__ import annotations

import pytest

from deployment_gate.discovery.addresses import is_same_host, is_same_site, joined, read_address
from deployment_gate.discovery.errors import DiscoveryError
from deployment_gate.discovery.names import name_for


@pytest.mark.parametrize(
    "address",
    [
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https:///path",
        "https://shop.example:0/",
        "https://shop.example:port/",
        "https://shop .example",
        "http://[::1",
        "",
        "https://shop.example/\x1b[2J",
    ],
)
def test_what_is_no_web_address_is_told_with_an_example(address: str) -> None:
    with pytest.raises(DiscoveryError, match=r"is no http or https address.*https://shop\.example"):
        read_address(address)


def test_an_address_with_a_password_in_it_is_refused_without_showing_it() -> None:
    with pytest.raises(DiscoveryError) as caught:
        read_address("https://ada:opensesame@shop.example")

    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "other", "is_ours"),
    [
        ("http://shop.example", "https://shop.example/", True),
        ("https://shop.example", "https://www.shop.example/", True),
        ("https://www.shop.example", "https://shop.example/", True),
        ("https://shop.example", "https://eu.shop.example/", True),
        ("https://SHOP.example", "https://shop.example/", True),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b", True),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000/", False),
        ("http://127.0.0.1:8000", "https://127.0.0.1:8000/", False),
        ("https://shop.example", "https://shop.example:8443/", False),
        ("https://shop.example", "https://example/", False),
        ("https://shop.example", "https://login.example/", False),
        ("https://shop.example", "https://notshop.example/", False),
        ("https://eu.shop.example", "https://us.shop.example/", False),
        ("http://0.0.1", "http://127.0.0.1/", False),
    ],
)
def test_a_redirect_stays_with_the_platform_or_leaves_it(
    given: str, other: str, *, is_ours: bool
) -> None:
    assert is_same_site(given, other) is is_ours


def test_an_api_may_be_on_another_port_of_the_host_but_on_no_other_host() -> None:
    assert is_same_host("http://127.0.0.1:3000", "http://127.0.0.1:8000")
    assert is_same_host("https://www.shop.example", "https://api.shop.example")
    assert not is_same_host("http://27.0.0.1", "http://127.0.0.1")
    assert not is_same_host("https://localhost", "https://evil.localhost")


@pytest.mark.parametrize(
    "link", ["mailto:ada@shop.example", "javascript:void(0)", "http://[::1", "https://a:b@shop/"]
)
def test_links_that_lead_to_no_page_are_none(link: str) -> None:
    assert joined("https://shop.example/", link) is None


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://shop.example", "shop"),
        ("https://WWW.Shop-Eu.example/basket", "shop-eu"),
        ("http://localhost:8000", "local"),
        ("http://[::1]:8000", "local"),
        ("http://192.0.2.7", "platform"),
        ("https://base.example", "platform"),
        ("https://bücher.example", "b_cher"),
    ],
)
def test_an_environment_is_called_after_its_host(address: str, name: str) -> None:
    assert name_for(address, None) == name


@pytest.mark.parametrize("name", ["base", "../evil", "Shop", "a/b", "", "sh op", "-x"])
def test_a_name_that_is_none_for_a_file_is_refused(name: str) -> None:
    with pytest.raises(DiscoveryError, match="can't be an environment's name"):
        name_for("https://shop.example", name)
