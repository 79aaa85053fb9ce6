"""The local servers: where they listen, what they hold, and that they end."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from dfns_signers.algorithms import Algorithm
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers_testkit.aws import ENVIRONMENT, LOCALSTACK, MINISTACK, LocalKms, Product
from dfns_signers_testkit.aws_keys import ALIASES, local_client, local_signers, seed
from dfns_signers_testkit.servers import ServerStartError, free_port
from tests.plugins.aws_kms.kms_double import KmsDouble, refuse
from tests.plugins.testkit.served import Served
from tests.support import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WITHOUT_ED25519 = {Algorithm.ES256, Algorithm.ES256K, Algorithm.RS256}
PRODUCTS = pytest.mark.parametrize("product", [LOCALSTACK, MINISTACK], ids=lambda one: one.name)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What local servers take, and no AWS configuration of this machine."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def is_listening(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of its own")
@pytest.mark.parametrize("name", ["localstack", "ministack"])
def test_server_listens_on_the_one_loopback_address_only(
    request: pytest.FixtureRequest, name: str
) -> None:
    port = port_of(request.getfixturevalue(name).url)

    assert is_listening("127.0.0.1", port)
    assert not is_listening("127.0.0.2", port)


def test_server_ends_and_leaves_no_file_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with LocalKms(MINISTACK) as server:
        port = port_of(server.url)
        assert is_listening("127.0.0.1", port)
        assert list(tmp_path.iterdir())

    assert not is_listening("127.0.0.1", port)
    assert list(tmp_path.iterdir()) == []


def test_server_starts_on_the_port_that_is_given() -> None:
    port = free_port()

    with LocalKms(MINISTACK, port) as server:
        assert server.url == f"http://127.0.0.1:{port}"


def test_port_that_is_taken_is_an_error_and_not_somebody_elses_server(ministack: LocalKms) -> None:
    port = port_of(ministack.url)

    with pytest.raises(ServerStartError, match=f"listens on 127.0.0.1:{port} already"):
        LocalKms(MINISTACK, port)


@PRODUCTS
def test_server_that_is_not_installed_is_an_error_with_the_command_that_installs_it(
    product: Product, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ServerStartError) as caught:
        LocalKms(product)

    assert f"{product.name} is not installed" in str(caught.value)
    assert product.installation.command() in str(caught.value)
    assert product.installation.variable in str(caught.value)


@PRODUCTS
def test_interpreter_that_lacks_the_server_is_an_error_with_its_output(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(product.installation.variable, sys.executable)

    with pytest.raises(ServerStartError, match="No module named"):
        LocalKms(product)


@pytest.mark.parametrize(
    ("name", "expected"), [("localstack", WITHOUT_ED25519), ("ministack", set(Algorithm))]
)
def test_seeding_twice_makes_the_same_keys_once(
    request: pytest.FixtureRequest, name: str, expected: set[Algorithm]
) -> None:
    server: LocalKms = request.getfixturevalue(name)
    client = local_client(server.url)

    seeded = seed(client)
    before = [client.describe_key(KeyId=alias) for alias in seeded.values()]
    again = seed(client)
    after = [client.describe_key(KeyId=alias) for alias in again.values()]

    assert set(seeded) == expected
    assert seeded == again == {algorithm: ALIASES[algorithm] for algorithm in seeded}
    assert [one["KeyMetadata"]["Arn"] for one in before] == [
        one["KeyMetadata"]["Arn"] for one in after
    ]


def test_seeding_where_keys_may_not_be_created_fails() -> None:
    with KmsDouble() as double:
        double.fail("CreateKey", refuse("AccessDeniedException", "not authorized"))

        with pytest.raises(ClientError, match="AccessDeniedException"):
            seed(local_client(double.url))


def test_seed_script_seeds_the_server_at_an_address(ministack: LocalKms) -> None:
    command = [sys.executable, "localstack/seed.py", "--endpoint-url", ministack.url]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [f"{name}\t{alias}" for name, alias in ALIASES.items()]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["seed.py", "--endpoint-url", "http://127.0.0.1:9"], "Could not connect"),
        (["seed.py", "--endpoint-url", "nothing"], "Invalid endpoint"),
        (["serve.py", "--ministack"], "MiniStack is not installed"),
    ],
)
def test_script_that_cannot_do_it_says_why_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], said: str
) -> None:
    monkeypatch.delenv(MINISTACK.installation.variable, raising=False)
    script, *arguments = command

    done = subprocess.run(
        [sys.executable, ROOT / "localstack" / script, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_printed_profiles_work_as_they_are(tmp_path: Path) -> None:
    with Served(tmp_path, "localstack", "--ministack") as served:
        printed = served.printed.read_text("utf-8")
        opened = set()
        for name in tomllib.loads(printed)["profiles"]:
            with open_key(load_profile(name, config=served.printed)) as key:
                opened.add(key.algorithm)

    assert dict(re.findall(r"export (\w+)=(.*)", printed)) == dict(ENVIRONMENT)
    assert opened == set(Algorithm)


def test_demonstration_has_every_algorithm_on_ministack_and_the_rest_on_localstack() -> None:
    with local_signers() as signers:
        names = [signer.name for signer in signers]
        for signer in signers:
            with open_key(load_profile(credential_id="cr-1", signer=signer.signer)) as key:
                assert signer.name.startswith(f"{key.algorithm} ")
            assert dict(signer.environment) == dict(ENVIRONMENT)

    assert sorted(names) == sorted(
        [f"{algorithm} MiniStack" for algorithm in Algorithm]
        + [f"{algorithm} LocalStack" for algorithm in WITHOUT_ED25519]
    )


def test_credentials_for_local_servers_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another account")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    credentials = boto3.Session().get_credentials()

    assert credentials is not None
    assert (credentials.access_key, credentials.token or None) == ("test", None)


def test_compose_file_has_the_same_settings_and_the_last_free_image() -> None:
    text = (ROOT / "localstack" / "compose.yaml").read_text(encoding="utf-8")
    block = text.partition("environment:\n")[2].partition("    healthcheck:")[0]

    assert dict(re.findall(r'^ +(\w+): "(.*)"$', block, re.MULTILINE)) == LOCALSTACK.settings
    assert "image: localstack/localstack:4.14.0\n" in text
    assert '- "127.0.0.1:4566:4566"\n' in text


def test_localstack_is_the_newest_that_is_healthy_on_python_3_11() -> None:
    file = ROOT / "localstack" / "requirements" / "localstack.txt"

    assert "localstack-core==4.10.0" in file.read_text(encoding="utf-8").split()
