"""What becomes of a signature whose caller was cancelled: it is said to observers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from dfns_signers import worker_threads
from dfns_signers.errors import SigningCancelledError
from dfns_signers.evidence import KeyResponse, Signature

if TYPE_CHECKING:
    from concurrent.futures import Future

Abandoned: TypeAlias = Callable[[Signature | Exception], object]
"""Hears, in a worker thread, what became of a signature whose caller was cancelled."""


@contextmanager
def if_cancelled(report: Callable[[], object]) -> Iterator[None]:
    """Call a function if what runs inside is cancelled or interrupted, and not if it fails."""
    try:
        yield
    except Exception:  # a failure is reported where it is handled
        raise
    except BaseException:  # cancelled by asyncio or trio, or Ctrl-C
        report()
        raise


def account_for(
    signing: Future[KeyResponse] | None,
    key: str,
    check: Callable[[KeyResponse], Signature],
    abandoned: Abandoned,
) -> None:
    """See that what becomes of a signature is said.

    Args:
        signing: the signature, where it is made in a worker thread.
        key: the key as resolved, for errors.
        check: makes a checked signature of what the key store answered.
        abandoned: hears of it.
    """
    if signing is not None:
        worker_threads.when_done(signing, lambda done: abandoned(_outcome(done, key, check)))
        return
    error = SigningCancelledError(
        f"the caller was cancelled while the key {key} was asked for a signature; whether it was "
        "made is unknown"
    )
    worker_threads.unwaited(abandoned, error)


def _outcome(
    done: Future[KeyResponse], key: str, check: Callable[[KeyResponse], Signature]
) -> Signature | Exception:
    if done.cancelled():
        return SigningCancelledError(
            f"the caller was cancelled before the key {key} was asked for a signature: none was "
            "made"
        )
    try:
        signature = check(done.result())
    except Exception as error:  # noqa: BLE001  # shown to observers
        return error
    return replace(signature, evidence=replace(signature.evidence, abandoned=True))
