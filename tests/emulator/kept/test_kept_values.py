"""What is made up fits the declared shape, whatever was given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator.kept.values import NOTHING, Values, members_of
from dfns_signers.operations import Operation, Schema, operations, shapes_of
from tests.emulator.caller import compact
from tests.support.answer_judge import misfit

DATE = "2026-01-01T00:00:00.000Z"
ANSWERING = [one for one in operations() if shapes_of(one).response]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def shape(operation: Operation) -> Schema:
    response = shapes_of(operation).response
    assert response is not None
    return response


def fitting(operation: Operation, value: Any, /, **known: Any) -> Any:
    return Values(known, DATE).fitting(shape(operation), value)


@pytest.mark.parametrize("operation", ANSWERING, ids=str)
def test_answer_that_is_made_of_nothing_fits_its_shape(operation: Operation) -> None:
    assert misfit(operation, compact(fitting(operation, NOTHING))) == ""


@given(operation=st.sampled_from(ANSWERING), data=st.data())
def test_answer_that_is_made_of_anything_fits_its_shape(
    operation: Operation, data: st.DataObject
) -> None:
    names = st.sampled_from(sorted({"kind", "status", *members_of(shape(operation))}))
    value = data.draw(st.dictionaries(names, JSON) | JSON)
    known = data.draw(st.dictionaries(names, JSON))

    assert misfit(operation, compact(fitting(operation, value, **known))) == ""


@given(operation=st.sampled_from(ANSWERING), data=st.data())
def test_answer_that_fits_is_left_as_it_is(operation: Operation, data: st.DataObject) -> None:
    made = fitting(operation, data.draw(JSON))

    assert fitting(operation, made) == made


@pytest.mark.parametrize(
    "value",
    [{}, {"kind": "A", "of": 1}, {"kind": "B", "of": 1}, None],
    ids=["nothing-required", "first", "second", "null"],
)
def test_variant_is_the_one_that_was_given(value: Any) -> None:
    def tagged(kind: str) -> Schema:
        properties = {"kind": {"const": kind}, "of": {"type": "number"}}
        return {"type": "object", "properties": properties, "required": ["kind", "of"]}

    variants = [tagged("A"), tagged("B"), {"type": "object"}, {"type": "null"}]

    assert Values({}, DATE).fitting({"anyOf": variants}, value) == value
