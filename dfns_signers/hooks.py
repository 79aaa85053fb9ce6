"""What plugins can do in the signing path: refuse before a signature, observe after it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pluggy

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import PluginError, SigningRefusedError
from dfns_signers.signing_key import Evidence

if TYPE_CHECKING:
    from dfns_signers.backends.backend import Backend

PROJECT: Final = "dfns_signers"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)

_SIGNING_HOOKS: Final = ("before_sign", "after_sign")

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnnouncedCall:
    """The API call that a user action is for.

    Attributes:
        method: upper-case HTTP method.
        path: percent-encoded path without query and without the prefix of the base URL.
        payload: the request body as text, exactly as it will be sent; ``""`` for no body.
        query: percent-encoded query, which is not announced; ``""`` for none.
    """

    method: str
    path: str
    payload: str = field(repr=False)
    query: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What is about to be signed, as ``before_sign`` and ``after_sign`` see it.

    Attributes:
        credential_id: the Dfns credential that will sign.
        key: the signing key as resolved, such as an ARN or a path.
        algorithm: scheme of the key.
        challenge: the challenge as the API sent it.
        message: the clientData bytes that will be signed.
        call: method, path and body, where one of this package's clients is the caller;
            None where only the challenge is known, as within the official SDK.
    """

    credential_id: str
    key: str
    algorithm: Algorithm
    challenge: Mapping[str, Any] = field(repr=False)
    message: bytes = field(repr=False)
    call: AnnouncedCall | None = None


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
            raise PluginError(
                f"the plugin {name or plugin!r} cannot be registered: {error}"
            ) from error
        implementations = [
            implementation
            for caller in self._manager.get_hookcallers(plugin) or ()
            for implementation in caller.get_hookimpls()
            if implementation.plugin is plugin and caller.name in _SIGNING_HOOKS
        ]
        if not implementations:
            raise PluginError(
                f"the plugin {name or plugin!r} has no hook in the signing path; mark its "
                f"functions {' and '.join(_SIGNING_HOOKS)} with dfns_signers.hookimpl"
            )
        for implementation in implementations:
            if set(implementation.kwargnames) & {"request", "evidence"}:
                raise PluginError(
                    f"the plugin {name or plugin!r} cannot be registered: arguments of "
                    f"{implementation.function.__name__} have defaults, and would not be given"
                )
            if _is_deferred(implementation.function):
                raise PluginError(
                    f"the plugin {name or plugin!r} cannot be registered: "
                    f"{implementation.function.__name__} is asynchronous or a wrapper; expected a "
                    "plain function"
                )

    def __bool__(self) -> bool:
        """Whether anybody stands in the signing path."""
        hooks = self._manager.hook
        return bool(hooks.before_sign.get_hookimpls() or hooks.after_sign.get_hookimpls())

    def before(self, request: SigningRequest) -> None:
        """Ask every guard.

        Raises:
            SigningRefusedError: one of them refused, or failed.
        """
        for guard in reversed(self._manager.hook.before_sign.get_hookimpls()):
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
                    f"the plugin {guard.plugin_name!r} answered {answer!r} before a signature with "
                    f"the key {request.key}, which counts as a refusal: a guard refuses by raising "
                    "SigningRefusedError, and returns nothing otherwise"
                )

    def after(self, request: SigningRequest, evidence: Evidence) -> None:
        """Tell every observer."""
        for observer in reversed(self._manager.hook.after_sign.get_hookimpls()):
            try:
                _call(observer, request=request, evidence=evidence)
            except (Exception, SystemExit):  # noqa: BLE001  # an observer may raise anything
                _log.exception(
                    "the plugin %r failed after a signature with the key %s; the signature stands",
                    observer.plugin_name,
                    request.key,
                )


def _is_deferred(function: Callable[..., object]) -> bool:
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    )


def _call(implementation: pluggy.HookImpl, **values: object) -> object:
    # One at a time, not through pluggy's multicall: one failing observer must not silence others.
    return implementation.function(*(values[name] for name in implementation.argnames))
