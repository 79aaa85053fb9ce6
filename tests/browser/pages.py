"""The page of the example, as somebody uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 30


@dataclass(frozen=True)
class Page:
    """Fills in forms, presses buttons, and reads what the page says."""

    browser: Chrome

    def register(self, email: str) -> str:
        """Create an account; returns its recovery key."""
        self.ask_to_register(email)
        self.expect("Your account is ready.")
        return self.element("#recovery-key").text

    def ask_to_register(self, email: str) -> None:
        self._fill("email", email)
        self._press("Create account")

    def log_in(self, email: str) -> None:
        self._fill("email", email)
        self._press("Sign in")

    def recover(self, email: str, key: str) -> None:
        self.element("summary").click()
        self._fill("recovery-email", email)
        self._fill("key", key)
        self._press("Recover account")

    def ask_for_wallet(self) -> None:
        self._press("Create wallet")

    def create_wallet(self) -> str:
        """Create the first wallet; returns its address."""
        self.ask_for_wallet()
        self.expect("The wallet is ready.")
        return self.wallets[0]

    def ask_for_funds(self) -> None:
        """Ask for funds for the first wallet, and wait until the desk has the request."""
        self._press("Ask for funds")
        self.expect("Your request waits for the operations desk.")

    def send(self, amount: int, to: str) -> None:
        self._fill("to", to)
        self._fill("amount", str(amount))
        self._press("Send")

    def decide(self, button: str) -> None:
        """Press a button of the operations desk."""
        self._press(button)

    def expect(self, said: str) -> None:
        """Wait until the page says this."""
        self._until(lambda: said in self.status, f"the page to say {said!r}")

    def expect_transfer(self, shown: str, *, ordinal: int = 1) -> None:
        """Wait until the first transfer, or another, shows this."""
        self._until(
            lambda: any(one.startswith(shown) for one in self.transfers[ordinal - 1 : ordinal]),
            f"transfer {ordinal} to be {shown}",
        )

    def expect_error(self) -> str:
        """Wait for an error message."""
        self._until(lambda: self.element("#status").get_attribute("data-kind") == "error", "error")
        return self.status

    @property
    def status(self) -> str:
        return self.element("#status").text

    @property
    def is_signed_in(self) -> bool:
        return self.element("body").get_attribute("data-signed-in") == "yes"

    @property
    def transfers(self) -> list[str]:
        """Status, amount and recipient of each transfer."""
        rows = self.browser.execute_script(
            "return [...document.querySelectorAll('#transfers li')].map((row) => row.innerText)"
        )
        return [str(row) for row in rows]

    @property
    def wallets(self) -> list[str]:
        """Addresses of the wallets."""
        found = self.browser.find_elements(By.CSS_SELECTOR, "#wallets code")
        return [one.text for one in found]

    @property
    def complaints(self) -> list[str]:
        """What the browser has logged: errors of scripts, refused requests."""
        return [str(entry["message"]) for entry in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]

    def element(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def _fill(self, identifier: str, value: str) -> None:
        field = self.element(f"#{identifier}")
        field.clear()
        field.send_keys(value)

    def _press(self, label: str) -> None:
        button = self.browser.find_element(By.XPATH, f"//button[normalize-space()='{label}']")
        # Selenium scrolls no further than to the edge, where the status is in front.
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def _until(self, condition: Callable[[], bool], awaited: str) -> None:
        WebDriverWait(self.browser, SECONDS).until(
            lambda _: condition(), f"expected {awaited}; the page says {self.status!r}"
        )
