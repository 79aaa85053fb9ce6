"""``gateway check`` and ``gateway`` itself, on the command line."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.core.cli.support import Command, Started, command
from tests.core.config.support import write_config, write_key
from tests.gateway.configuration.test_settings import PROFILE
from tests.gateway.running import DIGEST, LISTEN, PAYMENTS, TOKEN

__all__ = ["command"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_key(tmp_path)
    return write_config(tmp_path, PROFILE + LISTEN + PAYMENTS)


def test_check_opens_what_the_gateway_needs_and_says_what_it_is(
    command: Command, config: Path
) -> None:
    done = command("gateway", "check", "--config", config)

    assert done.code == 0, done.err
    assert "profile     production: https://api.example.com" in done.out
    assert "credential  cr-1" in done.out
    assert "(Ed25519), sha256:" in done.out
    assert "caller      payments: wallets" in done.out
    assert DIGEST not in done.out


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('"key.pem"', '"no.pem"', 4, "no.pem does not exist"),
        ('"upstream-token"', '{ env = "DFNS_NOT_SET" }', 3, "DFNS_NOT_SET is not set"),
        ('"https://api.example.com"', '"http://api.example.com"', 3, "base_url"),
        ("127.0.0.1:0", "0.0.0.0:0", 3, "plain http is for this machine alone"),
        (
            "credential_id",
            'audit = { file = "no/such/audit.jsonl" }\ncredential_id',
            1,
            "audit.jsonl",
        ),
    ],
)
def test_check_finds_what_the_gateway_would_not_start_with(
    command: Command, config: Path, old: str, new: str, code: int, said: str
) -> None:
    config.write_text(config.read_text().replace(old, new))

    done = command("gateway", "check", "--config", config)

    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.parametrize(
    ("method", "path", "code", "said"),
    [
        ("POST", "/wallets", 0, "by rule 'wallets'"),
        ("post", "/wallets", 0, "by rule 'wallets'"),
        ("POST", "/keys", 5, "refused ("),
        ("GET", "/wallets", 5, "refused ("),
    ],
)
def test_explain_says_which_rule_decides(
    command: Command, config: Path, method: str, path: str, code: int, said: str
) -> None:
    done = command(
        *("gateway", "check", "--config", config),
        *("--explain", "payments", method, path, "--json", '{"network": "EthereumSepolia"}'),
    )

    assert done.code == code, done.err
    assert said in done.out


def test_explain_of_a_caller_that_is_not_there_names_the_one_that_was_meant(
    command: Command, config: Path
) -> None:
    done = command("gateway", "check", "--config", config, "--explain", "paymnts", "GET", "/")

    assert done.code == 3
    assert "did you mean 'payments'?" in done.err


def test_explain_asks_the_rules_of_the_profile_too(command: Command, config: Path) -> None:
    text = config.read_text().replace("credential_id", "read_only = true\ncredential_id")
    config.write_text(text)

    done = command(
        *("gateway", "check", "--config", config),
        *("--explain", "payments", "POST", "/wallets", "--json", '{"network": "EthereumSepolia"}'),
    )

    assert done.code == 5
    assert "refused (read-only): the profile 'production'" in done.out


@pytest.mark.parametrize("words", [("--json", "{}"), ("--param", "a=b")])
def test_body_without_a_call_is_refused(
    command: Command, config: Path, words: tuple[str, str]
) -> None:
    done = command("gateway", "check", "--config", config, *words)

    assert done.code == 2
    assert "name it by --explain CALLER METHOD PATH" in done.err


def test_check_prints_json_for_programs(command: Command, config: Path) -> None:
    done = command("gateway", "check", "--config", config, "--json-output")

    assert done.code == 0, done.err
    assert done.json["callers"] == {"payments": {"rules": ["wallets"], "reads": False}}
    assert (done.json["profile"], done.json["listen"]) == ("production", ["127.0.0.1:0"])
    assert done.json["fingerprint"].startswith("sha256:")


@pytest.mark.parametrize("query", [("/wallets?limit=1",), ("/wallets", "--param", "limit=1")])
def test_explain_says_the_same_as_that_of_policy_check(
    command: Command, config: Path, query: tuple[str, ...]
) -> None:
    of_gateway = command(
        *("gateway", "check", "--config", config, "--json-output"),
        *("--explain", "payments", "POST", *query),
    )
    of_policy = command(
        *("policy", "check", "--config", config, "--profile", "production", "--json-output"),
        *("--caller", "payments", "--explain", "POST", *query),
    )

    assert (of_gateway.code, of_gateway.json) == (of_policy.code, of_policy.json)
    assert "'limit' is not in its 'query'" in str(of_policy.json)


@pytest.mark.parametrize("module", ["h11", "prometheus_client", "uvicorn"])
@pytest.mark.parametrize("words", [(), ("check",), ("caller", "add", "web")], ids=" ".join)
def test_missing_package_is_named_with_what_to_install(
    command: Command,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    done = command("gateway", *words, "--config", config)

    assert (done.code, done.out) == (3, "")
    assert f'needs {module}, which is not installed; run: pip install "dfns-signers' in done.err


def test_gateway_serves_the_profile_of_the_command_line_until_it_is_stopped(
    config: Path,
) -> None:
    config.write_text(config.read_text().replace('profile = "production"\n', ""))
    with Started("gateway", "--config", config, "--profile", "production") as gateway:
        ready = gateway.note_with("ready: ")
        url = ready.removeprefix("ready: ").strip()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = httpx.get(f"{url}/keys", headers=headers, trust_env=False)
        code, _, err = gateway.stop(signal.SIGTERM)

    assert answer.status_code == 403
    assert code == 0, err
