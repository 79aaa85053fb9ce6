"""The example in headless Chromium, with the page's own code and with the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route

from dfns_signers.emulator import Emulator
from examples.delegated_signing.__main__ import application
from tests.browser.chromium import chromium, plug_in_authenticator
from tests.browser.pages import Page
from tests.examples.serving import bound, origin_of, served

BUNDLES = Path(".local/browser-sdk").resolve()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def authenticator(request: pytest.FixtureRequest) -> dict[str, bool]:
    """How the authenticator differs from the usual one; a parameter of tests."""
    differences: dict[str, bool] = getattr(request, "param", {})
    return differences


@pytest.fixture
def browser(tmp_path: Path, authenticator: dict[str, bool]) -> Iterator[Chrome]:
    with chromium(tmp_path) as running:
        plug_in_authenticator(running, **authenticator)
        yield running


@pytest.fixture(params=["own code", "official SDK"])
def origin(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[str]:
    """Where the example is served, its passkeys handled by one of the two."""
    with bound() as listener:
        origin = origin_of(listener)
        app = application(emulator).starlette(origin=origin)
        if request.param == "official SDK":
            app = Starlette(
                routes=[Route("/passkeys.js", _official_sdk), Mount("/", app)],
                lifespan=app.router.lifespan_context,
            )
        with served(app, listener):
            yield origin


@pytest.fixture
def page(browser: Chrome, origin: str) -> Page:
    browser.get(origin)
    return Page(browser)


def _official_sdk(_: object) -> FileResponse:
    return FileResponse(BUNDLES / "passkeys.js")
