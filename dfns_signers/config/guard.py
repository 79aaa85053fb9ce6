"""The built-in guard: judges a call by the rules of the configuration, and records it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, Protocol, TypeAlias

from dfns_signers.announced_call import AnnouncedCall, CallAnswer, names_in_query
from dfns_signers.errors import AuditError, PolicyRefusedError, SigningRefusedError
from dfns_signers.hook_registration import hookimpl
from dfns_signers.hooks import SigningRequest
from dfns_signers.signing_key import Evidence


class Recorder(Protocol):
    """Where records go: an ``AuditTrail``, or what adds to its records."""

    def append(self, event: str, *, call_id: str, **members: Any) -> None:
        """As of ``AuditTrail``."""


Judge: TypeAlias = Callable[[AnnouncedCall], str]
"""Returns the name of the rule that allows a call, empty for none; PolicyRefusedError if none does:
``Policy.admit`` or ``Policy.require``."""

JudgesOf: TypeAlias = Callable[[SigningRequest], Mapping[str, Judge]]
"""The judges of a request, each by the member of the record that names its rule."""

NAME: Final = "dfns-signers-guard"
"""What the guard is registered as."""

_log: Final = logging.getLogger(__name__)


class Guard:
    """Stands last before a signature, after the plugins, so that what it records is what happens.

    Args:
        judges: those that must all allow a call; a function may choose them by caller.
        trail: where decisions and signatures are recorded; None for nowhere.
        signs_unrecorded: whether a call is signed that cannot be recorded.
        judges_may_block: whether a judge waits for a store that counts.

    Attributes:
        hooks_may_block: whether its hooks have to run in a worker thread.
    """

    def __init__(
        self,
        judges: JudgesOf,
        trail: Recorder | None,
        *,
        signs_unrecorded: bool = False,
        judges_may_block: bool = True,
    ) -> None:
        self.hooks_may_block = judges_may_block or trail is not None
        self._judges = judges
        self._trail = trail
        self._signs_unrecorded = signs_unrecorded

    @hookimpl(trylast=True)
    def before_sign(self, request: SigningRequest) -> None:
        """Refuse what no rule allows, and what cannot be recorded."""
        try:
            rules = self._judge(request)
        except Exception as refusal:  # whatever fails here refuses
            self._record_refusal(request, refusal)
            raise
        self._record_permission(request, rules)

    def _judge(self, request: SigningRequest) -> dict[str, str | None]:
        """The names of the rules that allow a call, by the member that records each."""
        judges = self._judges(request)
        if not judges:
            return {}
        if request.call is None:
            raise _unknown_call(request.credential_id)
        return {member: judge(request.call) or None for member, judge in judges.items()}

    def _record_permission(self, request: SigningRequest, rules: dict[str, str | None]) -> None:
        if self._trail is None:
            return
        try:
            self._trail.append(
                "decided",
                call_id=request.id,
                outcome="allowed",
                **rules,
                **_what(request),
            )
        except AuditError as error:
            if not self._signs_unrecorded:
                raise PolicyRefusedError(
                    f"the call was not signed, for it cannot be recorded: {error}. Calls "
                    "are signed all the same with on_failure = \"sign\" in the table 'audit'",
                    check="audit",
                ) from error
            _log.error("a call is signed that is not recorded: %s", error)

    def _record_refusal(self, request: SigningRequest, refusal: Exception) -> None:
        by: dict[str, str | None] = {"check": "error", "error": type(refusal).__name__}
        if isinstance(refusal, PolicyRefusedError):
            by = {"rule": refusal.rule, "check": refusal.check}
        elif isinstance(refusal, SigningRefusedError):
            by = {"check": "plugin", "plugin": refusal.plugin}
        self._record("decided", request.id, outcome="refused", **by, **_what(request))

    @hookimpl
    def after_sign(self, request: SigningRequest, evidence: Evidence) -> None:
        """Record a signature."""
        self._record(
            "signed",
            request.id,
            key=evidence.key,
            keyVersion=evidence.key_version,
            fingerprint=evidence.fingerprint,
            algorithm=str(evidence.algorithm),
            requestId=evidence.request_id,
            attempts=evidence.attempts,
            milliseconds=_milliseconds(evidence.duration),
            verified=evidence.verified,
            abandoned=evidence.abandoned or None,
        )

    @hookimpl
    def sign_failed(self, request: SigningRequest, error: Exception) -> None:
        """Record the refusal of a plugin, or a signature that failed."""
        if not isinstance(error, SigningRefusedError):
            self._record("failed", request.id, error=type(error).__name__, **_what(request))
        elif error.plugin != NAME:
            self._record_refusal(request, error)

    @hookimpl
    def call_answered(self, call: AnnouncedCall, answer: CallAnswer) -> None:
        """Record what came of a call."""
        self._record(
            "answered",
            call.id,
            status=answer.status,
            error=answer.error,
            errorId=answer.error_id,
            mayHaveTakenEffect=answer.may_have_taken_effect or None,
            milliseconds=_milliseconds(answer.seconds),
        )

    def _record(self, event: str, call_id: str, **members: Any) -> None:
        """Record what has happened, which nothing can undo any more."""
        if self._trail is None:
            return
        try:
            self._trail.append(event, call_id=call_id, **members)
        except AuditError as error:
            _log.error("the record %r of the call %s is lost: %s", event, call_id, error)


def _unknown_call(credential_id: str) -> PolicyRefusedError:
    """The refusal where only the challenge is known, as within the official SDK."""
    return PolicyRefusedError(
        f"only the challenge is known to the credential {credential_id}, and its rules are about "
        "calls: sign with DfnsClient or UserActionAuth of this package, or have 'dfns-signers "
        "gateway' sign for the official SDK, or take the rules out of the profile that it uses",
        check="unknown-call",
    )


def _what(request: SigningRequest) -> dict[str, Any]:
    """What is to be signed, with no value of it."""
    return {
        "credential": request.credential_id,
        "key": request.key,
        "fingerprint": request.fingerprint,
        **(_call(request.call) if request.call else {}),
    }


def _call(call: AnnouncedCall) -> dict[str, Any]:
    return {
        "caller": call.caller,
        "method": call.method,
        "path": call.path,
        "query": names_in_query(call.query) or None,
        "bodySha256": sha256(call.payload.encode()).hexdigest() if call.payload else None,
    }


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 3)
