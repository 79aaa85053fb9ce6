"""A guard compares the decoded segments of a path, which has one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.user_action.paths import expand


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/wallets", ("wallets",)),
        ("/wallets/wa-1/transfers", ("wallets", "wa-1", "transfers")),
        ("/networks/%C3%A9%20b/x", ("networks", "é b", "x")),
        ("/keys/a%40b%3A1%2Bc", ("keys", "a@b:1+c")),
    ],
)
def test_segments_are_those_of_the_path_decoded(path: str, segments: tuple[str, ...]) -> None:
    assert AnnouncedCall("GET", path, "").segments == segments


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1
    ).filter(lambda text: not set(text) & set("/\\?#%;") and text not in {".", ".."})
)
def test_segment_of_a_parameter_is_the_parameter(identifier: str) -> None:
    path = expand("/wallets/{id}/transfers", {"id": identifier})

    assert AnnouncedCall("GET", path, "").segments == ("wallets", identifier, "transfers")
