"""A sealed value is shown by nothing but ``open``."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from dfns_signers.sealed import Sealed
from tests.secrecy import CANARY


def test_open_returns_the_value() -> None:
    assert Sealed(CANARY).open() == CANARY


def test_repr_and_attributes_show_nothing() -> None:
    sealed = Sealed(CANARY)

    assert f"{sealed} {sealed!r} {sealed.open!r}" == f"<Sealed> <Sealed> {sealed.open!r}"
    assert CANARY not in repr(sealed.open)
    with pytest.raises(TypeError):
        vars(sealed)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickle_and_copy_refused(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="does not pickle"):
        take(Sealed(CANARY))
