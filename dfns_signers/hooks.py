"""What plugins can do in the signing path: refuse before a signature, observe after it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pluggy

from dfns_signers import deadlines
from dfns_signers.algorithms import Algorithm
from dfns_signers.announced_call import AnnouncedCall as AnnouncedCall  # noqa: PLC0414  # ours too
from dfns_signers.arguments import shown
from dfns_signers.errors import PluginError, SigningRefusedError
from dfns_signers.signing_key import Evidence, SigningKey

if TYPE_CHECKING:
    from dfns_signers.backends.backend import Backend

PROJECT: Final = "dfns_signers"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


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
    """

    credential_id: str
    key: str
    algorithm: Algorithm | None
    challenge: Mapping[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    call: AnnouncedCall | None = None

    def with_key(self, key: SigningKey, message: bytes) -> SigningRequest:
        """The same request, with the key that was opened for it and what it is to sign."""
        return replace(self, key=key.reference, algorithm=key.algorithm, message=message)


class HookSpecification:
    """The hooks of the pluggy project ``dfns_signers``."""

    @hookspec(firstresult=True)
    def dfns_backend(self) -> Backend[Any]:
        """Provide the backend that the plugin's entry point is named after."""
        raise NotImplementedError

    @hookspec
    def before_sign(self, request: SigningRequest) -> None:
        """Look at what is about to be signed; raise SigningRefusedError to refuse it.

        Any other exception refuses as well, and so does an answer other than None: a guard that
        fails, or that was meant to say no, must not let through.
        """

    @hookspec
    def after_sign(self, request: SigningRequest, evidence: Evidence) -> None:
        """Observe a signature that was made. An exception is logged and changes nothing."""

    @hookspec
    def sign_failed(self, request: SigningRequest, error: Exception) -> None:
        """Observe a signature that failed or was refused, by a guard or before one was asked.

        ``error`` is what the caller of ``sign`` gets. An exception is logged and changes nothing.
        """


_SIGNING_HOOKS: Final = {
    name: frozenset(inspect.signature(getattr(HookSpecification, name)).parameters) - {"self"}
    for name in ("before_sign", "after_sign", "sign_failed")
}
"""The hooks in the signing path, each with its arguments."""

_DEFERRED: Final = (
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
)


def new_plugin_manager() -> pluggy.PluginManager:
    """A plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecification)
    return manager


class SigningHooks:
    """The registered guards and observers of one signer.

    Args:
        plugins: modules or objects with ``hookimpl`` functions, with the name of each.

    Raises:
        PluginError: no hook, one that does not exist or takes other arguments, or one that is
            asynchronous or a wrapper, whose body would not run when it is called.
    """

    def __init__(self, plugins: Iterable[tuple[str | None, object]] = ()) -> None:
        self._manager = new_plugin_manager()
        for name, plugin in plugins:
            self._register(name, plugin)

    def _register(self, name: str | None, plugin: object) -> None:
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            raise _unusable(name or plugin, str(error)) from error
        hooks = [
            (hook, own)
            for hook in _SIGNING_HOOKS
            for own in self._implementations(hook)
            if own.plugin is plugin
        ]
        if not hooks:
            raise PluginError(
                f"the plugin {shown(name or plugin)} has no hook in the signing path; mark its "
                f"functions {', '.join(_SIGNING_HOOKS)} with dfns_signers.hookimpl"
            )
        for hook, own in hooks:
            function = own.function
            if _SIGNING_HOOKS[hook] & set(own.kwargnames):
                raise _unusable(
                    name or plugin,
                    f"arguments of {function.__name__} have defaults, and would not be given",
                )
            if any(is_deferred(function) for is_deferred in _DEFERRED):
                raise _unusable(
                    name or plugin,
                    f"{function.__name__} is asynchronous or a wrapper; expected a plain function",
                )

    def __bool__(self) -> bool:
        """Whether anybody stands in the signing path."""
        return any(self._implementations(name) for name in _SIGNING_HOOKS)

    def before(self, request: SigningRequest) -> None:
        """Ask every guard; SigningRefusedError if one of them refused, or failed."""
        for guard in self._implementations("before_sign"):
            try:
                answer = _call(guard, request=request)
            except SigningRefusedError:
                raise
            except Exception as error:
                raise SigningRefusedError(
                    f"the plugin {guard.plugin_name!r} failed before a signature with the key "
                    f"{request.key}, which counts as a refusal: {type(error).__name__}: {error}"
                ) from error
            if answer is not None:
                raise SigningRefusedError(
                    f"the plugin {guard.plugin_name!r} answered {shown(answer)} before a signature "
                    f"with the key {request.key}, which counts as a refusal: a guard refuses by "
                    "raising SigningRefusedError, and returns nothing otherwise"
                )

    def after(self, request: SigningRequest, evidence: Evidence) -> None:
        """Report a signature to every observer."""
        self._observe("after_sign", "a signature", request=request, evidence=evidence)

    def failed(self, request: SigningRequest, error: Exception) -> None:
        """Report a signature that failed or was refused to every observer."""
        self._observe("sign_failed", "a failed signature", request=request, error=error)

    def _observe(self, hook: str, event: str, **values: Any) -> None:
        for observer in self._implementations(hook):
            try:
                _call(observer, **values)
            except BaseException as failure:  # an observer may raise anything
                if isinstance(failure, KeyboardInterrupt):
                    raise
                import logging  # noqa: PLC0415  # nobody else here needs it

                logging.getLogger(__name__).exception(
                    "the plugin %r failed after %s with the key %s, which it does not change",
                    observer.plugin_name,
                    event,
                    values["request"].key,
                )

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        """Those of one hook in pluggy's order: the last registered first, but for ``tryfirst``."""
        return getattr(self._manager.hook, hook).get_hookimpls()[::-1]  # type: ignore[no-any-return]


def _unusable(plugin: object, reason: str) -> PluginError:
    return PluginError(f"the plugin {shown(plugin)} cannot be registered: {reason}")


def _call(implementation: pluggy.HookImpl, **values: object) -> object:
    # One at a time, not through pluggy's multicall: one failing observer must not silence others.
    # The time of this call is not that of what a hook begins.
    with deadlines.lifted():
        return implementation.function(*(values[name] for name in implementation.argnames))
