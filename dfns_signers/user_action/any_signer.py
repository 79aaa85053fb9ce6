"""Whatever answers challenges: signers of this package, of the official SDK, and of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from dfns_signers import deadlines, worker_threads
from dfns_signers.errors import DfnsSignersError, SigningError
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.signing_flow import SignChallenge, described


class PlainSigner(Protocol):
    """A signer of the official Python SDK: ``sign`` and nothing else."""

    def sign(self, challenge: Any) -> Any:
        """Answer a challenge."""


def is_signer(candidate: object) -> bool:
    """Whether something can answer challenges, as far as can be seen."""
    return callable(getattr(candidate, "sign", None))


def answer(step: SignChallenge) -> Any:
    """What the signer answers to the challenge.

    Raises:
        SigningError: the signer failed with an error that is not of this package.
    """
    with _failures_of(step.signer):
        return step.signer.sign(step.challenge)


async def aanswer(step: SignChallenge) -> Any:
    """Like ``answer``; a signer without ``asign`` is asked in a worker thread."""
    with _failures_of(step.signer):
        asign = getattr(step.signer, "asign", None)
        if asign is not None:
            return await asign(step.challenge)
        return await worker_threads.run(step.signer.sign, step.challenge)


@contextmanager
def _failures_of(signer: object) -> Iterator[None]:
    is_ours = isinstance(signer, KeySigner)
    try:
        # What a signer of others begins may outlive this call.
        with nullcontext() if is_ours else deadlines.lifted():
            yield
    except DfnsSignersError:
        raise
    except Exception as error:
        # Without the text of the error, which may repeat a secret.
        raise SigningError(f"{described(signer)} failed with {type(error).__name__}") from error
