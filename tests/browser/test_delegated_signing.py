"""Somebody uses the example in a real browser, against the emulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from dfns_signers.emulator import Emulator
from tests.browser.chromium import ColorScheme, show_as
from tests.browser.pages import Page

EMAIL = "ada@example.com"
TO = "0x" + "5a" * 20
SCREENSHOTS = Path(".local/screenshots")
AXE = Path(".local/browser-sdk/node_modules/axe-core/axe.min.js")


def test_visitor_registers_makes_a_wallet_and_sends_what_the_desk_approves(page: Page) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")
    assert [address[:2] for address in page.wallets] == ["0x"]

    page.send(7, TO)
    page.expect("The transfer waits for the operations desk.")
    page.expect_transfer("Pending")
    page.decide("Approve")

    page.expect("The transfer is approved.")
    page.expect_transfer("Confirmed")
    assert page.complaints == []


def test_denied_transfer_is_rejected(page: Page) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")
    page.send(7, TO)
    page.expect_transfer("Pending")

    page.decide("Deny")

    page.expect("The transfer is denied.")
    page.expect_transfer("Rejected")


def test_passkey_signs_in_again_from_a_fresh_session(page: Page, browser: Chrome) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")
    wallets = page.wallets
    browser.delete_all_cookies()
    browser.refresh()

    page.log_in(EMAIL)

    page.expect("You are signed in.")
    assert page.wallets == wallets


def test_recovery_key_makes_a_new_passkey_and_the_old_one_is_refused(
    page: Page, browser: Chrome
) -> None:
    key = page.register(EMAIL)
    (lost,) = browser.get_credentials()
    browser.remove_all_credentials()
    browser.delete_all_cookies()
    browser.refresh()

    page.recover(EMAIL, key)

    page.expect("Your account is back, with a new passkey.")
    page.create_wallet()
    page.expect("The wallet is ready.")
    browser.remove_all_credentials()
    browser.add_credential(lost)
    page.create_wallet()
    assert "The passkey was not used" in page.expect_error()


def test_recovery_key_of_before_the_recovery_is_refused(page: Page, browser: Chrome) -> None:
    key = page.register(EMAIL)
    for said in ("Your account is back", ""):
        browser.remove_all_credentials()
        browser.delete_all_cookies()
        browser.refresh()
        page.recover(EMAIL, key)
        if said:
            page.expect(said)

    assert "recover" in page.expect_error()


@pytest.mark.parametrize(
    ("origin", "times"), [("own code", 1), ("official SDK", 2)], indirect=["origin"]
)
def test_either_code_signs_the_challenge_in_its_own_form(
    page: Page, emulator: Emulator, times: int
) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")

    (signed,) = [
        json.loads(request.body)["firstFactor"]["credentialAssertion"]["clientData"]
        for request in emulator.requests
        if request.raw_path == "/auth/action" and b'"Fido2"' in request.body
    ]
    challenge = json.loads(decoded(signed))["challenge"]
    for _ in range(times):
        challenge = decoded(challenge).decode()
    assert challenge.startswith("ch-")


class TestOtherOrigin:
    """The emulator has the passkeys of another site."""

    @pytest.fixture
    def emulator(self) -> Iterator[Emulator]:
        with Emulator(origins=["http://localhost:1"]) as running:
            yield running

    def test_passkey_made_on_another_origin_is_refused(self, page: Page) -> None:
        page.ask_to_register(EMAIL)

        assert "origin" in page.expect_error()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("origin", ["own code"], indirect=True)
def test_page_fits_its_window(page: Page, browser: Chrome, width: int, scheme: ColorScheme) -> None:
    show_as(browser, width=width, scheme=scheme)
    photograph(browser, f"signed-out-{width}-{scheme}")
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")
    page.send(7, TO)
    page.expect_transfer("Pending")
    photograph(browser, f"signed-in-{width}-{scheme}")

    needed = browser.execute_script("return document.documentElement.scrollWidth")
    assert needed <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("origin", ["own code"], indirect=True)
def test_page_is_accessible(page: Page, browser: Chrome, scheme: ColorScheme) -> None:
    show_as(browser, width=1280, scheme=scheme)
    browser.execute_script(AXE.read_text())
    signed_out = violations(browser)
    page.register(EMAIL)
    page.create_wallet()
    page.expect("The wallet is ready.")
    page.send(7, TO)
    page.expect_transfer("Pending")

    assert (signed_out, violations(browser)) == ([], [])


def violations(browser: Chrome) -> list[str]:
    """What axe finds wrong with the page as it is."""
    found = browser.execute_async_script(
        "axe.run().then((result) => arguments[0](result.violations))"
    )
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def photograph(browser: Chrome, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    assert browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
