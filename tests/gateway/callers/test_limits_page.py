"""docs/rate-limits.md says of a gateway what holds."""

from __future__ import annotations

from pathlib import Path

from dfns_signers.config.files import parse
from dfns_signers.gateway.callers.limits import REQUESTS
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.sealed import Sealed
from tests.support import ROOT
from tests.support.pages import blocks

PAGE = ROOT / "docs" / "rate-limits.md"
TEXT = PAGE.read_text(encoding="utf-8").partition("## Limits of a gateway")[2]


def test_settings_of_the_page_are_those_of_a_gateway() -> None:
    (example,) = blocks(TEXT, "toml")
    table = parse(Sealed(example.encode()), PAGE).open()["gateway"]

    settings = GatewaySettings.model_validate(
        {"listen": ["127.0.0.1:0"], **table},
        context={"folder": Path("/run/secrets"), "reveal": False},
    )

    assert settings.organisation_rate == GatewaySettings.model_fields["organisation_rate"].default
    assert settings.callers["payments"].rate == "120/minute"
    assert settings.callers["payments"].allow[0].rate == "10/minute"
    assert len(settings.seal_keys) == 1


def test_requests_of_a_caller_are_bounded_as_the_page_says() -> None:
    assert REQUESTS.seconds == 60
    assert f"| {REQUESTS.number:,} a minute of each caller" in TEXT
