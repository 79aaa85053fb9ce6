"""What plugins do in the signing path: refuse before a signature, observe after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dfns_signers import deadlines
from dfns_signers.algorithms import Algorithm
from dfns_signers.announced_call import AnnouncedCall as AnnouncedCall  # noqa: PLC0414  # ours too
from dfns_signers.announced_call import CallAnswer as CallAnswer  # noqa: PLC0414  # ours too
from dfns_signers.announced_call import new_call_id
from dfns_signers.arguments import shown
from dfns_signers.errors import SigningRefusedError
from dfns_signers.signing_key import Evidence, SigningKey

if TYPE_CHECKING:
    from pluggy import HookImpl

    # Authors of plugins import them from here, too.
    from dfns_signers.hook_registration import HookSpecification as HookSpecification  # noqa: PLC0414
    from dfns_signers.hook_registration import hookimpl as hookimpl  # noqa: PLC0414
else:

    def __getattr__(name: str) -> Any:
        # A signer without plugins needs no pluggy.
        if name in {"HookSpecification", "hookimpl"}:
            from dfns_signers import hook_registration  # noqa: PLC0415

            return getattr(hook_registration, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What is to be signed, as guards and observers see it.

    Attributes:
        credential_id: the Dfns credential that will sign.
        key: the signing key as resolved, such as an ARN or a path; ``a key that is not open`` where
            signing failed before it was opened.
        algorithm: scheme of the key; None where signing failed before it was opened.
        challenge: the challenge as the API sent it.
        message: the clientData bytes that will be signed; empty where signing failed before the
            key was opened.
        call: method, path and body, where one of this package's clients is the caller;
            None where only the challenge is known, as within the official SDK.
        id: names this attempt in the audit trail; that of ``call``, where there is one.
        fingerprint: ``sha256:…`` of the public key; None where signing failed before it was opened.
    """

    credential_id: str
    key: str
    algorithm: Algorithm | None
    challenge: Mapping[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    call: AnnouncedCall | None = None
    id: str = field(default_factory=new_call_id, repr=False, compare=False)
    fingerprint: str | None = field(default=None, compare=False)

    def with_key(self, key: SigningKey, message: bytes) -> SigningRequest:
        """The same request, with the key that was opened for it and what it is to sign."""
        return replace(
            self,
            key=key.reference,
            algorithm=key.algorithm,
            message=message,
            fingerprint=key.fingerprint,
        )


class SigningHooks:
    """The registered guards and observers of one signer.

    Args:
        plugins: modules or objects with ``hookimpl`` functions, with the name of each.

    Raises:
        PluginError: no hook, one that does not exist or takes other arguments, or one that is
            asynchronous or a wrapper, whose body would not run when it is called.
    """

    def __init__(self, plugins: Iterable[tuple[str | None, object]] = ()) -> None:
        self._by_hook: Mapping[str, Sequence[HookImpl]] = {}
        if given := list(plugins):
            from dfns_signers.hook_registration import implementations  # noqa: PLC0415

            self._by_hook = implementations(given)

    def __bool__(self) -> bool:
        """Whether anybody stands in the signing path."""
        return any(self._by_hook.values())

    @property
    def may_block(self) -> bool:
        """Whether a hook may wait for something: all but those of plugins that say ``False``."""
        every = (one for found in self._by_hook.values() for one in found)
        return any(getattr(one.plugin, "hooks_may_block", True) is not False for one in every)

    def before(self, request: SigningRequest) -> None:
        """Ask every guard; SigningRefusedError if one of them refused, or failed."""
        for guard in self._by_hook.get("before_sign", ()):
            try:
                answer = _call(guard, request=request)
            except SigningRefusedError as error:
                error.plugin = guard.plugin_name
                raise
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise _counts_as_refusal(guard, request, "failed", why) from error
            if answer is not None:
                why = (
                    "a guard refuses by raising SigningRefusedError, and returns nothing otherwise"
                )
                raise _counts_as_refusal(guard, request, f"answered {shown(answer)}", why)

    def after(self, request: SigningRequest, evidence: Evidence) -> None:
        """Report a signature to every observer."""
        self._observe("after_sign", "a signature", request=request, evidence=evidence)

    def failed(self, request: SigningRequest, error: Exception) -> None:
        """Report a signature that failed or was refused to every observer."""
        self._observe("sign_failed", "a failed signature", request=request, error=error)

    @property
    def observes_answers(self) -> bool:
        """Whether anybody wants to know what came of a call."""
        return bool(self._by_hook.get("call_answered"))

    def answered(self, call: AnnouncedCall, answer: CallAnswer) -> None:
        """Report what came of a call to every observer."""
        self._observe("call_answered", "an answer", call=call, answer=answer)

    def _observe(self, hook: str, event: str, **values: Any) -> None:
        for observer in self._by_hook.get(hook, ()):
            try:
                _call(observer, **values)
            except BaseException as failure:  # an observer may raise anything
                if isinstance(failure, KeyboardInterrupt):
                    raise
                import logging  # noqa: PLC0415  # nobody else here needs it

                request: SigningRequest | None = values.get("request")
                logging.getLogger(__name__).exception(
                    "the plugin %r failed after %s%s, which it does not change",
                    observer.plugin_name,
                    event,
                    f" with the key {request.key}" if request else "",
                )


def _counts_as_refusal(
    guard: HookImpl, request: SigningRequest, what: str, why: str
) -> SigningRefusedError:
    refusal = SigningRefusedError(
        f"the plugin {guard.plugin_name!r} {what} before a signature with the key {request.key}, "
        f"which counts as a refusal: {why}"
    )
    refusal.plugin = guard.plugin_name
    return refusal


def _call(implementation: HookImpl, **values: object) -> object:
    # One at a time, not through pluggy's multicall: one failing observer must not silence others.
    # The time of this call is not that of what a hook begins.
    with deadlines.lifted():
        return implementation.function(*(values[name] for name in implementation.argnames))
