"""Which addresses may see a token or a signature."""

from __future__ import annotations

import pytest

from dfns_signers.addresses import check_service_url, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["127.example.org", "localhost.example.org", "127.0.0.1.nip.io", "0.0.0.0", "10.0.0.1", ""],
)
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://kms.example.com",
        "https://kms.example.com:8200/prefix",
        "https://10.0.0.1",
        "http://127.0.0.1:4566",
        "http://localhost:8200",
        "http://[::1]:8200",
    ],
)
def test_https_and_http_to_this_machine_are_taken(url: str) -> None:
    assert check_service_url(url) == url
    assert check_service_url(f"{url}/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://kms.example.com",
        "http://127.example.org:8200",
        "http://10.0.0.1:8200",
        "HTTP://vault.internal",
        "http://[::2]",
    ],
)
def test_http_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="unencrypted: use https"):
        check_service_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "kms.example.com",
        "//kms.example.com",
        "ftp://kms.example.com",
        "https://",
        "https://:8200",
        "https://kms.example.com:0",
        "https://kms.example.com:99999",
        "https://kms.example.com:port",
        "https://[::1",
        "https://kms example.com",
        "https://kms.example.com\n",
    ],
)
def test_what_is_not_an_absolute_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected an address such as https://kms\.example"):
        check_service_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:canary-3f9c2b@kms.example.com",
        "https://@kms.example.com",
        "https://kms.example.com?x=1",
        "https://kms.example.com/?",
        "https://kms.example.com#here",
    ],
)
def test_user_query_and_fragment_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="without user, password, query") as caught:
        check_service_url(url)

    assert "canary" not in str(caught.value)
