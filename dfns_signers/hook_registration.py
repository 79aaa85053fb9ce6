"""Register plugins with pluggy, and refuse those whose hooks would not do what they seem to."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pluggy

from dfns_signers.arguments import shown
from dfns_signers.errors import PluginError

if TYPE_CHECKING:
    from dfns_signers.announced_call import AnnouncedCall, CallAnswer
    from dfns_signers.backends.backend import Backend
    from dfns_signers.hooks import SigningRequest
    from dfns_signers.signing_key import Evidence

PROJECT: Final = "dfns_signers"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


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

    @hookspec
    def call_answered(self, call: AnnouncedCall, answer: CallAnswer) -> None:
        """Observe what came of a call after its challenge was signed, once for each attempt.

        Called where ``UserActionAuth`` or a client sends the call, or would have sent it had its
        caller waited for the signature. An exception is logged and changes nothing.
        """


_SIGNING_HOOKS: Final = {
    name: frozenset(inspect.signature(getattr(HookSpecification, name)).parameters) - {"self"}
    for name in ("before_sign", "after_sign", "sign_failed", "call_answered")
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


def implementations(
    plugins: Iterable[tuple[str | None, object]],
) -> Mapping[str, Sequence[pluggy.HookImpl]]:
    """The implementations of each hook in the signing path.

    They are in pluggy's order: the last registered first, but for ``tryfirst``.

    Args:
        plugins: modules or objects with ``hookimpl`` functions, with the name of each.

    Raises:
        PluginError: as for ``SigningHooks``.
    """
    manager = new_plugin_manager()
    for name, plugin in plugins:
        _register(manager, name, plugin)
    return {hook: _of_hook(manager, hook) for hook in _SIGNING_HOOKS}


def _of_hook(manager: pluggy.PluginManager, hook: str) -> list[pluggy.HookImpl]:
    return getattr(manager.hook, hook).get_hookimpls()[::-1]  # type: ignore[no-any-return]


def _register(manager: pluggy.PluginManager, name: str | None, plugin: object) -> None:
    try:
        manager.register(plugin, name=name)
        manager.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        raise _unusable(name or plugin, str(error)) from error
    hooks = [
        (hook, own)
        for hook in _SIGNING_HOOKS
        for own in _of_hook(manager, hook)
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


def _unusable(plugin: object, reason: str) -> PluginError:
    return PluginError(f"the plugin {shown(plugin)} cannot be registered: {reason}")
