"""``gateway caller add``: a key, a token and a table, or nothing of it."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.files import parse, read_file
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.sealed import Sealed
from tests.core.cli.support import Command, command
from tests.core.config.support import write_client_config, write_key
from tests.secrecy import Watch

__all__ = ["command"]

RULE = """
[[gateway.callers.{name}.allow]]
name = "wallets"
call = "GET /wallets"
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as one:
        yield one


@pytest.fixture
def config(tmp_path: Path, emulator: Emulator) -> Path:
    """A file whose default profile is ready to sign."""
    write_key(tmp_path)
    return write_client_config(tmp_path, emulator.url, emulator.auth_token)


def gateway_of(config: Path) -> Any:
    return parse(Sealed(config.read_bytes()), config).open()["gateway"]


def token_in(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("export ")]
    return line.removeprefix("export DFNS_GATEWAY_TOKEN=")


def claims_of(token: str) -> Any:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_caller_gets_key_token_and_table(command: Command, config: Path) -> None:
    before = config.read_text()

    done = command("gateway", "caller", "add", "payments", "--config", config)

    assert done.code == 0, done.err
    assert config.read_text().startswith(before)
    table = gateway_of(config)["callers"]["payments"]
    assert table["token_sha256"] == [sha256(token_in(done.out).encode()).hexdigest()]
    assert table["credential"] == {"id": "local-payments", "public_key": "payments.pub"}
    assert "allow" not in table
    assert gateway_of(config)["listen"] == ["127.0.0.1:8787"]
    folder = config.parent
    assert mode(folder / "payments.pem") == 0o600
    assert load_gateway(config=config).callers.by_name["payments"].credential is not None


def test_printed_rule_is_one_of_the_caller_whose_name_has_a_dot(
    command: Command, config: Path
) -> None:
    done = command("gateway", "caller", "add", "team.payments", "--no-key", "--config", config)
    start = done.err.index("[[gateway.callers.")
    rule = "".join(done.err[start:].splitlines(keepends=True)[:3])

    config.write_text(config.read_text() + rule)

    assert list(gateway_of(config)["callers"]) == ["team.payments"]
    assert gateway_of(config)["callers"]["team.payments"]["allow"][0]["name"] == "wallets"


def test_token_is_in_no_file_but_the_one_that_was_asked_for(command: Command, config: Path) -> None:
    done = command("gateway", "caller", "add", "web", "--config", config)
    token = token_in(done.out)
    asked = command(
        *("gateway", "caller", "add", "other", "--config", config),
        *("--token-file", config.parent / "other.token"),
    )

    assert all(token not in path.read_text() for path in config.parent.iterdir())
    kept = (config.parent / "other.token").read_text().strip()
    assert mode(config.parent / "other.token") == 0o600
    assert kept not in asked.out + asked.err + config.read_text()
    assert f'"$(cat {config.parent / "other.token"})"' in asked.out


def test_token_has_the_organisation_that_the_official_typescript_sdk_compares(
    command: Command, config: Path, emulator: Emulator
) -> None:
    of_profile = claims_of(emulator.auth_token)["https://custom/app_metadata"]["orgId"]

    known = command("gateway", "caller", "add", "a", "--config", config)
    given = command("gateway", "caller", "add", "b", "--config", config, "--org-id", "or-other")

    organisations = [
        claims_of(token_in(done.out))["https://custom/app_metadata"]["orgId"]
        for done in (known, given)
    ]
    assert organisations == [of_profile, "or-other"]
    assert f'orgId: "{of_profile}"' in known.out


def test_token_of_an_unknown_organisation_is_random_alone(
    command: Command, config: Path, emulator: Emulator
) -> None:
    config.write_text(config.read_text().replace(emulator.auth_token, "opaque"))

    done = command("gateway", "caller", "add", "a", "--config", config)

    assert len(token_in(done.out)) == 43
    assert "orgId" not in done.out


def test_two_tokens_have_nothing_random_in_common(command: Command, config: Path) -> None:
    first, second = (
        token_in(command("gateway", "caller", "add", name, "--config", config).out)
        for name in ("a", "b")
    )

    assert len(first.split(".")[2]) == 43
    assert first.split(".")[2] != second.split(".")[2]


def test_caller_that_is_there_is_refused_and_left_as_it_is(command: Command, config: Path) -> None:
    command("gateway", "caller", "add", "web", "--config", config)
    before = {path.name: path.read_bytes() for path in config.parent.iterdir()}

    done = command("gateway", "caller", "add", "web", "--config", config)

    assert (done.code, done.out) == (3, "")
    assert "--rotate-token" in done.err
    assert {path.name: path.read_bytes() for path in config.parent.iterdir()} == before


