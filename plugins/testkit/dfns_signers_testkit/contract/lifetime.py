"""The contract of a key's life: cancelled, closed, forked, and never copied."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
from typing import Any, Final

import anyio
import anyio.lowlevel
import pytest

from dfns_signers.errors import SigningKeyError
from dfns_signers.signing_key import SigningKey
from dfns_signers_testkit.contract import forked
from dfns_signers_testkit.contract.checks import is_signature, within
from dfns_signers_testkit.contract.declarations import StoreUnderTest, needs
from dfns_signers_testkit.contract.opening import Keys, OpensKeys
from dfns_signers_testkit.contract.signatures import CLIENT_DATA

_AT_ONCE: Final = 4
_START: Final = 30.0
"""Seconds that starting Python and importing a backend may take."""


class LifetimeContract(OpensKeys):
    """What becomes of a key."""

    def test_cancelled_signature_leaves_the_key_usable(self, keys: Keys, runtime: str) -> None:
        key = keys.new(self.first)

        async def begin_to_sign(begun: anyio.Event) -> None:
            begun.set()
            await key.asign(CLIENT_DATA)

        async def cancel_and_sign() -> bytes:
            begun = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(begin_to_sign, begun)
                await begun.wait()
                tasks.cancel_scope.cancel()
            signature = await key.asign(CLIENT_DATA)
            await key.aclose()
            return signature

        signature = within(self.patience, lambda: anyio.run(cancel_and_sign, backend=runtime))
        assert is_signature(key.public_key, CLIENT_DATA, signature)

    def test_closed_key_refuses_to_sign(self, keys: Keys) -> None:
        key = keys.new(self.first)
        keys.sign(key, CLIENT_DATA)

        within(self.patience, key.close)
        within(self.patience, key.close)

        with pytest.raises(SigningKeyError, match="is closed"):
            key.sign(CLIENT_DATA)

    def test_closed_key_refuses_to_sign_asynchronously(self, keys: Keys, runtime: str) -> None:
        key = keys.new(self.first)

        async def close_and_sign() -> None:
            async with key:
                await key.asign(CLIENT_DATA)
            await key.aclose()
            with pytest.raises(SigningKeyError, match="is closed"):
                await key.asign(CLIENT_DATA)

        within(self.patience, lambda: anyio.run(close_and_sign, backend=runtime))

    def test_closing_lets_no_signature_begin_and_breaks_none_under_way(self, keys: Keys) -> None:
        key = keys.new(self.first)
        enough = threading.Event()
        threads = [_SigningUntilClosed(key, enough) for _ in range(_AT_ONCE)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                assert thread.has_signed.wait(self.patience), "hangs: no signature was made"

            within(self.patience, key.close)

            with pytest.raises(SigningKeyError, match="is closed") as refused:
                key.sign(CLIENT_DATA)
            for thread in threads:
                thread.join(self.patience)
        finally:
            enough.set()
        assert [str(thread.end) for thread in threads] == [str(refused.value)] * _AT_ONCE

    def test_closing_lets_no_asynchronous_signature_begin_and_breaks_none_under_way(
        self, keys: Keys, runtime: str
    ) -> None:
        key = keys.new(self.first)
        ends: list[str] = []

        async def sign_until_closed(has_signed: anyio.Event) -> None:
            try:
                while True:
                    signature = await key.asign(CLIENT_DATA)
                    assert is_signature(key.public_key, CLIENT_DATA, signature)
                    has_signed.set()
                    await anyio.lowlevel.checkpoint()
            except SigningKeyError as error:
                ends.append(str(error))
                has_signed.set()

        async def close_meanwhile() -> str:
            signed = [anyio.Event() for _ in range(_AT_ONCE)]
            async with anyio.create_task_group() as tasks:
                for event in signed:
                    tasks.start_soon(sign_until_closed, event)
                for event in signed:
                    await event.wait()
                await key.aclose()
                with pytest.raises(SigningKeyError, match="is closed") as refused:
                    await key.asign(CLIENT_DATA)
            return str(refused.value)

        refused = within(self.patience, lambda: anyio.run(close_meanwhile, backend=runtime))
        assert ends == [refused] * _AT_ONCE

    def test_closing_the_signer_closes_its_key(self, keys: Keys, store: StoreUnderTest) -> None:
        signer = keys.signer(store.signers[self.first])
        key = signer.key

        within(self.patience, signer.close)

        with pytest.raises(SigningKeyError, match="is closed"):
            key.sign(CLIENT_DATA)

    def test_key_does_not_pickle(self, keys: Keys) -> None:
        with pytest.raises(TypeError, match="does not pickle"):
            pickle.dumps(keys.shared(self.first))

    @needs("fork")
    def test_forked_child_signs_or_refuses_and_the_parent_goes_on(
        self, store: StoreUnderTest
    ) -> None:
        signer = {"backend": self.backend, **store.signers[self.first]}
        child = self._run_forked(signer)

        assert child["parent_signs_after_fork"] is True
        if child["error"] is None:
            assert child["child_signs"] is True
        else:
            assert child["error_is_signing_key_error"], child["error"]

    def _run_forked(self, signer: dict[str, Any]) -> dict[str, Any]:
        """Open, sign, fork and sign in a new process; what it found out."""
        try:
            done = subprocess.run(  # noqa: S603  # this Python, with a module of this package
                [sys.executable, "-m", forked.__name__],
                input=json.dumps({"signer": signer, "patience": self.patience}),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                capture_output=True,
                text=True,
                timeout=_START + self.patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.fail("hangs: a process that opened the key and forked did not end")
        if done.returncode:
            pytest.fail(f"a process that opened the key and forked failed:\n{done.stderr}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


class _SigningUntilClosed(threading.Thread):
    """Signs until it gets an error, which is kept, or it is enough."""

    def __init__(self, key: SigningKey, enough: threading.Event) -> None:
        super().__init__(daemon=True)
        self._key = key
        self._enough = enough
        self.has_signed = threading.Event()
        self.end: Exception | None = None

    def run(self) -> None:
        """Sign."""
        try:
            while not self._enough.is_set():
                signature = self._key.sign(CLIENT_DATA)
                assert is_signature(self._key.public_key, CLIENT_DATA, signature)
                self.has_signed.set()
        except Exception as error:  # noqa: BLE001  # compared by the test
            self.end = error
            self.has_signed.set()
