"""Somebody uses the example in a real browser, against the emulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys

from dfns_signers.emulator import Emulator
from tests.browser.chromium import (
    ColorScheme,
    chromium,
    plug_in_authenticator,
    show_as,
)
from tests.browser.looks import faults
from tests.browser.pages import Page

EMAIL = "ada@example.com"
TO = "0x" + "5a" * 20
ONE_CODE = pytest.mark.parametrize("origin", ["own code"], indirect=True)


def test_visitor_makes_a_wallet_gets_funds_that_the_desk_approves_and_sends_them(
    page: Page,
) -> None:
    page.register(EMAIL)
    assert page.create_wallet().startswith("0x")

    page.ask_for_funds()
    page.expect_transfer("Pending")
    page.decide("Approve")
    page.expect("The request is approved.")
    page.expect_transfer("Confirmed")
    page.send(7, TO)

    page.expect("The transfer is on its way.")
    page.expect_transfer("Confirmed 7 wei", ordinal=2)
    assert page.complaints == []


def test_denied_funds_are_rejected(page: Page) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.ask_for_funds()

    page.decide("Deny")

    page.expect("The request is denied.")
    page.expect_transfer("Rejected")


@ONE_CODE
def test_reloaded_page_goes_on_with_what_was_pending(page: Page, browser: Chrome) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.ask_for_funds()

    browser.refresh()

    page.expect_transfer("Pending")
    page.decide("Approve")
    page.expect_transfer("Confirmed")


@ONE_CODE
def test_two_visitors_share_the_desk_and_nothing_else(
    page: Page, browser: Chrome, origin: str, tmp_path: Path
) -> None:
    page.register(EMAIL)
    page.create_wallet()
    page.ask_for_funds()

    with chromium(tmp_path / "of the other") as second:
        plug_in_authenticator(second)
        second.get(origin)
        other = Page(second)
        other.register("eve@example.com")
        assert (other.wallets, other.transfers) == ([], [])
        other.decide("Approve")
        other.expect("The request is approved.")

    page.expect_transfer("Confirmed")


@ONE_CODE
@pytest.mark.parametrize("authenticator", [{"is_user_verified": False}], indirect=True)
def test_authenticator_that_does_not_verify_its_user_makes_no_account(page: Page) -> None:
    page.ask_to_register(EMAIL)

    assert "The passkey was not used" in page.expect_error()
    assert not page.is_signed_in


@ONE_CODE
def test_keyboard_alone_registers_and_makes_a_wallet(page: Page, browser: Chrome) -> None:
    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    press(Keys.TAB, EMAIL, Keys.TAB, Keys.ENTER)
    page.expect("Your account is ready.")
    press(Keys.TAB, Keys.ENTER)

    page.expect("The wallet is ready.")


def test_passkey_signs_in_again_from_a_fresh_session(page: Page, browser: Chrome) -> None:
    page.register(EMAIL)
    page.create_wallet()
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
    browser.remove_all_credentials()
    browser.add_credential(lost)
    page.ask_for_wallet()
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

    assert "This recovery key is not" in page.expect_error()


@pytest.mark.parametrize(
    ("origin", "times"), [("own code", 1), ("official SDK", 2)], indirect=["origin"]
)
def test_either_code_signs_the_challenge_in_its_own_form(
    page: Page, emulator: Emulator, times: int
) -> None:
    page.register(EMAIL)
    page.create_wallet()

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


@ONE_CODE
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_accessible_and_fits_its_window(
    page: Page, browser: Chrome, width: int, scheme: ColorScheme
) -> None:
    """In each state; all of them are photographed."""
    show_as(browser, width=width, scheme=scheme)
    found = {}

    def look(state: str) -> None:
        found[state] = faults(browser, width=width, photograph=f"{state}-{width}-{scheme}")

    look("signed-out")
    page.log_in("nobody@example.com")
    page.expect_error()
    look("error")
    page.register(EMAIL)
    look("registered")
    page.create_wallet()
    page.ask_for_funds()
    look("pending")
    page.decide("Deny")
    page.expect_transfer("Rejected")
    page.ask_for_funds()
    page.decide("Approve")
    page.expect_transfer("Confirmed", ordinal=2)
    look("decided")

    assert not any(found.values()), found


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
