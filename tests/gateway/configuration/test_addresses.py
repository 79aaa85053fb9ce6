"""Entries of ``listen`` have one meaning each, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.configuration.addresses import TcpAddress, UnixAddress, parse_listen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unix:/run/a.sock", UnixAddress("unix:/run/a.sock", Path("/run/a.sock"))),
        (
            "unix:/run/a.sock?mode=0660&group=payments&caller=web",
            UnixAddress(
                "unix:/run/a.sock?mode=0660&group=payments&caller=web",
                Path("/run/a.sock"),
                0o660,
                "payments",
                "web",
            ),
        ),
        ("127.0.0.1:8787", TcpAddress("127.0.0.1:8787", "127.0.0.1", 8787)),
        ("[::1]:0", TcpAddress("[::1]:0", "::1", 0)),
        (
            "localhost:8788?tls=local&caller=web",
            TcpAddress("localhost:8788?tls=local&caller=web", "localhost", 8788, "local", "web"),
        ),
    ],
)
def test_address_is_read(text: str, expected: UnixAddress | TcpAddress) -> None:
    assert parse_listen(text) == expected


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("unix:/run/a.sock", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(text: str, is_loopback: bool) -> None:
    assert parse_listen(text).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected an address such as"),
        ("8787", "expected an address such as"),
        (":8787", "expected an address such as"),
        ("*:8787", "expected an address such as"),
        ("gateway.example.com:8787", "expected an address such as"),
        ("http://127.0.0.1:8787", "not a URL"),
        ("127.1:8787", "not an IP address"),
        ("0177.0.0.1:8787", "not an IP address"),
        ("127.0.0.1:65536", "a port up to 65535"),
        ("127.0.0.1:٨٧", "printable ASCII"),
        ("127.0.0.1: 87", "without spaces"),
        ("[127.0.0.1]:1", "in brackets"),
        ("::1:8787", "expected an address such as"),
        ("unix:run/a.sock", "absolute path"),
        ("unix:@abstract", "absolute path"),
        ("unix:/run/", "absolute path"),
        ("unix:/" + "a" * 103, "over 103"),
        ("unix:/a?mode=0666", "mode=0600"),
        ("unix:/a?mode=0777", "mode=0600"),
        ("unix:/a?mode=660", "mode=0600"),
        ("unix:/a?group=users", "add mode=0660"),
        ("unix:/a?mod=0660", "did you mean 'mode'?"),
        ("unix:/a?tls=x", "unknown option 'tls'"),
        ("127.0.0.1:1?mode=0660", "unknown option 'mode'"),
        ("127.0.0.1:1?tls=", "has no value"),
        ("127.0.0.1:1?tls=a&tls=b", "twice"),
        ("127.0.0.1:1?", "nothing follows"),
    ],
)
def test_address_of_any_other_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_listen(text)

    assert said in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"(unix:/|127\.0\.0\.1:|\[::1\]:).{0,20}"))
def test_any_text_is_an_address_that_repeats_it_or_a_value_error(text: str) -> None:
    try:
        address = parse_listen(text)
    except ValueError:
        return
    assert address.text == text
