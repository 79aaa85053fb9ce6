"""Keys that are opened by configuration share a client where they would make equal ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.loaders import JSONFileLoader, create_loader

from dfns_signers.errors import ConfigurationError, KeyAccessError, KeyNotFoundError
from dfns_signers_aws_kms.key import AwsKmsKey
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble
from tests.support.forking import in_forked_child

Open = Callable[..., AwsKmsKey]

BOUND = 10


@dataclass
class Clients:
    """Those that were made and closed in a test, some of them twice."""

    made: list[BaseClient] = field(default_factory=list)
    closed: list[BaseClient] = field(default_factory=list)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    seen = Clients()
    start, end = BaseClient.__init__, BaseClient.close

    def make(self: BaseClient, *args: Any, **rest: Any) -> None:
        seen.made.append(self)
        start(self, *args, **rest)

    def close(self: BaseClient) -> None:
        seen.closed.append(self)
        end(self)

    monkeypatch.setattr(BaseClient, "__init__", make)
    monkeypatch.setattr(BaseClient, "close", close)
    return seen


@pytest.fixture
def arns(double: KmsDouble) -> tuple[str, str]:
    return double.add("ECC_NIST_P256"), double.add("RSA_2048")


def signs(key: AwsKmsKey) -> bool:
    return is_signature(key.public_key, b"message", key.sign(b"message"))


def test_keys_of_equal_settings_share_one_connection(
    double: KmsDouble, open_key: Open, arns: tuple[str, str]
) -> None:
    keys = [open_key(arn) for arn in arns]

    assert all(signs(key) for key in keys)
    assert double.http.connections == 1


def test_closing_a_key_leaves_the_others_open_and_the_last_one_closes_the_connection(
    double: KmsDouble, open_key: Open, arns: tuple[str, str], clients: Clients
) -> None:
    first, second = (open_key(arn) for arn in arns)

    first.close()
    first.close()

    assert signs(second)
    assert double.http.connections == 1
    second.close()
    assert double.http.has_no_connection_within(BOUND)
    before = len(clients.made)
    assert signs(open_key(arns[0]))
    assert len(clients.made) > before


def test_key_that_cannot_be_opened_leaves_the_client_of_the_others(
    double: KmsDouble, open_key: Open, arns: tuple[str, str]
) -> None:
    key = open_key(arns[0])

    with pytest.raises(KeyNotFoundError):
        open_key("alias/nobody")

    assert signs(key)
    assert double.http.connections == 1


@pytest.mark.parametrize(
    "other",
    [
        {"read_timeout": 9.5},
        {"connect_timeout": 2.5},
        {"max_connections": 7},
        {"profile": "ops"},
        {"role_arn": ROLE},
        {"use_fips_endpoint": False},
    ],
    ids=lambda options: next(iter(options)),
)
def test_keys_of_other_settings_have_a_client_of_their_own(
    double: KmsDouble,
    open_key: Open,
    sts: StsDouble,
    aws_config: Callable[[str], None],
    arns: tuple[str, str],
    other: dict[str, Any],
) -> None:
    aws_config("[profile ops]\naws_access_key_id = other\naws_secret_access_key = x\n")
    open_key(arns[0])

    open_key(arns[1], **other)

    assert double.http.connections == 2


def test_models_of_aws_services_are_read_once_for_clients_of_all_settings(
    double: KmsDouble, open_key: Open, arns: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.session.create_loader", create_loader)
    open_key(arns[0])
    read: list[str] = []
    load = JSONFileLoader.load_file

    def remember(self: JSONFileLoader, path: str) -> Any:
        read.append(path)
        return load(self, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", remember)
    open_key(arns[1], read_timeout=9.5)

    assert double.http.connections == 2
    assert read == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_ACCESS_KEY_ID", "another"), ("HTTPS_PROXY", "http://127.0.0.1:9"), ("HOME", "/none")],
)
def test_keys_opened_in_another_environment_have_a_client_of_their_own(
    double: KmsDouble,
    open_key: Open,
    arns: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    open_key(arns[0])
    monkeypatch.setenv(name, value)

    open_key(arns[1])

    assert double.http.connections == 2


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_key_opened_after_the_aws_files_changed_is_used_as_they_say(
    double: KmsDouble,
    open_key: Open,
    arns: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
) -> None:
    file = tmp_path / "file"
    monkeypatch.setenv(variable, str(file))
    used = []
    for arn, access_key_id in zip(arns, ("before", "after"), strict=True):
        keys = f"aws_access_key_id = {access_key_id}\naws_secret_access_key = x\n"
        file.write_text(f"[default]\n{keys}", encoding="utf-8")
        open_key(arn)
        used.append(double.http.requests[-1].access_key_id)

    assert used == ["before", "after"]


@pytest.mark.usefixtures("no_credentials")
def test_credentials_that_a_command_prints_once_are_asked_for_by_each_key(
    double: KmsDouble,
    open_key: Open,
    arns: tuple[str, str],
    aws_config: Callable[[str], None],
    tmp_path: Path,
) -> None:
    printed = tmp_path / "printed"
    program = tmp_path / "program.py"
    program.write_text(f"print(open({str(printed)!r}).read())", encoding="utf-8")
    aws_config(f"[profile ops]\ncredential_process = {sys.executable} {program}\n")
    used = []
    for arn, access_key_id in zip(arns, ("before", "after"), strict=True):
        credentials = {"Version": 1, "AccessKeyId": access_key_id, "SecretAccessKey": "x"}
        printed.write_text(json.dumps(credentials), encoding="utf-8")
        open_key(arn, profile="ops")
        used.append(double.http.requests[-1].access_key_id)

    assert used == ["before", "after"]


def test_shared_client_assumes_its_role_again_before_it_expires(
    double: KmsDouble, sts: StsDouble, open_key: Open, arns: tuple[str, str]
) -> None:
    sts.minutes = 1.0  # botocore renews what holds for less than ten minutes
    keys = [open_key(arn, role_arn=ROLE) for arn in arns]
    before = len(sts.asked)

    assert all(signs(key) for key in keys)
    assert len(sts.asked) > before
    assert double.http.connections == 1


def test_keys_whose_aws_profile_assumes_a_role_share_its_credentials(
    double: KmsDouble,
    sts: StsDouble,
    open_key: Open,
    arns: tuple[str, str],
    aws_config: Callable[[str], None],
) -> None:
    aws_config(f"[profile ops]\nrole_arn = {ROLE}\ncredential_source = Environment\n")

    for arn in arns:
        assert signs(open_key(arn, profile="ops"))

    assert len(sts.asked) == 1
    assert double.http.connections == 1


def test_failure_to_make_a_client_is_not_kept(
    double: KmsDouble, open_key: Open, arns: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("botocore.session.Session.create_client", _fail)
        with pytest.raises(KeyAccessError, match="no such thing"):
            open_key(arns[0])

    assert signs(open_key(arns[0]))


def _fail(*_: object, **__: object) -> None:
    raise OSError("no such thing")


def test_unusable_configuration_is_said_to_each_key(open_key: Open, arns: tuple[str, str]) -> None:
    for arn in arns:
        with pytest.raises(ConfigurationError, match=r"profile \(nobody\) could not be found"):
            open_key(arn, profile="nobody")


def test_keys_that_are_opened_and_closed_at_once_leave_no_client_open(
    double: KmsDouble, open_key: Open, arns: tuple[str, str], clients: Clients
) -> None:
    def open_and_close(turn: int) -> bool:
        key = open_key(arns[turn % 2])
        signed = signs(key)
        key.close()
        return signed

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(open_and_close, range(40)))
    assert {id(one) for one in clients.made} == {id(one) for one in clients.closed}
    assert double.http.has_no_connection_within(BOUND)


def test_forked_child_makes_a_client_of_its_own_and_leaves_that_of_its_parent(
    double: KmsDouble, arns: tuple[str, str]
) -> None:
    table = {"backend": "aws-kms", "region": REGION, "endpoint_url": double.url}

    outcomes = in_forked_child(
        """
        signers = [load_signer(credential_id="cr-1", signer=table) for table in argument]
        def use(one):
            one.sign(CHALLENGE)
        for one in signers:
            use(one)
        def close(one):
            one.close()
        """,
        "[outcome(lambda: use(signers[0])), outcome(lambda: use(signers[1])), "
        "outcome(lambda: close(signers[0])), outcome(lambda: use(signers[1]))]",
        [{**table, "key_id": arn} for arn in arns],
        after="for one in signers: use(one); one.close()",
    )

    assert outcomes == ["signed"] * 4
    assert double.http.connections == 2
