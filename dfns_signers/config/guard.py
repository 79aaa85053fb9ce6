"""The built-in guard: judges a call by the rules of the configuration, and records it."""

from __future__ import annotations

from collections.abc import Callable

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.hook_registration import hookimpl
from dfns_signers.hooks import SigningRequest
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.unknown_calls import unknown_call
from dfns_signers.signing_key import Evidence

PolicyOf = Callable[[SigningRequest], Policy | None]


class Guard:
    """Stands last before a signature, after the plugins, so that what it records is what happens.

    Args:
        policies: the rules that must all allow a call; a function may choose them by caller.
        trail: where decisions and signatures are recorded; None for nowhere.
        signs_unrecorded: whether a call is signed that cannot be recorded.
    """

    def __init__(
        self, policies: PolicyOf, trail: AuditTrail | None, *, signs_unrecorded: bool = False
    ) -> None:
        self._policies = policies
        self._trail = trail
        self._signs_unrecorded = signs_unrecorded

    @hookimpl
    def before_sign(self, request: SigningRequest) -> None:
        """Refuse what no rule allows, and what cannot be recorded."""
        policy = self._policies(request)
        if policy is None:
            return
        if request.call is None:
            raise unknown_call(request.credential_id)
        policy.admit(request.call)

    @hookimpl
    def after_sign(self, request: SigningRequest, evidence: Evidence) -> None:
        """Record a signature."""

    @hookimpl
    def sign_failed(self, request: SigningRequest, error: Exception) -> None:
        """Record a refusal, or a signature that failed."""
