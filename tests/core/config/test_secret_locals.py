"""No error of the configuration leaves us with a secret in the local variables of our frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient, load_signer
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.config.assembly import validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.config.validation import validate
from tests.core.config.support import write_config, write_key
from tests.secrecy import CANARY
from tests.support.local_variables import leaks_of

PIN = "00" * 32
TOML = f'credential_id = "c"\nauth_token = "{CANARY}"\n'
FILES = {
    "syntax": f'[profiles.p]\n{TOML}timeout 30\n',
    "syntax, in the token": f'[profiles.p]\nauth_token = "{CANARY}',
    "not UTF-8": f'[profiles.p]\n{TOML}x = "\xff"',
    "key at the top": f'auth_token = "{CANARY}"\n[profiles.p]\n{TOML}',
    "key in the profile": f'[profiles.p]\n{TOML}timout = 3',
    "type": f'[profiles.p]\n{TOML}timeout = "{CANARY}"',
    "type of the token": f'[profiles.p]\nauth_token = ["{CANARY}"]',
    "keys of the token": f'[profiles.p]\nauth_token = {{ vault = "{CANARY}" }}',
    "another profile": f'[profiles.q]\n{TOML}',
    "profiles of another type": f'profiles = ["{CANARY}"]',
    "a profile of another type": f'[profiles]\np = "{CANARY}"',
    "default of another type": f'default_profile = ["{CANARY}"]\n[profiles.p]\n{TOML}',
    "signer of another type": f'[profiles.p]\n{TOML}signer = ["{CANARY}"]',
    "signer without a backend": f'[profiles.p]\n{TOML}signer = {{ passphrase = "{CANARY}" }}',
    "signer line": f'[profiles.p]\n{TOML}signer = "pem {CANARY}"',
    "signer line without pairs": f'[profiles.p]\n{TOML}signer = "pem:?{CANARY}"',
    "signer line twice": f'[profiles.p]\n{TOML}signer = "pem:?passphrase={CANARY}&passphrase=x"',
    "signer line both": f'[profiles.p]\n{TOML}signer = "pem:?passphrase={CANARY}&passphrase.env=x"',
    "unknown backend": f'[profiles.p]\n{TOML}signer = "pen:?passphrase={CANARY}"',
    "unknown option": f'[profiles.p]\n{TOML}signer = "pem:?env=X&passphrase={CANARY}&pin={CANARY}"',
    "option of another type": f'[profiles.p]\n{TOML}[profiles.p.signer]\nbackend = "pem"\n'
    f'passphrase = "{CANARY}"\nenv = 7',
    "no source": f'[profiles.p]\n{TOML}signer = "pem:?passphrase={CANARY}"',
    "key missing": f'[profiles.p]\n{TOML}signer = "pem:?path=absent&passphrase={CANARY}"',
    "unknown plugin": f'[profiles.p]\n{TOML}plugins = ["x"]\nsigner = "pem:?env=X"',
    "needless passphrase": f'[profiles.p]\n{TOML}signer = "pem:?path=k.pem&passphrase={CANARY}"',
    "another pin": f'[profiles.p]\n{TOML}signer = "pem:?path=k.pem&fingerprint={PIN}"',
    "signer missing": f"[profiles.p]\n{TOML}",
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("load", [load_signer, DfnsClient.from_config, AsyncDfnsClient.from_config])
def test_file_that_is_refused(tmp_path: Path, case: str, load: Callable[..., Any]) -> None:
    config = tmp_path / "config.toml"
    config.write_text(FILES[case], encoding="latin-1")
    config.chmod(0o600)
    write_key(tmp_path, "k.pem")

    def fail() -> None:
        made = load("p", config=config)
        if load == AsyncDfnsClient.from_config:  # its key is opened by the first signature
            anyio.run(made.post, "/wallets")
        made.post("/wallets", signed=True)  # without a signer

    assert leaks_of(fail) == []


def test_file_that_others_can_write(tmp_path: Path) -> None:
    config = write_config(tmp_path, f"[profiles.p]\n{TOML}")
    config.chmod(0o666)

    assert leaks_of(lambda: load_profile("p", config=config)) == []


ARGUMENTS: dict[str, dict[str, Any]] = {
    "unknown": {"auth_token": CANARY, "timout": 3},
    "type": {"auth_token": CANARY, "timeout": "3"},
    "type of the token": {"auth_token": [CANARY]},
    "malformed token": {"auth_token": f"{CANARY} {CANARY}"},
    "empty passphrase": {"signer": {"backend": "pem", "env": "X", "passphrase": "", "a": CANARY}},
    "table": {"signer": {"backend": "pem", "env": "X", "passphrase": [CANARY]}},
    "line": {"signer": f"pem:?passphrase={CANARY}&passphrase=y"},
    "base URL": {"auth_token": CANARY, "base_url": "http://api.dfns.io"},
    "no signer": {"auth_token": CANARY},
    "config": {"auth_token": CANARY, "config": 7},
    "profile": {"auth_token": CANARY, "profile": 7},
    "no file": {"auth_token": CANARY, "profile": "p"},
    "absent file": {"auth_token": CANARY, "config": "absent.toml"},
}


@pytest.mark.parametrize("case", ARGUMENTS)
@pytest.mark.parametrize(
    "load", [DfnsClient.from_config, DelegatedDfnsClient.from_config, load_signer]
)
def test_argument_that_is_refused(case: str, load: Callable[..., Any]) -> None:
    arguments = {"credential_id": "c", **ARGUMENTS[case]}

    def fail() -> None:
        made = load(**arguments)
        made.post("/wallets", signed=True)

    assert leaks_of(fail) == []


@pytest.mark.parametrize("line", [f"pem:?passphrase={CANARY}&x", f"pem:?a={CANARY}&a.b=1", CANARY])
def test_variable_with_a_signer_line_that_is_refused(
    monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", line)
    monkeypatch.setenv("DFNS_AUTH_TOKEN", CANARY)

    assert leaks_of(lambda: validated_options(load_profile())) == []
    assert leaks_of(lambda: parse_signer_line(line, "a test")) == []


def test_variable_that_is_empty_beside_one_with_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_AUTH_TOKEN", CANARY)
    monkeypatch.setenv("DFNS_TIMEOUT", " ")

    assert leaks_of(load_profile) == []


def test_options_that_are_refused(tmp_path: Path) -> None:
    values = {"env": "X", "passphrase": CANARY, "pin": CANARY}

    assert leaks_of(lambda: validate(PemOptions, values, where="x", folder=tmp_path)) == []
