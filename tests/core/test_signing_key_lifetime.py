"""An opened key: shown safely, closed once, and never copied."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable

import anyio
import pytest

from dfns_signers import worker_threads
from dfns_signers.errors import SigningKeyError
from dfns_signers.signer import KeySigner
from dfns_signers.worker_threads import MAX_THREADS
from tests.core.keys import AnsweringKey

MESSAGE = b'{"type":"key.get","challenge":"Y2g"}'


def test_closed_key_refuses_to_sign_and_is_not_asked() -> None:
    key = AnsweringKey("Ed25519", reference="store/key-9")
    key.close()

    with pytest.raises(SigningKeyError, match="store/key-9 is closed"):
        key.sign(MESSAGE)
    with pytest.raises(SigningKeyError, match="store/key-9 is closed"):
        anyio.run(key.asign, MESSAGE)
    assert key.uses == 0


def test_close_twice_releases_once() -> None:
    key = AnsweringKey("Ed25519")

    key.close()
    key.close()

    assert key.releases == 1


@pytest.mark.anyio
async def test_aclose_twice_or_after_close_releases_once() -> None:
    key = AnsweringKey("Ed25519")

    await key.aclose()
    await key.aclose()
    key.close()

    assert key.releases == 1


@pytest.mark.anyio
async def test_aclose_releases_on_another_thread_than_the_event_loop() -> None:
    threads: list[int] = []

    class Slow(AnsweringKey):
        def _close(self) -> None:
            threads.append(threading.get_ident())

    await Slow("Ed25519").aclose()
    async with KeySigner(Slow("Ed25519"), "Y2kt"):
        pass

    assert len(threads) == 2
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_cancelled_block_closes_the_key_although_no_thread_is_free() -> None:
    key, signers, may_end = AnsweringKey("Ed25519"), AnsweringKey("Ed25519"), threading.Event()
    for _ in range(MAX_THREADS):
        worker_threads.submit(may_end.wait, 20)

    with anyio.CancelScope() as scope:
        async with key, KeySigner(signers, "Y2kt"):
            scope.cancel()
    releases = (key.releases, signers.releases)
    may_end.set()

    assert releases == (1, 1)


def test_with_block_closes_the_key_even_after_an_error() -> None:
    with pytest.raises(LookupError), AnsweringKey("Ed25519") as key:
        raise LookupError
    assert key.releases == 1


@pytest.mark.anyio
async def test_async_with_block_closes_the_key_even_after_an_error() -> None:
    with pytest.raises(LookupError):
        async with AnsweringKey("Ed25519") as key:
            raise LookupError
    assert key.releases == 1


def test_repr_names_kind_algorithm_reference_and_fingerprint() -> None:
    key = AnsweringKey("ES256", reference="store/key-1")

    assert repr(key) == f"<AnsweringKey ES256 store/key-1 {key.fingerprint}>"


def test_repr_of_a_key_that_could_not_be_opened_says_so() -> None:
    assert repr(AnsweringKey.__new__(AnsweringKey)) == "<AnsweringKey that is not open>"


@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy, copy.copy])
def test_pickle_and_copy_refused_with_the_reason(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="AnsweringKey does not pickle: it stands for a private"):
        take(AnsweringKey("Ed25519"))
