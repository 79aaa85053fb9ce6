"""The page of the emulator's request log in a real browser."""

from __future__ import annotations

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from dfns_signers.emulator import Emulator
from tests.browser.chromium import ColorScheme, show_as
from tests.browser.looks import faults
from tests.browser.pages import SECONDS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_console_is_accessible_and_fits_its_window(
    browser: Chrome, emulator: Emulator, width: int, scheme: ColorScheme
) -> None:
    show_as(browser, width=width, scheme=scheme)
    httpx.get(f"{emulator.url}/wallets", headers={"authorization": "Bearer unknown"})
    browser.get(f"{emulator.url}/_emulator")
    WebDriverWait(browser, SECONDS).until(
        lambda _: browser.find_elements(By.CSS_SELECTOR, "#exchanges li")
    )
    browser.find_element(By.CSS_SELECTOR, "summary").click()

    assert faults(browser, width=width, photograph=f"console-{width}-{scheme}") == []
