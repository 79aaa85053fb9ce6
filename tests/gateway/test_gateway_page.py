"""``docs/gateway.md``: its commands run as printed, and its tables are those of the models."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from dfns_signers.gateway.callers.callers import UnknownCaller
from dfns_signers.gateway.configuration.settings import (
    CallerTable,
    GatewaySettings,
    LocalCredential,
    TlsTable,
    UnixPeer,
)
from dfns_signers.gateway.loading import load_gateway
from dfns_signers_testkit.servers import free_port
from tests.core.cli.support import Command, Started, command
from tests.core.config.support import write_config, write_key
from tests.core.keys import private_key, public_pem
from tests.gateway.callers.test_callers import CALLERS, request
from tests.support.pages import blocks, section, tables

__all__ = ["command"]

PAGE = "gateway.md"


def setting_rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{json.dumps(field.default)}`"
        shown = "" if default == "`null`" else default
        yield f"| `{name}` | {shown} | {field.description} |"


@pytest.mark.parametrize(
    ("title", "models"),
    [
        ("Settings of `[gateway]`", [GatewaySettings]),
        ("Settings of a caller", [CallerTable, UnixPeer, LocalCredential]),
        ("Settings of a certificate", [TlsTable]),
    ],
)
def test_settings_are_those_of_the_models(title: str, models: list[type[BaseModel]]) -> None:
    assert tables(section(PAGE, title)) == [list(setting_rows(model)) for model in models]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_page_leads_from_nothing_to_a_signed_call_in_five_commands() -> None:
    port = free_port()
    emulate, add, allow, serve, call = (
        block.replace("127.0.0.1:8787", f"127.0.0.1:{port}")
        for block in blocks(section(PAGE, "From nothing to a signed call"), "sh")
    )

    with Started(*shlex.split(emulate)[1:]) as emulator:
        emulator.line()
        run(f"{add.rstrip()} --listen 127.0.0.1:{port}\n{allow}")
        with Started(*shlex.split(serve)[1:]) as gateway:
            assert f"http://127.0.0.1:{port}" in gateway.note_with("ready: ")
            answer = json.loads(run(call))

    assert answer["network"] == "EthereumSepolia"
    assert answer["id"].startswith("wa-")


def run(lines: str) -> str:
    done = subprocess.run(
        ["sh", "-e", "-c", lines], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_of_a_configuration_is_loaded(tmp_path: Path, command: Command) -> None:
    (example,) = blocks(section(PAGE, "The configuration"), "toml")
    (tmp_path / "payments.pub").write_bytes(public_pem(private_key("Ed25519").public_key()))
    assert command("gateway", "certificate", "-o", tmp_path / "tls").code == 0
    write_key(tmp_path)
    profile = '[profiles.production]\nauth_token = "t"\nsigner = "pem:?path=key.pem"\n'

    loaded = load_gateway(config=write_config(tmp_path, profile + example))

    assert loaded.profile.name == "production"
    assert [rule.name for rule in loaded.settings.callers["payments"].allow] == ["wallets"]


STRANGERS = {
    "anonymous": request(),
    "authorization": request(authorization="bearer new"),
    "token": request("unknown"),
    "uid": request(uid=4242),
    "certificate": request(names=("unknown",)),
    "ambiguous": request("new", uid=1002),
    "incomplete": request("strict"),
    "listener": request("new", listener="127.0.0.1:1"),
}


def test_what_the_log_says_of_a_stranger_is_on_the_page() -> None:
    printed = [row.split("`")[1] for row in tables(section(PAGE, "Callers"))[1]]
    logged = []
    for stranger in STRANGERS.values():
        with pytest.raises(UnknownCaller) as raised:
            CALLERS.identify(stranger)
        logged.append(raised.value.detail)

    assert printed == logged == list(STRANGERS)
