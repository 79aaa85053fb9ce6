"""What a running gateway does not take of a file that was changed: it has to be restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.reloading import RELOADABLE, load_again, require_reloadable
from tests.gateway.reloads import change
from tests.gateway.running import UPSTREAM_TOKEN


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[gateway]\n", '[gateway]\nadmin = "127.0.0.1:0"\n', "'admin' in [gateway]"),
        ("[gateway]\n", "[gateway]\nmax_body = 100\n", "'max_body' in [gateway]"),
        (
            "[gateway]\n",
            '[gateway]\nstore = "redis://127.0.0.1:1"\nseal_keys = ["' + "ab" * 32 + '"]\n',
            "'seal_keys' in [gateway], 'store' in [gateway]",
        ),
        (f'"{UPSTREAM_TOKEN}"', '"other-token"', "'auth_token' in profile 'production'"),
        ("key.pem", "../key.pem", "'signer' in profile 'production'"),
        ('"cr-1"\n', '"cr-1"\nread_only = true\n', "'read_only' in profile 'production'"),
    ],
)
def test_setting_that_needs_a_restart_is_named(file: Path, old: str, new: str, named: str) -> None:
    running = load_gateway(config=file)
    change(file, old, new)

    with pytest.raises(ConfigurationError) as refused:
        load_again(running)

    assert str(refused.value) == (
        f"configuration file {file}: restart the gateway to change {named}"
    )


def test_profile_that_signs_is_kept(file: Path) -> None:
    text = file.read_text().replace('profile = "production"\n', "")
    file.write_text('default_profile = "production"\n' + text)
    running = load_gateway(config=file)
    change(file, "production", "other")

    with pytest.raises(ConfigurationError, match=r"to change the profile that signs$"):
        load_again(running)


def test_secret_may_change_where_it_is_and_be_nowhere_else(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(file, f'"{UPSTREAM_TOKEN}"', '{ env = "UPSTREAM" }')
    monkeypatch.setenv("UPSTREAM", UPSTREAM_TOKEN)
    monkeypatch.setenv("ANOTHER", UPSTREAM_TOKEN)
    running = load_gateway(config=file)

    monkeypatch.setenv("UPSTREAM", "next-token")
    require_reloadable(running, load_again(running))

    change(file, "UPSTREAM", "ANOTHER")
    with pytest.raises(ConfigurationError, match="'auth_token'"):
        load_again(running)


def test_what_may_change_is_named_as_the_settings_are() -> None:
    assert GatewaySettings.model_fields.keys() >= RELOADABLE
