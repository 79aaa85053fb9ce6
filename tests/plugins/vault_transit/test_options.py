"""The options, where unset ones come from, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError
from dfns_signers_vault_transit.environment import seconds
from dfns_signers_vault_transit.options import VaultTransitOptions
from tests.secrecy import CANARY

LEAST = {
    "address": "https://vault.example.com:8200",
    "key": "k",
    "auth": {"method": "token", "token": f"{CANARY}-token"},
}


def load(folder: Path = Path(), *, texts: bool = False, **values: Any) -> VaultTransitOptions:
    given_ = {**LEAST, **values}
    kept = {name: value for name, value in given_.items() if value is not None}
    return validate(VaultTransitOptions, kept, where="test", folder=folder, texts=texts)


def test_defaults_are_those_of_the_documentation() -> None:
    options = load()

    assert (options.mount, options.namespace, options.key_version) == ("transit", None, None)
    assert (options.connect_timeout, options.read_timeout, options.max_attempts) == (3, 10, 3)
    assert options.timeout == 30
    assert options.batch
    assert (options.batch.max_size, options.batch.max_wait) == (100, 0.1)


@pytest.mark.parametrize("prefix", ["VAULT_", "BAO_"])
@pytest.mark.parametrize(
    ("variable", "value", "option", "expected"),
    [
        ("ADDR", "https://v.example.com/", "address", "https://v.example.com"),
        ("AGENT_ADDR", "http://127.0.0.1:8100", "address", "http://127.0.0.1:8100"),
        ("NAMESPACE", "team/", "namespace", "team"),
        ("CACERT", "/ca.pem", "ca_cert", Path("/ca.pem")),
        ("CAPATH", "/cas", "ca_cert", Path("/cas")),
        ("CLIENT_CERT", "/c.pem", "client_cert", Path("/c.pem")),
        ("TLS_SERVER_NAME", "vault.internal", "tls_server_name", "vault.internal"),
        ("CLIENT_TIMEOUT", "1m30s", "read_timeout", 90.0),
        ("MAX_RETRIES", "0", "max_attempts", 1),
    ],
)
def test_option_that_is_unset_comes_from_vaults_environment(
    prefix: str,
    variable: str,
    value: str,
    option: str,
    expected: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(prefix + variable, value)

    assert getattr(load(address=None if option == "address" else LEAST["address"]), option) == (
        expected
    )


def test_option_of_the_environment_is_not_taken_for_one_of_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "team")

    assert load().model_fields_set == set(LEAST)


def test_option_that_is_set_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("VAULT_ADDR", "https://elsewhere.example.com")

    options = load(namespace="here")

    assert (options.address, options.namespace) == (LEAST["address"], "here")


def test_token_of_the_environment_is_read_again_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "first")
    auth: Any = load(auth={"method": "token"}).auth
    monkeypatch.setenv("VAULT_TOKEN", "second")

    assert auth.token.reveal() == "second"


def test_path_of_the_environment_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAULT_CACERT", "ca.pem")

    assert load(tmp_path / "configuration").ca_cert == tmp_path / "ca.pem"


def test_paths_start_at_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file")

    options: Any = load(
        tmp_path, ca_cert="ca.pem", auth={"method": "token", "token": {"file": "token"}}
    )

    assert options.ca_cert == tmp_path / "ca.pem"
    assert options.auth.token.reveal() == "from a file"


def test_one_line_of_strings_sets_numbers_and_tables() -> None:
    options = load(texts=True, key_version="12", batch={"max_size": "50"}, max_attempts="5")

    assert (options.key_version, options.max_attempts) == (12, 5)
    assert options.batch
    assert options.batch.max_size == 50


@pytest.mark.parametrize(("texts", "off"), [(False, False), (True, "false")])
def test_batches_can_be_turned_off(texts: bool, off: object) -> None:
    assert load(texts=texts, batch=off).batch is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"key": None}, r"key 'key': missing; expected: Name of the key"),
        ({"key": "../../sys/seal"}, r"key 'key': .* is not a name of a key"),
        ({"mount": "../sys"}, r"key 'mount': .* is not a mount"),
        ({"namespace": "a/../b"}, r"key 'namespace': .* is not a namespace"),
        ({"key_version": 0}, r"key 'key_version': expected a number greater than or equal to 1"),
        ({"key_version": "1"}, r"key 'key_version': expected an integer, found a string"),
        ({"adress": "x"}, r"key 'adress': unknown key \(did you mean 'address'"),
        ({"address": None}, r"key 'address': missing; expected: .*else `VAULT_ADDR`"),
        ({"address": "vault:8200"}, r"key 'address': expected an address such as"),
        ({"address": "unix:///run/vault"}, r"key 'address': expected an address such as"),
        ({"address": "https://vault:port"}, r"key 'address': expected an address such as"),
        ({"address": "https://u:p@vault"}, r"key 'address': .* without user"),
        ({"batch": {"max_size": 1}}, r"key 'batch.max_size': expected a number greater"),
        ({"batch": {"max_size": 497}}, r"key 'batch.max_size': expected a number less than"),
        ({"address": "http://vault.example.com"}, r"key 'address': .* unencrypted: use https"),
        ({"address": "http://127.example.org"}, r"key 'address': .* unencrypted: use https"),
        ({"batch": {"maxsize": 1}}, r"key 'batch.maxsize': unknown key \(did you mean 'max_size'"),
        ({"client_key": "k.pem"}, r"'client_key' is set without 'client_cert'"),
        ({"auth": {"method": "ldap"}}, r"key 'auth': .*'token', 'approle', 'kubernetes', 'jwt'"),
        ({"auth": {}}, r"key 'auth'"),
        ({"auth": {"method": "approle"}}, r"role_id': missing"),
        ({"auth": {"method": "jwt", "role": "r"}}, r"jwt': missing"),
        (
            {"auth": {"method": "approle", "role_id": "r", "path": "../token"}},
            r"is not a path of an auth method",
        ),
        ({"auth": {"method": "token", "token": {"env": "ABSENT"}}}, r"ABSENT is not set"),
        ({"auth": None}, r"there is no token: .* or choose another auth.method$"),
        ({"auth": {"method": "token", "token": ""}}, r"there is no token"),
    ],
)
def test_wrong_option_is_refused_with_what_was_expected(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load(**values)


def test_verification_that_is_switched_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")

    with pytest.raises(ConfigurationError, match=r"VAULT_SKIP_VERIFY is set.*unset it"):
        load()


@pytest.mark.parametrize("host", ["127.0.0.1:8200", "127.8.8.8", "localhost:8200", "[::1]:8200"])
def test_plain_http_is_accepted_for_this_machine(host: str) -> None:
    assert load(address=f"http://{host}").address == f"http://{host}"


def test_repr_of_options_shows_no_secret() -> None:
    options = load(
        auth={"method": "approle", "role_id": f"{CANARY}-role", "secret_id": f"{CANARY}-secret"}
    )

    assert CANARY not in repr(options)
    assert CANARY not in repr(load())


@settings(deadline=None)
@given(minutes=st.integers(1, 999), rest=st.integers(0, 59), milliseconds=st.integers(0, 999))
def test_durations_are_read_as_go_writes_them(minutes: int, rest: int, milliseconds: int) -> None:
    text = f"{minutes}m{rest}s{milliseconds}ms"

    assert seconds(text) == pytest.approx(minutes * 60 + rest + milliseconds / 1000)
    assert seconds(str(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "s", "1x", "1m 30s", "-1s", "1m30"])
def test_string_that_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(text)


@pytest.mark.parametrize("name", ["CLIENT_TIMEOUT", "MAX_RETRIES"])
def test_variable_that_is_not_a_number_is_refused_by_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"VAULT_{name}", "many")

    with pytest.raises(ConfigurationError, match=f"VAULT_{name}"):
        load()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("VAULT_MAX_RETRIES", "30"), ("VAULT_MAX_RETRIES", "-1"), ("VAULT_CLIENT_TIMEOUT", "0")],
)
def test_variable_out_of_its_range_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ValidationError, match=f"{variable} is wrong: expected .* from"):
        VaultTransitOptions.model_validate(
            {"address": "http://127.0.0.1:1", "key": "k", "auth": {"method": "token", "token": "t"}}
        )
