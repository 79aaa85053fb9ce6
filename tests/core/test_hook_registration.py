"""A plugin that would not do in the signing path what it is meant to is refused beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import PluginError, SigningRefusedError
from dfns_signers.hooks import SigningHooks, SigningRequest, hookimpl

REQUEST = SigningRequest("cr-1", "store/key-1", Algorithm.ES256, {"challenge": "Y2g"}, b"{}")


class Guard:
    def __init__(self) -> None:
        self.seen: list[SigningRequest] = []

    @hookimpl
    def before_sign(self, request: SigningRequest) -> None:
        self.seen.append(request)


def register(*plugins: object) -> SigningHooks:
    return SigningHooks((None, plugin) for plugin in plugins)


@pytest.mark.parametrize("plugin", [5, "x", pytest.param(10**5000, id="huge")])
def test_plugin_that_has_no_hook_refused(plugin: Any) -> None:
    with pytest.raises(PluginError, match="has no hook in the signing path"):
        register(plugin)


def test_hook_with_a_misspelt_name_refused_when_it_is_registered() -> None:
    class Typo:
        @hookimpl
        def before_sing(self, request: SigningRequest) -> None: ...

    with pytest.raises(PluginError, match="before_sing"):
        register(Typo())


def test_hook_with_an_unknown_argument_refused_when_it_is_registered() -> None:
    class Typo:
        @hookimpl
        def before_sign(self, reqest: SigningRequest) -> None: ...

    with pytest.raises(PluginError, match="reqest"):
        register(Typo())


def test_hook_whose_argument_has_a_default_refused_for_it_would_not_be_given() -> None:
    class Optimist:
        @hookimpl
        def before_sign(self, request: SigningRequest | None = None) -> None:
            raise AssertionError("never called")

    with pytest.raises(PluginError, match="arguments of before_sign have defaults"):
        register(Optimist())


def test_plugin_without_a_marked_hook_refused_rather_than_ignored() -> None:
    class Unmarked:
        def before_sign(self, request: SigningRequest) -> None:
            raise SigningRefusedError("never reached")

    with pytest.raises(PluginError, match="has no hook"):
        register(Unmarked())


class MereBackend:
    @hookimpl
    def dfns_backend(self) -> None:
        raise AssertionError("no backend is asked for")


def test_plugin_with_hooks_but_none_in_the_signing_path_refused() -> None:
    with pytest.raises(PluginError, match="no hook in the signing path") as caught:
        register(MereBackend())

    assert "before_sign, after_sign, sign_failed" in str(caught.value)


def test_plugin_without_a_hook_refused_beside_one_that_has_some() -> None:
    with pytest.raises(PluginError, match="no hook in the signing path"):
        SigningHooks([("guard", Guard()), ("backend", MereBackend())])


def test_backend_that_also_guards_is_asked_before_a_signature() -> None:
    class Both(MereBackend, Guard):
        pass

    both = Both()

    register(both).before(REQUEST)

    assert both.seen == [REQUEST]


def test_hook_whose_body_would_not_run_refused_when_it_is_registered() -> None:
    class Asynchronous:
        @hookimpl
        async def before_sign(self, request: SigningRequest) -> None:
            raise SigningRefusedError("never reached")

    class Wrapper:
        @hookimpl(wrapper=True)
        def before_sign(self, request: SigningRequest) -> Any:
            yield

    class AsynchronousGenerator:
        @hookimpl
        async def before_sign(self, request: SigningRequest) -> Any:
            yield

    for plugin in (Asynchronous(), AsynchronousGenerator(), Wrapper()):
        with pytest.raises(PluginError, match="before_sign is asynchronous or a wrapper"):
            register(plugin)


def test_same_plugin_twice_refused() -> None:
    guard = Guard()

    with pytest.raises(PluginError, match="cannot be registered"):
        register(guard, guard)
