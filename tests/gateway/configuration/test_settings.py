"""What a gateway refuses to start with, and what it says to do."""

from __future__ import annotations

import datetime
from hashlib import sha256
from pathlib import Path

import pytest
import trustme

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import load_gateway
from tests.core.config.support import write_config
from tests.core.keys import private_key, private_pem, public_pem
from tests.gateway.running import DIGEST, LISTEN, PAYMENTS

OTHER = sha256(b"another token").hexdigest()
WEB = f'[gateway.callers.web]\ntoken_sha256 = ["{OTHER}"]\n'


PROFILE = """\
[profiles.production]
base_url = "https://api.example.com"
auth_token = "upstream-token"
credential_id = "cr-1"
signer = { backend = "pem", path = "key.pem" }

[gateway]
profile = "production"
"""


class Folder:
    """Writes configurations and what they refer to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._authority = trustme.CA()
        (path / "callers-ca.crt").write_bytes(self._authority.cert_pem.bytes())
        self.issue("tls")
        self.file = path / "config.toml"

    def issue(self, name: str, until: datetime.datetime | None = None) -> None:
        issued = self._authority.issue_cert("localhost", not_after=until)
        (self.path / f"{name}.crt").write_bytes(issued.cert_chain_pems[0].bytes())
        key = self.path / f"{name}.key"
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)

    def load(self, gateway: str) -> list[str]:
        """What is said of a configuration, a line for each problem; nothing if it is loaded."""
        write_config(self.path, PROFILE + gateway)
        try:
            load_gateway(config=self.file)
        except ConfigurationError as error:
            return str(error).splitlines()
        return []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def table(*options: str, name: str = "local") -> str:
    lines = ('certificate = "tls.crt"', 'key = { file = "tls.key" }', *options)
    return f"\n[gateway.tls.{name}]\n" + "\n".join(lines) + "\n"


TWO_OF_A_UID = """
listen = ["unix:/tmp/a.sock"]
[gateway.callers.a]
unix = { uid = [1] }
[gateway.callers.b]
unix = { uid = [1] }
"""
CLIENT_CA = 'client_ca = "callers-ca.crt"'
MTLS = '\n[gateway.callers.mtls]\ncertificate = ["spiffe://example.org/pay"]\n'


@pytest.mark.parametrize(
    "gateway",
    [
        LISTEN + PAYMENTS,
        'listen = ["unix:/tmp/a.sock?mode=0660"]\n[gateway.callers.a]\nunix = { uid = [1, 2] }',
        'listen = ["127.0.0.1:0", "localhost:0?tls=local"]' + table() + PAYMENTS,
        'listen = ["192.0.2.1:8443?tls=local"]' + table(CLIENT_CA) + MTLS,
        'listen = ["0.0.0.0:8443?tls=local"]\nhosts = ["gateway.example.com:8443"]'
        + table(CLIENT_CA)
        + MTLS,
        'listen = ["127.0.0.1:1?caller=payments", "127.0.0.1:2?caller=web"]' + PAYMENTS + WEB,
        LISTEN + '\nadmin = "127.0.0.1:9464"' + PAYMENTS,
        LISTEN + PAYMENTS.replace(DIGEST, DIGEST.upper()),
        LISTEN + PAYMENTS.replace(f'"{DIGEST}"', f'"{DIGEST}", "{OTHER}"'),
    ],
)
def test_configuration_is_loaded(folder: Folder, gateway: str) -> None:
    assert folder.load(gateway) == []


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ("", "'listen': missing"),
        ("listen = []" + PAYMENTS, "'listen'"),
        ('listen = ["127.0.0.1"]' + PAYMENTS, "key 'listen', entry 1: expected an address such as"),
        (
            'listen = ["unix:/tmp/a.sock?mode=0666"]' + PAYMENTS,
            "key 'listen', entry 1: expected mode=0600",
        ),
        ('listen = ["0.0.0.0:1"]\nhosts = ["h:1"]' + PAYMENTS, "plain http is for this machine"),
        ('listen = ["192.0.2.1:1?tls=local"]' + table() + PAYMENTS, "a 'client_ca'"),
        (
            'listen = ["0.0.0.0:1?tls=local"]' + table(CLIENT_CA) + MTLS,
            "set 'hosts' to what clients connect to",
        ),
        ('listen = ["127.0.0.1:0?tls=lcoal"]' + table() + PAYMENTS, "did you mean 'local'?"),
        (LISTEN + table() + PAYMENTS, "[gateway.tls.local]: no listener uses it"),
        ('listen = ["127.0.0.1:1", "127.0.0.1:1"]' + PAYMENTS, "another listener has the same"),
        (
            'listen = ["127.0.0.1:1"]\nadmin = "127.0.0.1:1"' + PAYMENTS,
            "another listener has the same",
        ),
        (LISTEN + '\nadmin = "0.0.0.0:9464"' + PAYMENTS, "'admin': the admin listener is for this"),
        (
            LISTEN + '\nadmin = "127.0.0.1:1?caller=payments"' + PAYMENTS,
            "takes neither 'caller' nor 'tls'",
        ),
        (LISTEN + '\nhosts = ["https://gateway"]' + PAYMENTS, "expected a host as clients send it"),
        (LISTEN, "no caller can be identified there"),
        ('listen = ["127.0.0.1:0?caller=paymnts"]' + PAYMENTS, "did you mean 'payments'?"),
        (
            'listen = ["127.0.0.1:1?caller=payments"]' + PAYMENTS + WEB,
            "[gateway.callers.web]: no listener can identify it: each is for another caller",
        ),
        (
            LISTEN + PAYMENTS + "[gateway.callers.web]\n",
            "[gateway.callers.web]: nothing identifies",
        ),
        (
            LISTEN + PAYMENTS + "[gateway.callers.paymnts]\n",
            "nothing identifies it (did you mean 'payments'?): give it",
        ),
        (
            LISTEN + PAYMENTS + "[gateway.callers.web]\nunix = { uid = [7] }",
            "add unix:/PATH to 'listen'",
        ),
        (
            LISTEN + PAYMENTS + MTLS,
            "[gateway.callers.mtls]: 'certificate' has no effect without a listener that asks",
        ),
        (
            'listen = ["192.0.2.1:1?tls=local"]' + table(CLIENT_CA) + MTLS + PAYMENTS,
            "[gateway.callers.payments]: no listener can identify it: each asks for a 'certif",
        ),
        (
            'listen = ["127.0.0.1:1", "unix:/tmp/a.sock"]'
            + PAYMENTS
            + WEB
            + 'certificate = ["a"]\nidentified_by = "all"\n',
            "'certificate' has no effect",
        ),
        (
            'listen = ["127.0.0.1:1", "unix:/tmp/a.sock?caller=payments"]'
            + PAYMENTS.replace("token_", "unix = { uid = [1] }\ntoken_")
            + WEB
            + 'unix = { uid = [7] }\nidentified_by = "all"',
            "[gateway.callers.web]: 'unix' has no effect",
        ),
        (
            'listen = ["127.0.0.1:1?tls=local", "unix:/tmp/a.sock"]'
            + table(CLIENT_CA)
            + WEB
            + 'unix = { uid = [7] }\ncertificate = ["a"]\nidentified_by = "all"',
            "none shows certificate and token and unix at once",
        ),
        (
            'listen = ["127.0.0.1:1"]' + PAYMENTS + WEB + 'identified_by = "all"',
            'identified_by = "all" has no effect with one kind',
        ),
        (LISTEN + PAYMENTS + WEB.replace(OTHER, DIGEST), "token_sha256 is given 2 times"),
        (
            TWO_OF_A_UID,
            "uid 1 is given 2 times, by 'a' and 'b'",
        ),
        (
            'listen = ["unix:/tmp/a.sock"]\n[gateway.callers.a]\nunix = { uid = [1, 1] }\n',
            "uid 1 is given 2 times, by 'a'",
        ),
        (LISTEN + PAYMENTS.replace(DIGEST, "token"), "the token itself does not belong here"),
        (
            LISTEN + PAYMENTS.replace(DIGEST, sha256(b"").hexdigest()),
            "the SHA-256 of an empty token",
        ),
        (
            LISTEN + PAYMENTS.replace(DIGEST, sha256(b"upstream-token").hexdigest()),
            "its token is that of the gateway itself",
        ),
        (
            LISTEN + PAYMENTS.replace("token_sha256", "token_sha265"),
            "key 'callers.payments.token_sha265': unknown key (did you mean 'token_sha256'?)",
        ),
        (
            LISTEN + PAYMENTS.replace("name =", "nmae ="),
            "key 'callers.payments.allow', rule 1, key 'nmae': unknown key (did you mean 'name'?)",
        ),
        (
            LISTEN + PAYMENTS + "rat = 1",
            "key 'callers.payments.allow', rule 'wallets', key 'rat': unknown key (did you mean",
        ),
        (LISTEN + '\nlisen = ""' + PAYMENTS, "key 'lisen': unknown key (did you mean 'listen'?)"),
        (LISTEN + "\ndrain_delay = inf" + PAYMENTS, "key 'drain_delay'"),
        (LISTEN + "\nmax_body = 8_388_609" + PAYMENTS, "key 'max_body'"),
        (LISTEN + PAYMENTS.replace("payments", '"a b"'), "expected a name of up to 64 letters"),
        (
            'listen = ["unix:/tmp/a.sock"]\n[gateway.callers.a]\nunix = { uid = [-1] }',
            "key 'callers.a.unix.uid', entry 1: expected",
        ),
        (
            LISTEN + PAYMENTS + '[gateway.callers.m]\ncertificate = ["*.example.org"]',
            "without wildcards",
        ),
    ],
)
def test_configuration_is_refused_with_its_place_and_what_to_do(
    folder: Folder, gateway: str, said: str
) -> None:
    lines = folder.load(gateway)

    assert any(said in line for line in lines), lines
    assert all(str(folder.file) in line for line in lines)


def test_all_that_is_wrong_is_said_at_once(folder: Folder) -> None:
    lines = folder.load('listen = ["192.0.2.1:1", "127.0.0.1:2?tls=none"]' + PAYMENTS + MTLS)

    assert len(lines) == 3


def test_profile_that_is_not_there_is_named(folder: Folder) -> None:
    folder.load(LISTEN + PAYMENTS)
    text = folder.file.read_text()
    folder.file.write_text(text.replace('profile = "production"', 'profile = "prodution"'))

    with pytest.raises(
        ConfigurationError,
        match=r"'profile': there is no profile 'prodution' \(did you mean 'production'\?\)",
    ):
        load_gateway(config=folder.file)


def test_file_without_the_table_is_refused_with_the_command_that_writes_one(
    folder: Folder,
) -> None:
    write_config(folder.path, "[profiles.p]\n")

    with pytest.raises(ConfigurationError, match="gateway caller add NAME"):
        load_gateway(config=folder.file)


def test_key_of_a_caller_that_two_have_is_refused(folder: Folder) -> None:
    (folder.path / "one.pub").write_bytes(public_pem(private_key("Ed25519").public_key()))
    key = 'credential = { id = "cr-x", public_key = "one.pub" }\n'
    lines = folder.load(
        LISTEN + PAYMENTS.replace("\n\n[[", f"\n{key}\n[[") + WEB + key.replace("cr-x", "cr-y")
    )

    assert len(lines) == 1
    assert "[gateway.callers.web]: the caller 'payments' has the same public key" in lines[0]


def test_credential_id_that_two_have_is_refused(folder: Folder) -> None:
    for name, algorithm in (("one", "Ed25519"), ("two", "ES256")):
        pem = public_pem(private_key(algorithm).public_key())
        (folder.path / f"{name}.pub").write_bytes(pem)
    key = 'credential = { id = "cr-x", public_key = "one.pub" }\n'

    (line,) = folder.load(
        LISTEN + PAYMENTS.replace("\n\n[[", f"\n{key}\n[[") + WEB + key.replace("one", "two")
    )

    assert "credential id 'cr-x' is given 2 times, by 'payments' and 'web'" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (private_pem(private_key("Ed25519")), "this is a private key"),
        (b"nonsense", "not a public key"),
        (None, "cannot be read"),
    ],
    ids=["private key", "nonsense", "no file"],
)
def test_what_is_not_a_public_key_is_refused(
    folder: Folder, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder.path / "one.pub").write_bytes(content)

    (line,) = folder.load(
        LISTEN + PAYMENTS + WEB + 'credential = { id = "cr-x", public_key = "one.pub" }'
    )

    assert "[gateway.callers.web], key 'credential.public_key': " in line
    assert str(folder.path / "one.pub") in line
    assert said in line
    assert "MC4CAQ" not in line


@pytest.mark.parametrize("name", ["config.toml", "tls.crt", "callers-ca.crt", "tls.key", "one.pub"])
def test_file_that_other_users_can_write_is_refused(folder: Folder, name: str) -> None:
    (folder.path / "one.pub").write_bytes(public_pem(private_key("Ed25519").public_key()))
    key = 'credential = { id = "cr-x", public_key = "one.pub" }\n'
    gateway = 'listen = ["127.0.0.1:0?tls=local"]' + table(CLIENT_CA) + MTLS + key
    assert folder.load(gateway) == []
    (folder.path / name).chmod(0o666)

    with pytest.raises(ConfigurationError, match=rf"other users can write .*{name}"):
        load_gateway(config=folder.file)


def test_certificate_that_has_expired_is_refused(folder: Folder) -> None:
    folder.issue("tls", datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc))

    (line,) = folder.load('listen = ["127.0.0.1:0?tls=local"]' + table() + PAYMENTS)

    assert "[gateway.tls.local]: the certificate" in line
    assert "expired at 2026-01-01T00:00:00+00:00: renew it" in line


def test_certificate_of_another_key_is_refused(folder: Folder) -> None:
    folder.issue("other")
    (folder.path / "tls.key").write_bytes((folder.path / "other.key").read_bytes())

    (line,) = folder.load('listen = ["127.0.0.1:0?tls=local"]' + table() + PAYMENTS)

    assert "is not that of the first certificate" in line
    assert "PRIVATE" not in line


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tls.crt", b"nonsense", "is not a certificate in PEM"),
        ("tls.key", b"nonsense", "is not a private key in PEM"),
        ("callers-ca.crt", b"", "is not a certificate in PEM"),
        ("tls.crt", None, "cannot be read"),
        ("tls.key", None, "cannot be read"),
    ],
)
def test_file_of_a_listener_that_cannot_be_read_is_refused(
    folder: Folder, name: str, content: bytes | None, said: str
) -> None:
    (folder.path / name).unlink()
    if content is not None:
        (folder.path / name).write_bytes(content)

    (line,) = folder.load('listen = ["127.0.0.1:0?tls=local"]' + table(CLIENT_CA) + MTLS)

    assert "gateway" in line
    assert "tls" in line
    assert said in line


def test_authority_of_callers_that_is_a_certificate_of_a_server_is_refused(folder: Folder) -> None:
    (folder.path / "callers-ca.crt").write_bytes((folder.path / "tls.crt").read_bytes())

    (line,) = folder.load('listen = ["127.0.0.1:0?tls=local"]' + table(CLIENT_CA) + MTLS)

    assert "not an authority (CA:TRUE)" in line


def test_no_digest_or_secret_is_in_the_repr_of_a_loaded_gateway(folder: Folder) -> None:
    folder.load(LISTEN + PAYMENTS)

    loaded = load_gateway(config=folder.file)

    shown = f"{loaded!r} {loaded.callers.by_name!r}"
    assert DIGEST not in shown
    assert "upstream-token" not in shown
