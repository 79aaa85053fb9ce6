"""Which base URLs are safe, and which requests belong to one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.errors import ConfigurationError, RequestError
from dfns_signers.user_action.base_url import BaseUrl


@pytest.mark.parametrize(
    ("text", "base", "prefix"),
    [
        ("https://api.dfns.io", "https://api.dfns.io", ""),
        ("https://api.dfns.io/", "https://api.dfns.io", ""),
        ("HTTPS://API.dfns.io", "https://api.dfns.io", ""),
        ("https://gateway.example:8443/dfns/", "https://gateway.example:8443/dfns", "/dfns"),
        ("https://gateway.example/a/b", "https://gateway.example/a/b", "/a/b"),
        ("https://api.dfns.io:443", "https://api.dfns.io", ""),
    ],
)
def test_https_url_is_taken_with_its_prefix(text: str, base: str, prefix: str) -> None:
    url = BaseUrl.parse(text)

    assert (url.text, url.prefix, url.is_loopback) == (base, prefix, False)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "[::1]", "localhost:8000"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_may_be_reached_without_tls(scheme: str, host: str) -> None:
    assert BaseUrl.parse(f"{scheme}://{host}").is_loopback


@pytest.mark.parametrize(
    "host",
    [
        "api.dfns.io",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "evil.test/localhost",
        "0.0.0.0",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "[::]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "localhost.",
        "xlocalhost",
    ],
)
def test_plain_http_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        BaseUrl.parse(f"http://{host}")


@pytest.mark.parametrize(
    "text",
    [
        "https://user@api.dfns.io",
        "https://user:sesame@api.dfns.io",
        "http://localhost@evil.test",
        "http://user:sesame@localhost",
        "https://api.dfns.io?x=1",
        "https://api.dfns.io/?",
        "https://api.dfns.io#top",
        "https://api.dfns.io/#",
    ],
)
def test_user_query_or_fragment_is_refused_and_no_password_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        BaseUrl.parse(text)

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.dfns.io",
        "//api.dfns.io",
        "/wallets",
        "https://",
        "https:///wallets",
        "ftp://api.dfns.io",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://api.dfns.io:port",
        "https://api.dfns.io:65536",
        "https://[::1",
        "https://api.dfns.io\n",
        "https://api.dfns.io/a b",
        "https://\ud800.io",
        "https://api.dfns.io/\ud800",
        "\ud800",
        None,
        7,
        b"https://api.dfns.io",
    ],
)
def test_what_is_no_absolute_http_url_is_refused(text: Any) -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        BaseUrl.parse(text)


@given(text=st.text(st.characters()) | st.text("htps:/@[]#?%.1lo").map("https://".__add__))
def test_any_text_is_a_safe_base_url_or_refused(text: str) -> None:
    try:
        url = BaseUrl.parse(text)
    except ConfigurationError:
        return
    parsed = httpx.URL(url.text)
    assert parsed.scheme == "https" or url.is_loopback
    assert (parsed.userinfo, parsed.query, parsed.fragment) == (b"", b"", "")


@pytest.mark.parametrize(
    ("base", "url", "path"),
    [
        ("https://api.dfns.io", "https://api.dfns.io/wallets", "/wallets"),
        ("https://api.dfns.io", "https://api.dfns.io:443/wallets?limit=1", "/wallets"),
        ("https://api.dfns.io", "https://api.dfns.io/keys/a%2Fb", "/keys/a%2Fb"),
        ("https://gw.example/dfns", "https://gw.example/dfns/wallets", "/wallets"),
        ("https://gw.example/dfns", "https://gw.example/dfns/dfns/wallets", "/dfns/wallets"),
        ("http://localhost:80", "http://localhost/wallets", "/wallets"),
    ],
)
def test_path_of_a_request_is_what_follows_the_base_url(base: str, url: str, path: str) -> None:
    assert BaseUrl.parse(base).path_of(httpx.URL(url)) == path


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.dfns.io", "http://api.dfns.io/wallets"),
        ("https://api.dfns.io", "https://api.dfns.io:8443/wallets"),
        ("https://api.dfns.io:8443", "http://api.dfns.io:8443/wallets"),
        ("https://api.dfns.io", "https://api.uae.dfns.io/wallets"),
        ("https://api.dfns.io", "https://api.dfns.io.evil.test/wallets"),
        ("https://api.dfns.io", "https://evil.test/?https://api.dfns.io/wallets"),
        ("https://gw.example/dfns", "https://gw.example/wallets"),
        ("https://gw.example/dfns", "https://gw.example/dfnsx/wallets"),
        ("https://gw.example/dfns", "https://gw.example/dfns/../wallets"),
        ("http://localhost:8000", "http://127.0.0.1:8000/wallets"),
    ],
)
def test_request_to_another_place_is_refused(base: str, url: str) -> None:
    with pytest.raises(RequestError, match="the token is sent nowhere else"):
        BaseUrl.parse(base).path_of(httpx.URL(url))


@pytest.mark.parametrize("user", ["", "me:hunter2-hunter2@"])
def test_refusal_names_the_port_of_a_request_to_another_place_and_no_password(user: str) -> None:
    with pytest.raises(RequestError) as caught:
        BaseUrl.parse("http://127.0.0.1:8080").path_of(
            httpx.URL(f"http://{user}127.0.0.1:8787/wallets")
        )

    assert "to http://127.0.0.1:8787/wallets does not belong" in str(caught.value)
