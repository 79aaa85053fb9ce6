"""Reports what came of a signed call to the observers of its signer."""

from __future__ import annotations

import time
from functools import partial
from types import TracebackType
from typing import Any

import httpx

from dfns_signers import worker_threads
from dfns_signers.announced_call import CallAnswer
from dfns_signers.errors import ApiError, CallError, DfnsSignersError
from dfns_signers.user_action.responses import BEFORE_SENDING, api_error
from dfns_signers.user_action.sent_requests import READS


class AnswerReport:
    """Follows one attempt at a call, and reports at the end of a ``with`` block.

    Nothing is reported where no challenge was signed, or nobody observes answers.

    Args:
        request: the call.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._begin = time.perf_counter()
        self._method = request.method
        self._signer: Any = None
        self._is_sent = False
        self._response: httpx.Response | None = None

    def signed(self, signer: object) -> None:
        """The challenge was signed."""
        if getattr(signer, "observes_answers", False):
            self._signer = signer

    @property
    def is_wanted(self) -> bool:
        """Whether there is anybody to report to."""
        return self._signer is not None

    def sending(self) -> None:
        """The call itself is handed over to be sent."""
        self._is_sent = True

    def answered(self, response: httpx.Response) -> None:
        """The call was answered."""
        self._response = response

    def __enter__(self) -> None:
        """What is followed begins."""

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Report."""
        if self.is_wanted:
            self._signer.answered(self._answer(error))

    async def __aenter__(self) -> None:
        """What is followed begins."""

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Report, in a worker thread if it may block, also where the caller was cancelled."""
        if not self.is_wanted:
            return
        report = partial(self._signer.answered, self._answer(error))
        if not getattr(self._signer, "hooks_may_block", True):
            report()
            return
        try:
            await worker_threads.to_the_end(report)
        except DfnsSignersError:  # no thread to be had
            report()

    def _answer(self, error: BaseException | None) -> CallAnswer:
        if isinstance(error, GeneratorExit):
            # httpx closes the flow while it handles what went wrong; asyncio hides what that is.
            error = error.__context__ or error
        status = error_id = None
        may_have_taken_effect = self._may_have_taken_effect(error)
        if self._response is not None:
            status = self._response.status_code
            if error is None and self._response.is_error:
                refusal = api_error(self._response, call=True)
                error_id, may_have_taken_effect = refusal.error_id, refusal.may_have_taken_effect
        elif isinstance(error, ApiError):
            status, error_id = error.status, error.error_id
        return CallAnswer(
            status=status,
            error=_name(error),
            error_id=error_id,
            seconds=time.perf_counter() - self._begin,
            may_have_taken_effect=may_have_taken_effect,
        )

    def _may_have_taken_effect(self, error: BaseException | None) -> bool:
        if error is None or not self._is_sent or self._method in READS:
            return False
        if isinstance(error, CallError):
            return error.may_have_taken_effect
        return not isinstance(error, BEFORE_SENDING)


def _name(error: BaseException | None) -> str | None:
    if error is None:
        return None
    return "no answer" if isinstance(error, GeneratorExit) else type(error).__name__
