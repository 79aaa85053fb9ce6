"""The public names, and what importing them costs."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

import dfns_signers
from tests.core.keys import private_key, private_pem

HEAVY = (
    "azure",
    "boto3",
    "botocore",
    "google",
    "grpc",
    "httpx",
    "hvac",
    "pkcs11",
    "pydantic",
    "requests",
    "rich",
    "starlette",
    "tenacity",
    "typer",
)


def modules_after(lines: Sequence[str]) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after those lines."""
    code = "\n".join([*lines, "import json, sys", "print(json.dumps(list(sys.modules)))"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        input=private_pem(private_key("ES256")).decode(),
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_import_alone_loads_nothing_but_the_package() -> None:
    loaded = modules_after(["import dfns_signers"])

    assert "dfns_signers" in loaded
    assert not loaded & {*HEAVY, "anyio", "cryptography", "pluggy"}


def test_signature_with_a_pem_loads_no_http_library_no_cloud_sdk_and_no_validation() -> None:
    loaded = modules_after(
        [
            "import sys",
            "from dfns_signers import KeySigner, PemKey",
            "signer = KeySigner(PemKey.from_pem(sys.stdin.read()), credential_id='cr-1')",
            "assert signer.sign({'challenge': 'Y2g'})['kind'] == 'Key'",
        ]
    )

    assert "cryptography" in loaded
    assert not loaded & {*HEAVY, "anyio", "asyncio", "concurrent", "hashlib", "logging", "pluggy"}


@pytest.mark.parametrize("name", dfns_signers.__all__)
def test_public_name_is_importable_and_is_what_it_is_called(name: str) -> None:
    value = getattr(dfns_signers, name)

    assert value is getattr(dfns_signers, name)
    assert getattr(value, "__name__", name) == name


def test_public_names_are_sorted_and_listed_by_dir() -> None:
    assert dfns_signers.__all__ == sorted(set(dfns_signers.__all__))
    assert set(dfns_signers.__all__) <= set(dir(dfns_signers))


def test_public_names_are_those_that_were_promised() -> None:
    promised = {
        "Algorithm",
        "AsyncDelegatedDfnsClient",
        "AsyncDfnsClient",
        "ChangeRequest",
        "DelegatedDfnsClient",
        "DfnsClient",
        "DfnsSignersError",
        "KeySigner",
        "PemKey",
        "PendingAction",
        "Signer",
        "SigningKey",
        "UserActionAuth",
        "load_signer",
    }

    assert promised <= set(dfns_signers.__all__)


def test_unknown_name_refused_like_that_of_any_module() -> None:
    with pytest.raises(AttributeError, match="'dfns_signers' has no attribute 'KeySinger'"):
        # Type checkers refuse it too: without the complaint to ignore, theirs is about this line.
        dfns_signers.KeySinger  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="KeySinger"):
        exec("from dfns_signers import KeySinger")


def test_version_is_that_of_the_installed_distribution() -> None:
    assert dfns_signers.__version__ == importlib.metadata.version("dfns-signers")