@pytest.mark.parametrize("there", ["web.pem", "web.pub", "web.token"])
def test_nothing_is_left_behind_where_a_file_is_there_already(
    command: Command, config: Path, there: str
) -> None:
    (config.parent / there).write_text("mine")
    before = {path.name: path.read_bytes() for path in config.parent.iterdir()}

    done = command(
        *("gateway", "caller", "add", "web", "--config", config),
        *("--token-file", config.parent / "web.token"),
    )

    assert (done.code, done.out) == (3, "")
    assert f"{there} is there already, and was left as it is" in done.err
    assert {path.name: path.read_bytes() for path in config.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("event", "code"), [(KeyboardInterrupt, 130), (ConfigurationError("changed meanwhile"), 3)]
)
def test_nothing_is_left_behind_where_the_configuration_is_not_written(
    command: Command,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    event: type[BaseException] | BaseException,
    code: int,
) -> None:
    before = config.read_text()

    def write(_edit: ConfigEdit) -> None:
        assert (config.parent / "web.pem").exists()
        raise event

    monkeypatch.setattr(ConfigEdit, "write", write)

    done = command(
        *("gateway", "caller", "add", "web", "--config", config),
        *("--token-file", config.parent / "web.token"),
    )

    assert (done.code, done.out) == (code, "")
    assert sorted(path.name for path in config.parent.iterdir()) == ["config.toml", "key.pem"]
    assert config.read_text() == before


def test_print_shows_the_file_and_writes_nothing(command: Command, config: Path) -> None:
    before = config.read_text()

    done = command("gateway", "caller", "add", "web", "--config", config, "--print")

    assert done.out.startswith(before)
    assert "[gateway.callers.web]" in done.out
    assert config.read_text() == before
    assert sorted(path.name for path in config.parent.iterdir()) == ["config.toml", "key.pem"]


def test_what_is_in_the_file_stays_byte_for_byte(command: Command, config: Path) -> None:
    begun = (
        config.read_text()
        + "\n[gateway]  # ours\nlisten = [ '127.0.0.1:9' ]\n\n[gateway.callers.a]\n"
        + f'token_sha256 = ["{"0" * 64}"] # old\n{RULE.format(name="a")}\n[profiles.z] # last\n'
    )
    config.write_text(begun)

    done = command("gateway", "caller", "add", "web", "--config", config)

    assert done.code == 0, done.err
    text = config.read_text()
    new = text[text.index("[gateway.callers.web]") : text.index("[profiles.z]")]
    assert text.replace(new, "", 1) == begun
    assert gateway_of(config)["callers"].keys() == {"a", "web"}
    assert gateway_of(config)["callers"]["a"]["allow"][0]["name"] == "wallets"


def test_plain_caller_has_no_key(command: Command, config: Path) -> None:
    done = command("gateway", "caller", "add", "web", "--config", config, "--no-key")

    assert gateway_of(config)["callers"]["web"].keys() == {"token_sha256"}
    assert not (config.parent / "web.pem").exists()
    assert "dfns_sdk" not in done.out


def test_caller_by_uid_needs_a_unix_socket(command: Command, config: Path) -> None:
    add = ("gateway", "caller", "add", "web", "--config", config, "--uid", "1001", "--no-token")

    refused = command(*add)
    done = command(*add, "--no-key", "--listen", f"unix:{config.parent}/api.sock")

    assert refused.code == 3
    assert "add unix:/PATH to 'listen'" in refused.err
    assert done.code == 0, done.err
    assert gateway_of(config)["callers"]["web"] == {"unix": {"uid": [1001]}}
    assert f"curl -sS --unix-socket {config.parent}/api.sock http://localhost/wallets" in done.out


@pytest.mark.parametrize("options", [[], ["--no-key"], ["--print"]], ids=" ".join)
def test_caller_without_a_token_needs_another_identity(
    command: Command, config: Path, options: list[str]
) -> None:
    before = config.read_text()

    done = command("gateway", "caller", "add", "web", "--no-token", "--config", config, *options)

    assert (done.code, done.out) == (2, "")
    assert "--uid or --certificate" in done.err
    assert config.read_text() == before


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "a/b", "é", "a" * 65])
def test_name_that_would_not_do_is_refused(command: Command, config: Path, name: str) -> None:
    done = command("gateway", "caller", "add", "--config", config, "--", name)

    assert (done.code, done.out) == (3, "")
    assert "expected a name of up to 64 letters" in done.err


def test_rotation_keeps_the_newest_former_token(command: Command, config: Path) -> None:
    first = command("gateway", "caller", "add", "web", "--config", config)
    rotate = ("gateway", "caller", "add", "web", "--config", config, "--rotate-token")
    second, third = command(*rotate), command(*rotate)

    tokens = [token_in(done.out) for done in (third, second)]
    assert gateway_of(config)["callers"]["web"]["token_sha256"] == [
        sha256(token.encode()).hexdigest() for token in tokens
    ]
    assert token_in(first.out) not in tokens
    assert "warning" not in second.err
    assert "warning: the token before that is removed" in third.err
    assert gateway_of(config)["callers"]["web"]["credential"]["id"] == "local-web"


