"""The contract of signing: right signatures, in their encoding, from threads and event loops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import anyio
import pytest

from dfns_signers.errors import SigningKeyError
from dfns_signers_testkit.contract.checks import (
    der,
    fingerprint,
    is_canonical,
    is_signature,
    within,
)
from dfns_signers_testkit.contract.declarations import needs
from dfns_signers_testkit.contract.opening import Keys, OpensKeys

# As long as what Dfns has signed.
CLIENT_DATA: Final = b'{"type":"key.get","challenge":"%s"}' % (b"Y2g" * 50)
MEBIBYTE: Final = 1024 * 1024
_AT_ONCE: Final = 8


class SignatureContract(OpensKeys):
    """What a key signs."""

    def test_signature_is_that_of_the_message(self, keys: Keys, algorithm: str) -> None:
        key = keys.shared(algorithm)

        signature = key.sign(CLIENT_DATA)

        assert key.algorithm == algorithm
        assert is_signature(key.public_key, CLIENT_DATA, signature)
        assert not is_signature(key.public_key, CLIENT_DATA + b" ", signature)

    def test_signature_has_the_encoding_of_its_algorithm(self, keys: Keys, algorithm: str) -> None:
        key = keys.shared(algorithm)

        assert is_canonical(key.public_key, key.sign(CLIENT_DATA))

    def test_public_key_is_the_same_at_each_opening(self, keys: Keys, algorithm: str) -> None:
        first, second = keys.shared(algorithm), keys.new(algorithm)

        assert der(first.public_key) == der(second.public_key)
        assert first.fingerprint == second.fingerprint == fingerprint(first.public_key)
        assert first.reference == second.reference

    @pytest.mark.parametrize("length", [1, 64])
    def test_short_message_is_signed(self, keys: Keys, algorithm: str, length: int) -> None:
        keys.sign(keys.shared(algorithm), b"\x00" * length)

    def test_empty_message_is_signed_or_refused(self, keys: Keys, algorithm: str) -> None:
        try:
            keys.sign(keys.shared(algorithm), b"")
        except SigningKeyError as error:
            require_explanation(error)

    def test_longest_message_is_signed_and_a_longer_one_refused(
        self, keys: Keys, algorithm: str
    ) -> None:
        limit = self.message_limits.get(algorithm)
        keys.sign(keys.shared(algorithm), b"m" * (limit or MEBIBYTE))

        if limit is not None:
            with pytest.raises(SigningKeyError) as caught:
                keys.sign(keys.shared(algorithm), b"m" * (limit + 1))
            require_explanation(caught.value)

    def test_message_of_another_type_is_not_signed(self, keys: Keys) -> None:
        message: Any = "a string"

        with pytest.raises((SigningKeyError, TypeError)):
            keys.shared(self.first).sign(message)

    def test_evidence_says_how_the_signature_came_about(self, keys: Keys, algorithm: str) -> None:
        key = keys.shared(algorithm)

        evidence = key.sign_with_evidence(CLIENT_DATA).evidence

        assert evidence.algorithm == algorithm
        assert (evidence.key, evidence.fingerprint) == (key.reference, key.fingerprint)
        assert evidence.attempts >= 1
        assert evidence.duration >= 0

    @needs("verified")
    def test_signature_is_verified(self, keys: Keys, algorithm: str) -> None:
        assert keys.shared(algorithm).sign_with_evidence(CLIENT_DATA).evidence.verified is True

    def test_each_of_many_threads_gets_its_own_signature(self, keys: Keys) -> None:
        key = keys.shared(self.first)
        messages = [b"message %d" % number for number in range(3 * _AT_ONCE)]

        def sign_all() -> list[bytes]:
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                return list(threads.map(key.sign, messages))

        for message, signature in zip(messages, within(self.patience, sign_all), strict=True):
            assert is_signature(key.public_key, message, signature)

    def test_each_of_many_tasks_gets_its_own_signature(self, keys: Keys, runtime: str) -> None:
        key = keys.shared(self.first)
        signatures: dict[bytes, bytes] = {}

        async def sign(message: bytes) -> None:
            signatures[message] = await key.asign(message)

        async def sign_all() -> None:
            async with anyio.create_task_group() as tasks:
                for number in range(_AT_ONCE):
                    tasks.start_soon(sign, b"message %d" % number)

        within(self.patience, lambda: anyio.run(sign_all, backend=runtime))
        assert len(signatures) == _AT_ONCE
        for message, signature in signatures.items():
            assert is_signature(key.public_key, message, signature)


def require_explanation(error: Exception) -> None:
    """Refuse an error that only says that something foreign was raised."""
    assert "report it to the author of the backend" not in str(error)
