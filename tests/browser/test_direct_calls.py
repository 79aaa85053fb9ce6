"""A page calls the emulator itself with the official SDK: CORS, and passkeys of an end user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from socket import socket
from typing import Any

import pytest
from selenium.webdriver import Chrome
from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.routing import Route

from dfns_signers import DfnsClient, KeySigner, PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.public_keys import public_key_pem
from tests.browser.conftest import BUNDLES
from tests.core.keys import private_key, private_pem
from tests.examples.serving import bound, origin_of, served

EMAIL = "ada@example.com"
PAGE = '<!doctype html><title>A page</title><script type="module" src="/direct.js"></script>'


@dataclass(frozen=True)
class Sdk:
    """The official SDK in a page."""

    browser: Chrome

    def step(self, name: str, *arguments: Any) -> Any:
        """The result of a step of direct.js; fails with its error."""
        done, result = self.browser.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "window.steps[arguments[0]](...arguments[1])"
            ".then((result) => done([true, result]), (error) => done([false, String(error)]));",
            name,
            arguments,
        )
        assert done, result
        return result

    def refused(self, name: str, *arguments: Any) -> str:
        """The error of a step."""
        with pytest.raises(AssertionError) as caught:
            self.step(name, *arguments)
        return str(caught.value)

    def register(self) -> None:
        assert self.step("register") == EMAIL


@pytest.fixture
def listener() -> Iterator[socket]:
    with bound() as listener:
        yield listener


@pytest.fixture
def origin(listener: socket) -> str:
    return origin_of(listener)


@pytest.fixture
def emulator(origin: str) -> Iterator[Emulator]:
    with Emulator(cors_origins=[origin]) as running:
        yield running


@pytest.fixture
def sdk(browser: Chrome, listener: socket, origin: str, emulator: Emulator) -> Iterator[Sdk]:
    """In a page that has nothing but the SDK, and a server that begins registrations."""
    routes = [
        Route("/", lambda _: HTMLResponse(PAGE)),
        Route("/direct.js", lambda _: FileResponse(BUNDLES / "direct.js")),
        Route("/registration", lambda _: JSONResponse(begun_registration(emulator))),
    ]
    with served(Starlette(routes=routes), listener):
        browser.get(origin)
        yield Sdk(browser)


def test_page_registers_a_passkey_and_makes_wallets_direct_and_delegated(sdk: Sdk) -> None:
    sdk.register()

    made = [sdk.step("createWallet"), sdk.step("createWalletDelegated")]

    assert [wallet["network"] for wallet in made] == ["EthereumSepolia", "EthereumSepolia"]
    assert made[0]["signingKey"]["delegatedTo"] == made[1]["signingKey"]["delegatedTo"]


def test_page_logs_in_with_its_passkey(sdk: Sdk) -> None:
    sdk.register()

    sdk.step("logIn", EMAIL)

    assert sdk.step("createWallet")["status"] == "Active"


def test_second_passkey_is_registered_by_the_first_and_signs_without_it(
    sdk: Sdk, browser: Chrome
) -> None:
    sdk.register()
    (first,) = browser.get_credentials()
    browser.remove_all_credentials()
    sdk.step("makePasskey")
    (second,) = browser.get_credentials()
    browser.remove_all_credentials()
    browser.add_credential(first)
    sdk.step("registerPasskey")

    browser.remove_all_credentials()
    browser.add_credential(second)

    assert sdk.step("createWallet")["status"] == "Active"


class TestOfAnotherOrigin:
    """The emulator lets the pages of another origin call it."""

    @pytest.fixture
    def emulator(self) -> Iterator[Emulator]:
        with Emulator(cors_origins=["http://localhost:1"]) as running:
            yield running

    def test_page_cannot_call_the_api(self, sdk: Sdk) -> None:
        assert "Network request failed" in sdk.refused("register")


class TestOfAnotherDomain:
    """The emulator has the passkeys of another domain."""

    @pytest.fixture
    def emulator(self, origin: str) -> Iterator[Emulator]:
        with Emulator(cors_origins=[origin], rp_id="wallets.example") as running:
            yield running

    def test_page_makes_no_passkey_that_it_takes(self, sdk: Sdk) -> None:
        assert "wallets.example" in sdk.refused("register")


def begun_registration(emulator: Emulator) -> dict[str, Any]:
    """Where the page goes on, and the challenge of its user."""
    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    account = emulator.add_identity(
        "server", service_account=True, credentials={"cr-server": public_key_pem(key.public_key)}
    )
    with DfnsClient(account.token, KeySigner(key, "cr-server"), base_url=emulator.url) as dfns:
        challenge = dfns.auth.end_users.register(email=EMAIL)
    return {"baseUrl": emulator.url, "orgId": emulator.org_id, "challenge": challenge}
