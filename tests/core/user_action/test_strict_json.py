"""Bodies that are given as JSON text mean one thing only, or are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.user_action.bodies import strict_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


def wrapped(text: str, way: list[bool]) -> str:
    """The JSON text within objects (true) and arrays (false)."""
    for is_object in way:
        text = f'{{"outer": {text}}}' if is_object else f"[0, {text}]"
    return text


WAYS = st.lists(st.booleans(), max_size=10)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_json_is_read_as_what_was_written(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)

    assert strict_json(text) == value
    assert strict_json(text.encode("utf-8")) == value


@given(TEXT, VALUES, VALUES, WAYS)
def test_member_given_twice_is_refused_by_name_at_any_depth(
    name: str, first: Any, second: Any, way: list[bool]
) -> None:
    key = json.dumps(name)
    text = f"{{{key}: {json.dumps(first)}, {key}: {json.dumps(second)}}}"

    with pytest.raises(ValueError, match="is given twice") as caught:
        strict_json(wrapped(text, way))

    assert repr(name[:100]) in str(caught.value)


def test_member_given_twice_in_two_spellings_is_refused() -> None:
    with pytest.raises(ValueError, match="'network' is given twice"):
        strict_json('{"network": "Solana", "n\\u0065twork": "Bitcoin"}')


def test_name_may_occur_in_two_objects() -> None:
    assert strict_json('[{"a": {"a": 1}}, {"a": 2}]') == [{"a": {"a": 1}}, {"a": 2}]


@given(st.sampled_from(["NaN", "Infinity", "-Infinity"]), WAYS)
def test_constant_that_json_does_not_have_is_refused_by_name(
    constant: str, way: list[bool]
) -> None:
    with pytest.raises(ValueError, match=f"^{constant} is not a JSON value$"):
        strict_json(wrapped(constant, way))


@given(st.integers(min_value=310, max_value=10**6), st.sampled_from(["", "-"]), WAYS)
def test_number_beyond_a_double_is_refused(exponent: int, sign: str, way: list[bool]) -> None:
    with pytest.raises(ValueError, match="a number is too large"):
        strict_json(wrapped(f"{sign}1e{exponent}", way))


@given(st.integers(0xD800, 0xDFFF), st.booleans(), WAYS)
def test_lone_surrogate_is_refused_in_values_and_names(
    code: int, as_name: bool, way: list[bool]
) -> None:
    string = f'"x\\u{code:04x}"'
    text = f"{{{string}: 1}}" if as_name else string

    with pytest.raises(ValueError, match=f"lone surrogate, \\\\u{code:04x}"):
        strict_json(wrapped(text, way))


def test_surrogate_pair_is_one_character() -> None:
    assert strict_json('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_text_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 100 levels"):
        strict_json("[" * 101 + "]" * 101)


@given(st.binary())
def test_any_bytes_are_read_as_json_reads_them_or_refused(data: bytes) -> None:
    try:
        value = strict_json(data)
    except ValueError:
        return

    assert value == json.loads(data.decode("utf-8"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"not UTF-8|BOM"):
        strict_json('{"name": "Zoë"}'.encode(encoding))


@given(st.integers(0, 10_000))
def test_message_quotes_a_bounded_part_of_the_input(length: int) -> None:
    name = "n" * length

    with pytest.raises(ValueError, match="is given twice") as caught:
        strict_json(f'{{"{name}": 1, "{name}": 2}}')

    assert len(str(caught.value)) < 200
