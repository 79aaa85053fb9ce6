"""A signer in one line: ``BACKEND:?OPTION=VALUE&OPTION=VALUE``."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.errors import ConfigurationError
from tests.secrecy import CANARY

ORIGIN = "environment variable DFNS_SIGNER"


def parse(line: str) -> dict[str, Any]:
    return parse_signer_line(line, ORIGIN)


@pytest.mark.parametrize(
    ("line", "table"),
    [
        (
            "aws-kms:?key_id=alias/dfns-production&region=eu-west-1",
            {"backend": "aws-kms", "key_id": "alias/dfns-production", "region": "eu-west-1"},
        ),
        ("pem:", {"backend": "pem"}),
        ("pem:?", {"backend": "pem"}),
        (" pem:?path=key.pem\n", {"backend": "pem", "path": "key.pem"}),
        ("acme.hsm_2:?slot=1", {"backend": "acme.hsm_2", "slot": "1"}),
        ("pem:?path=my%20key%26more%3D.pem", {"backend": "pem", "path": "my key&more=.pem"}),
        ("pem:?path=k%C3%A9y.pem", {"backend": "pem", "path": "kéy.pem"}),
        ("pem:?path=a=b", {"backend": "pem", "path": "a=b"}),
        ("pem:?path=a+b%2Bc%20d", {"backend": "pem", "path": "a+b+c d"}),
        ("pem:?path=", {"backend": "pem", "path": ""}),
        (
            "aws-kms:?key_id=arn:aws:kms:eu-west-1:111122223333:key/12ab",
            {"backend": "aws-kms", "key_id": "arn:aws:kms:eu-west-1:111122223333:key/12ab"},
        ),
    ],
)  # fmt: skip
def test_line_is_read_as_a_table(line: str, table: dict[str, Any]) -> None:
    assert parse(line) == table


def test_dot_in_a_name_makes_a_table() -> None:
    assert parse("pem:?path=k.pem&passphrase.env=PASS") == {
        "backend": "pem",
        "path": "k.pem",
        "passphrase": {"env": "PASS"},
    }


def test_names_with_the_same_beginning_share_a_table() -> None:
    assert parse("x:?a.b.c=1&a.b.d=2&a.e=3") == {
        "backend": "x",
        "a": {"b": {"c": "1", "d": "2"}, "e": "3"},
    }


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("pem:?path=one&path=two", "'path' is set twice"),
        ("pem:?backend=aws-kms", "'backend' is set twice"),
        ("x:?a.b=1&a.b=2", "'a.b' is set twice"),
        ("x:?a.b=1&a=2", "'a' is set twice"),
        ("x:?a=1&a.b=2", "'a.b' is set both as a value and as a table"),
        ("x:?backend.b=2", "'backend.b' is set both as a value and as a table"),
    ],
)
def test_option_that_is_set_twice_refused(line: str, option: str) -> None:
    with pytest.raises(ConfigurationError, match=option) as caught:
        parse(line)

    assert str(caught.value).startswith(ORIGIN)


@pytest.mark.parametrize(
    "line",
    ["", " ", "pem", "pem?path=x", ":?path=x", "pem:path=x", "pem:?path", "pem:?path=x&", "a b:"],
)  # fmt: skip
def test_line_of_another_shape_refused_with_an_example(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"such as 'aws-kms:\?key_id=") as caught:
        parse(line)

    assert str(caught.value).startswith(ORIGIN)


@pytest.mark.parametrize("name", ["", ".", ".a", "a.", "a..b"])
def test_option_without_a_name_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not the name of an option"):
        parse(f"pem:?{name}=x")


@pytest.mark.parametrize("value", ["%FF", "%C3%28"])
def test_value_that_is_no_utf8_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="OPTION=VALUE"):
        parse(f"pem:?path={value}")


@pytest.mark.parametrize(
    "line",
    [CANARY, f"pem:?{CANARY}", f"pem:{CANARY}", f"pem:?path={CANARY}&path={CANARY}",
     f"pem:?a={CANARY}&a.b={CANARY}"],
)  # fmt: skip
def test_refusal_never_repeats_the_line(line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(line)

    assert CANARY not in str(caught.value)


@given(line=st.one_of(st.text(), st.text().map("pem:?".__add__)))
def test_any_text_is_read_or_refused(line: str) -> None:
    try:
        table = parse(line)
    except ConfigurationError:
        return
    assert isinstance(table["backend"], str)
    assert line.strip().startswith(f"{table['backend']}:")


NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1).filter(lambda name: name != "backend")


@given(options=st.dictionaries(NAMES, st.text(st.characters(exclude_categories=["Cs"]))))
def test_values_that_are_percent_encoded_come_back_as_they_were(options: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())

    assert parse(f"aws-kms:?{query}") == {"backend": "aws-kms", **options}
