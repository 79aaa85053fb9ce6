"""Each property holds for every kept input, and for inputs near them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.kept_inputs import NAMES, inputs
from tests.fuzz.targets import TARGETS

EVERY_INPUT = [(name, file) for name in NAMES for file in inputs(name)]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=6)), min_size=1, max_size=4
)


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """With some bytes replaced by others, at places from 0 (the beginning) to 1."""
    for place, length, other in edits:
        start = round(place * len(data))
        data = data[:start] + other + data[start + length :]
    return data


def test_every_target_has_inputs() -> None:
    assert sorted(TARGETS) == sorted(NAMES)


@pytest.mark.parametrize(("name", "file"), EVERY_INPUT)
def test_property_holds_for_kept_input(name: str, file: str) -> None:
    TARGETS[name](inputs(name)[file])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.data())
def test_property_holds_near_kept_inputs(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(sorted(inputs(name).values())))
    TARGETS[name](edited(seed, data.draw(EDITS)))
