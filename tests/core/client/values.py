"""JSON of any kind, for properties."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

OVER_HTTP = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""For properties that send requests; the server of the test may see all examples."""


def json_trees(leaves: st.SearchStrategy[Any], names: st.SearchStrategy[str]) -> Any:
    """JSON values that are made of these leaves and member names."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=8,
    )


json_bodies: st.SearchStrategy[Any] = json_trees(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**64, max_value=2**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["<script>&amp;</script>", "\U0001f511", "é\u2028\x00", '"\\/']),
    st.text(),
).filter(lambda body: body is not None)
"""What a request can carry."""

hostile_leaves: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
)
"""What Python's JSON can say though no API should: NaN, infinity, lone surrogates."""
