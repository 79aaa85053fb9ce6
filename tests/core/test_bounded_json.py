"""JSON of others: read as json reads it, and refused before it is parsed if it is too deep."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.bounded_json import MAXIMUM_NESTING, bounded_json

TOO_DEEP = f"more than {MAXIMUM_NESTING} levels"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
# Strings that look like brackets and ends of strings.
TRAPS = st.text(alphabet='[]{}"\\,:é\n ', max_size=20)


def wrapped(text: str, levels: int, bracket: str = "[") -> str:
    opening, closing = {"[": ("[", "]"), "{": ('{"a":', "}")}[bracket]
    return opening * levels + text + closing * levels


@given(VALUES, st.booleans())
def test_json_is_read_as_json_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert bounded_json(text) == value
    assert bounded_json(text.encode()) == value
    assert bounded_json(bytearray(text.encode("utf-8-sig"))) == value


@pytest.mark.parametrize("bracket", ["[", "{"])
def test_nesting_has_a_limit_that_is_in_the_message(bracket: str) -> None:
    bounded_json(wrapped("0", MAXIMUM_NESTING, bracket))

    for levels in (MAXIMUM_NESTING + 1, 990, 200_000):
        with pytest.raises(ValueError, match=TOO_DEEP):
            bounded_json(wrapped("0", levels, bracket))


@given(st.lists(TRAPS, max_size=60), TRAPS)
def test_brackets_within_strings_are_no_levels(texts: list[str], name: str) -> None:
    value = {name: texts}

    for ascii_only in (True, False):
        inner = json.dumps(value, ensure_ascii=ascii_only)
        at_limit = wrapped(inner, MAXIMUM_NESTING - 2)
        assert bounded_json(at_limit) == json.loads(at_limit)
        with pytest.raises(ValueError, match=TOO_DEEP):
            bounded_json(wrapped(inner, MAXIMUM_NESTING - 1))


@given(TRAPS)
def test_levels_behind_a_string_are_counted(text: str) -> None:
    hidden = f"[{json.dumps(text)},{wrapped('0', MAXIMUM_NESTING)}]"

    with pytest.raises(ValueError, match=TOO_DEEP):
        bounded_json(hidden)


def test_wide_text_is_not_deep() -> None:
    value = [{"a": [number]} for number in range(1_000)]

    assert bounded_json(json.dumps(value)) == value


def test_text_that_is_too_deep_is_refused_before_it_is_parsed() -> None:
    parsed: list[Any] = []

    with pytest.raises(ValueError, match=TOO_DEEP):
        bounded_json(wrapped("0", MAXIMUM_NESTING + 1, "{"), object_hook=parsed.append)

    assert parsed == []


@given(st.binary() | st.text(alphabet='[]{}"\\,0').map(str.encode))
def test_any_bytes_are_read_as_json_reads_them_or_refused(content: bytes) -> None:
    def value_of(read: Callable[[bytes], Any]) -> Any:
        try:
            return read(content)
        except ValueError:
            return ValueError

    assert value_of(bounded_json) == value_of(lambda data: json.loads(data.decode("utf-8-sig")))