@pytest.mark.parametrize(
    "options",
    [
        ["--rotate-token", "--no-key"],
        ["--rotate-token", "--uid", "1"],
        ["--rotate-token", "--listen", "127.0.0.1:1"],
        ["--no-token", "--token-file", "web.token"],
    ],
    ids=" ".join,
)
def test_option_that_would_have_no_effect_is_refused(
    command: Command, config: Path, options: list[str]
) -> None:
    before = config.read_text()

    done = command("gateway", "caller", "add", "web", "--config", config, *options)

    assert (done.code, done.out) == (2, "")
    assert config.read_text() == before


def test_listeners_of_a_gateway_that_is_there_are_not_changed(
    command: Command, config: Path
) -> None:
    command("gateway", "caller", "add", "web", "--config", config)

    done = command(
        *("gateway", "caller", "add", "shop", "--config", config),
        *("--listen", "127.0.0.1:1"),
    )

    assert done.code == 3
    assert "add to its 'listen' by hand" in done.err


def test_rotation_of_nobody_is_refused(command: Command, config: Path) -> None:
    done = command("gateway", "caller", "add", "web", "--config", config, "--rotate-token")

    assert done.code == 3
    assert "has no caller 'web'; callers are: none" in done.err


def test_rotation_of_a_misspelt_caller_names_the_one_that_was_meant(
    command: Command, config: Path
) -> None:
    command("gateway", "caller", "add", "payments", "--config", config)

    done = command("gateway", "caller", "add", "payment", "--config", config, "--rotate-token")

    assert "has no caller 'payment' (did you mean 'payments'?); callers are" in done.err


def test_list_shows_callers_without_their_digests(command: Command, config: Path) -> None:
    command("gateway", "caller", "add", "web", "--config", config)
    config.write_text(config.read_text() + RULE.format(name="web"))

    shown = command("gateway", "caller", "list", "--config", config)
    (row,) = command("gateway", "caller", "list", "--config", config, "--json").json

    assert row["rules"] == ["wallets"]
    assert (row["name"], row["tokens"], row["credential"]) == ("web", 1, "local-web")
    (digest,) = gateway_of(config)["callers"]["web"]["token_sha256"]
    assert digest not in shown.out + json.dumps(row)
    assert "token" in shown.out


def test_list_needs_neither_the_profile_nor_a_secret_of_the_gateway(
    command: Command, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.toml"
    command("gateway", "caller", "add", "web", "--config", config)
    store = 'store = { env = "STORE_OF_THE_GATEWAY" }\nseal_keys = [{ file = "away.key" }]\n'
    config.write_text(config.read_text().replace("[gateway]\n", f"[gateway]\n{store}"))

    done = command("gateway", "caller", "list", "--config", config, "--json")

    assert done.code == 0, done.err
    assert [row["name"] for row in done.json] == ["web"]


def test_profile_before_the_command_is_that_of_the_gateway(command: Command, config: Path) -> None:
    done = command("gateway", "--profile", "p", "--config", config, "caller", "add", "web")

    assert done.code == 0, done.err
    assert gateway_of(config)["profile"] == "p"
    assert read_file(config).default_profile == "p"


def test_profile_that_is_not_there_is_refused_before_anything_is_written(
    command: Command, config: Path
) -> None:
    before = {path: path.read_bytes() for path in config.parent.iterdir()}

    done = command("gateway", "caller", "add", "web", "--config", config, "--profile", "pp")

    assert done.code == 3
    assert "there is no profile 'pp' (did you mean 'p'?); profiles are: p" in done.err
    assert {path: path.read_bytes() for path in config.parent.iterdir()} == before


def test_program_in_go_calls_the_listener_that_a_certificate_is_made_for(
    command: Command, config: Path
) -> None:
    added = command("gateway", "caller", "add", "web", "--config", config)
    made = command("gateway", "certificate", "-o", config.parent / "tls")

    (listener,) = re.findall(r'Add "(.*)\?tls=local"', made.err)
    assert f'BaseURL:   "https://{listener}"' in added.out
    assert "'dfns-signers gateway certificate -o tls'" in added.out


def test_help_says_which_profile_signs(command: Command) -> None:
    for name in ("check", "caller add", "caller show"):
        done = command("gateway", *name.split(), "--help")

        assert "'profile' of [gateway], then $DFNS_PROFILE" in " ".join(
            done.out.replace("│", " ").split()
        )


def test_no_private_key_gets_out(command: Command, config: Path, secrecy: Watch) -> None:
    done = command("gateway", "caller", "add", "web", "--config", config)

    private = (config.parent / "web.pem").read_text().splitlines()[1]
    assert private not in done.out + done.err + config.read_text()
