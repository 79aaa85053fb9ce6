"""Keys that contract tests open: by the configuration, as a user does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from dfns_signers import KeySigner, load_signer
from dfns_signers.signing_key import SigningKey
from dfns_signers_testkit.contract.checks import is_signature, within
from dfns_signers_testkit.contract.declarations import Declarations, StoreUnderTest

CREDENTIAL_ID: Final = "cr-contract"


class Keys:
    """Opens signers of one store; all are closed in the end.

    Args:
        backend: its name in the configuration.
        store: what is opened.
        patience: seconds after which anything counts as hung.
    """

    def __init__(self, backend: str, store: StoreUnderTest, patience: float) -> None:
        self._backend = backend
        self._store = store
        self._patience = patience
        self._shared: dict[str, SigningKey] = {}
        self._opened: list[KeySigner] = []

    def signer(self, table: Mapping[str, Any], **more: Any) -> KeySigner:
        """A signer, opened by a ``[signer]`` table."""
        whole = {"backend": self._backend, **table, **more}
        signer = within(
            self._patience, lambda: load_signer(credential_id=CREDENTIAL_ID, signer=whole)
        )
        self._opened.append(signer)
        return signer

    def new(self, algorithm: str, **more: Any) -> SigningKey:
        """A key of its own, which a test may close."""
        return self.signer(self._store.signers[algorithm], **more).key

    def shared(self, algorithm: str) -> SigningKey:
        """A key that all tests share; none closes it."""
        if algorithm not in self._shared:
            self._shared[algorithm] = self.new(algorithm)
        return self._shared[algorithm]

    def sign(self, key: SigningKey, message: bytes) -> bytes:
        """A signature of a message, after it was verified."""
        signature = within(self._patience, lambda: key.sign(message))
        assert is_signature(key.public_key, message, signature)
        return signature

    def close(self) -> None:
        """Close them all."""
        for signer in self._opened:
            within(self._patience, signer.close)


class OpensKeys(Declarations):
    """A part of the contract whose tests open keys."""

    @pytest.fixture(scope="class")
    @classmethod
    def keys(cls, store: StoreUnderTest) -> Iterator[Keys]:
        """Opens keys of the store."""
        opened = Keys(cls.backend, store, cls.patience)
        yield opened
        opened.close()

    @property
    def first(self) -> str:
        """The algorithm of tests that one key is enough for."""
        return self.algorithms[0]
