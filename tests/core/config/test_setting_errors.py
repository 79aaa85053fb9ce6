"""A setting that is wrong is refused with file, profile, key, and what was expected and found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from dfns_signers.backends.options import StrictModel
from dfns_signers.config.assembly import check_base_url, load_signer, validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError, PluginError
from tests.core.config.support import write_config
from tests.secrecy import CANARY

PROFILE = """
    [profiles.p]
    credential_id = "Y2kt"
"""


def refusal_of(config: Path, kind: type[Exception] = ConfigurationError) -> str:
    with pytest.raises(kind) as caught:
        load_signer("p", config=config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "key", "expected", "found"),
    [
        ("timeout = 'canary-3f9c2b'", "timeout", "expected a number", "found a string"),
        ("timeout = true", "timeout", "expected a number", "found a boolean"),
        ("timeout = { s = 1 }", "timeout", "expected a number", "found a table"),
        ("max_attempts = '3'", "max_attempts", "expected an integer", "found a string"),
        ("max_attempts = 2.5", "max_attempts", "expected an integer", "found a number"),
        ("max_attempts = [3]", "max_attempts", "expected an integer", "found an array"),
        ("base_url = 7", "base_url", "expected a string", "found an integer"),
        ("base_url = {}", "base_url", "expected a string", "found a table"),
        ("credential_id = 1979-05-27", "credential_id", "expected a string", "found a date"),
        ("credential_id = true", "credential_id", "expected a string", "found a boolean"),
        ("plugins = 'canary-3f9c2b'", "plugins", "expected an array", "found a string"),
        ("auth_token = 7", "auth_token", "expected a string, { env =", "found an integer"),
        ("auth_token = { vault = 'canary-3f9c2b' }", "auth_token", "{ file =", "found a table"),
        ("auth_token = { env = 7 }", "auth_token", "{ file =", "found a table"),
        ("auth_token = { env = 'A', file = 'b' }", "auth_token", "{ file =", "found a table"),
        ("signer = 7", "signer", "expected a table", "found an integer"),
        ("signer = ['pem']", "signer", "expected a table", "found an array"),
        ("signer = { backend = 7 }", "signer.backend", "expected a string", "found an integer"),
    ],
)
def test_setting_of_a_wrong_type_refused_with_what_was_expected_and_found(
    folder: Path, line: str, key: str, expected: str, found: str
) -> None:
    config = write_config(folder, f"[profiles.p]\n{line}")

    message = refusal_of(config)

    assert message.startswith(f"configuration file {config}, profile 'p', key '{key}': ")
    assert expected in message
    assert message.endswith(found)
    assert CANARY not in message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("timeout = 0", "'timeout': expected a number greater than 0"),
        ("timeout = -1.5", "'timeout': expected a number greater than 0"),
        ("timeout = nan", "'timeout': expected a finite number"),
        ("timeout = inf", "'timeout': expected a finite number"),
        ("timeout = 1e300", "'timeout': expected a number less than or equal to 86400"),
        ("max_attempts = 0", "'max_attempts': expected a number greater than or equal to 1"),
        ("credential_id = ''", "'credential_id': expected a string that is not empty"),
        ("signer = { backend = '' }", "'signer.backend': expected a string that is not empty"),
        ("signer = 'pem'", "expected a line such as 'aws-kms:?key_id="),
    ],
)
def test_setting_out_of_its_range_refused_with_the_range(
    folder: Path, line: str, expected: str
) -> None:
    config = write_config(folder, f"[profiles.p]\n{line}")

    message = refusal_of(config)

    assert message.startswith(f"configuration file {config}, profile 'p'")
    assert expected in message


@pytest.mark.parametrize(
    ("key", "meant"),
    [("timout", "timeout"), ("auth_tokn", "auth_token"), ("credential-id", "credential_id"),
     ("baseurl", "base_url"), ("plugin", "plugins")],
)  # fmt: skip
def test_unknown_setting_refused_with_the_near_miss(folder: Path, key: str, meant: str) -> None:
    config = write_config(folder, f'[profiles.p]\n{key} = "{CANARY}"')

    message = refusal_of(config)

    assert message.startswith(f"configuration file {config}, profile 'p', key '{key}': unknown")
    assert f"did you mean '{meant}'?" in message
    assert "base_url, auth_token, credential_id, timeout, call_timeout, max_attempts" in message
    assert CANARY not in message


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("plugins = ['audit', 3]", "key 'plugins', entry 2: expected a string"),
        ("allow = [{ call = 'POST /wallets' }]", "key 'allow', rule 1, key 'name': missing"),
        ("allow = [3]", "key 'allow', rule 1: expected"),
        (
            "allow = [{ name = 'a', call = 'POST /wallets' }, { name = 'b', call = 7 }]",
            "key 'allow', rule 'b', key 'call': expected a string",
        ),
        (
            "allow = [{ name = 'a', call = 'POST /wallets', require = ['name', 3] }]",
            "key 'allow', rule 'a', key 'require', entry 2: expected a string",
        ),
        ("allow = [{ name = 7, call = 'POST /wallets' }]", "key 'allow', rule 1, key 'name'"),
    ],
)
def test_rule_is_named_and_an_entry_is_counted_from_one(
    folder: Path, lines: str, place: str
) -> None:
    config = write_config(folder, f"[profiles.p]\n{lines}")

    assert f"configuration file {config}, profile 'p', {place}" in refusal_of(config)


def test_several_wrong_settings_are_told_at_once_each_in_a_line(folder: Path) -> None:
    config = write_config(folder, "[profiles.p]\ntimeout = 'x'\nmax_attempts = 0\nfoo = 1")

    lines = refusal_of(config).splitlines()

    assert [line.partition("key ")[2].partition(":")[0] for line in lines] == [
        "'timeout'", "'max_attempts'", "'foo'"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ('pth = "k.pem"', "key 'pth': unknown key (did you mean 'path'?)"),
        (
            'regoin = "eu"',
            "key 'regoin': unknown key. Known keys: fingerprint, path, env, passphrase",
        ),
        ("path = 7", "key 'path': expected a path, found an integer"),
        ("env = 7", "key 'env': expected a string, found an integer"),
        ("env = ''", "key 'env': expected a string that is not empty"),
        ("path = ''", "key 'path': expected a path, found an empty string"),
        ('env = "A"\nverify = "yes"', "key 'verify': expected true or false, found a string"),
        ('env = "A"\nverify = 1', "key 'verify': expected true or false, found an integer"),
        ('env = "A"\nfingerprint = "ab"', "key 'fingerprint': expected a fingerprint such as"),
        ('env = "A"\npassphrase = 7', "key 'passphrase': expected a string, { env ="),
        ('env = "A"\npath = "b"', "expected exactly one of 'path' and 'env'"),
        ("", "expected exactly one of 'path' and 'env'"),
    ],
)
def test_wrong_option_of_the_backend_refused_with_its_key(
    folder: Path, options: str, expected: str
) -> None:
    config = write_config(folder, PROFILE)
    config.write_text(
        f"{config.read_text()}\n[profiles.p.signer]\nbackend = 'pem'\n{options}", encoding="utf-8"
    )

    message = refusal_of(config)

    assert message.startswith(f"configuration file {config}, profile 'p', signer 'pem'")
    assert expected in message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pem:?path=k.pem&verify=perhaps", "key 'verify': expected true or false, found another"),
        ("pem:?passphrase.evn=X&path=k.pem", "key 'passphrase': expected a string, { env ="),
        ("pem:?path.file=k.pem", "key 'path': expected a path, found a table"),
        ("pem:?pth=k.pem", "key 'pth': unknown key (did you mean 'path'?)"),
        ("pem:", "expected exactly one of 'path' and 'env'"),
    ],
)
def test_wrong_option_in_a_line_refused_naming_the_variable(
    monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", line)

    with pytest.raises(ConfigurationError) as caught:
        validated_options(load_profile())

    message = str(caught.value)
    assert message.startswith("environment variable DFNS_SIGNER, signer 'pem'")
    assert expected in message


@pytest.mark.parametrize(
    ("variable", "text", "key", "expected"),
    [
        ("DFNS_TIMEOUT", "soon", "timeout", "expected a number, found a string"),
        ("DFNS_TIMEOUT", "0", "timeout", "expected a number greater than 0"),
        ("DFNS_TIMEOUT", "nan", "timeout", "expected a finite number"),
        ("DFNS_MAX_ATTEMPTS", "2.5", "max_attempts", "expected an integer, found a string"),
        ("DFNS_MAX_ATTEMPTS", "0", "max_attempts", "expected a number greater than or equal to 1"),
        ("DFNS_MAX_ATTEMPTS", "9" * 5000, "max_attempts", "expected a"),
    ],
)
def test_variable_of_another_type_refused_naming_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, key: str, expected: str
) -> None:
    monkeypatch.setenv(variable, text)

    with pytest.raises(ConfigurationError) as caught:
        load_profile()

    assert str(caught.value).startswith(f"environment variable {variable}, key '{key}': {expected}")


@pytest.mark.parametrize(
    "arguments",
    [{"timeout": "3"}, {"credential_id": 7}, {"credentialid": "x"}, {"signer": 7}],
)
def test_wrong_argument_is_told_as_an_argument_though_there_is_a_file(
    folder: Path, arguments: dict[str, Any]
) -> None:
    config = write_config(folder, PROFILE)

    with pytest.raises(ConfigurationError) as caught:
        load_profile("p", config=config, **arguments)

    assert str(caught.value).startswith(f"argument, key '{next(iter(arguments))}': ")
    assert str(config) not in str(caught.value)


@pytest.mark.parametrize("config", [7, b"config.toml", ["config.toml"]])
def test_argument_config_that_is_not_a_path_refused(config: Any) -> None:
    with pytest.raises(ConfigurationError, match="argument 'config': expected the path of a file"):
        load_profile("p", config=config)


@pytest.mark.parametrize("profile", [7, b"p", ["p"]])
def test_argument_profile_that_is_not_a_name_refused(folder: Path, profile: Any) -> None:
    config = write_config(folder, PROFILE)

    with pytest.raises(ConfigurationError, match="argument 'profile': expected the name of a"):
        load_profile(profile, config=config)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"timeout": float("nan")}, "expected a finite number"),
        ({"timeout": float("inf")}, "expected a finite number"),
        ({"timeout": -1}, "expected a number greater than 0"),
        ({"timeout": True}, "expected a number, found a boolean"),
        ({"max_attempts": "3"}, "expected an integer, found a string"),
        ({"max_attempts": 2.5}, "expected an integer, found a number"),
        ({"max_attempts": True}, "expected an integer, found a boolean"),
        ({"base_url": b"https://api.dfns.io"}, "expected a string, found a bytes"),
        ({"auth_token": b"token"}, "expected a string, { env ="),
        ({"plugins": "audit"}, "expected an array, found a string"),
        ({"signer": object()}, "expected a table, found a object"),
    ],
)
def test_argument_that_is_no_such_setting_refused_naming_it(
    arguments: dict[str, Any], expected: str
) -> None:
    (key,) = arguments

    with pytest.raises(ConfigurationError) as caught:
        load_profile(**arguments)

    assert str(caught.value).startswith(f"argument, key '{key}': {expected}")


class Patterns(StrictModel):
    alias: str | None = Field(default=None, pattern="^alias/", description="Alias of the key.")
    name: str = Field(default="a", pattern="^[a-z]$", max_length=1)
    size: int = Field(default=1, multiple_of=2)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"alias": "dfns"}, "expected a string that matches ^alias/ (Alias of the key.)"),
        ({"name": "1"}, "expected a string that matches ^[a-z]$"),
        ({"name": "aa"}, "String should have at most 1 character"),
        ({"name": 1}, "expected a string, found an integer"),
        ({"size": 3}, "expected a multiple of 2"),
    ],
)
def test_value_that_breaks_a_rule_is_refused_with_the_rule(
    values: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validate(Patterns, values, where="x", folder=Path())

    assert str(caught.value) == f"x, key '{next(iter(values))}': {expected}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://api.dfns.io", "use https"),
        ("api.dfns.io", "such as https://api.dfns.io"),
        ("https://user:hunter2@api.dfns.io", "without user, password"),
    ],
)
def test_base_url_that_is_unusable_refused_with_file_and_key(
    folder: Path, url: str, expected: str
) -> None:
    config = write_config(folder, f"[profiles.p]\nbase_url = '{url}'")

    with pytest.raises(ConfigurationError, match=expected) as caught:
        check_base_url(load_profile("p", config=config))

    assert str(caught.value).startswith(f"configuration file {config}, profile 'p', key 'base_url'")
    assert "hunter2" not in str(caught.value)


def test_unknown_backend_refused_with_the_near_miss_and_the_file(folder: Path) -> None:
    config = write_config(folder, PROFILE + "[profiles.p.signer]\nbackend = 'pen'")

    message = refusal_of(config, PluginError)

    assert message.startswith(f"configuration file {config}, profile 'p', key 'signer.backend': ")
    assert " (did you mean 'pem'?)" in message


def test_unknown_plugin_refused_with_the_file(folder: Path) -> None:
    config = write_config(
        folder, PROFILE + "plugins = ['adit']\n[profiles.p.signer]\nbackend = 'pem'\npath = 'k'"
    )

    message = refusal_of(config, PluginError)

    assert message.startswith(f"configuration file {config}, profile 'p', key 'plugins': ")
    assert "no plugin 'adit'" in message
