"""Whether people can read and use a page as it is shown."""

from __future__ import annotations

from pathlib import Path

from selenium.webdriver import Chrome

_SCREENSHOTS = Path(".local/screenshots")
_AXE = Path(".local/browser-sdk/node_modules/axe-core/axe.min.js")


def faults(browser: Chrome, *, width: int, photograph: str) -> list[str]:
    """What axe finds wrong, and whether the page is wider than its window.

    Args:
        browser: shows the page.
        width: of the window, in pixels.
        photograph: name of the screenshot that is left to look at.
    """
    _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    assert browser.save_screenshot(str(_SCREENSHOTS / f"{photograph}.png"))
    browser.execute_script(_AXE.read_text("utf-8"))
    found = browser.execute_async_script(
        "axe.run().then((result) => arguments[0](result.violations))"
    )
    faults = [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
    needed = browser.execute_script("return document.documentElement.scrollWidth")
    return [*faults, f"{needed} pixels wide"] if needed > width else faults
