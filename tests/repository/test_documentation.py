"""The code in the documentation runs as it stands."""

from __future__ import annotations

import gc
import re
import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from dfns_signers.emulator import Emulator

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
CREDENTIAL_ID = "Y2ktM3E5Y2Y"


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def runnable(path: Path) -> list[str]:
    return [code for code in blocks(path, "python") if "def test_" not in code]


@pytest.fixture
def configured(dfns_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the README has told its reader to set up by then, with the emulator for Dfns."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = tmp_path / "key.pem"
    pem.touch(0o600)
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    dfns_emulator.enrol(public, CREDENTIAL_ID)
    (config,) = blocks(ROOT / "README.md", "toml")
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("DFNS_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("DFNS_AUTH_TOKEN", dfns_emulator.auth_token)
    monkeypatch.setenv("DFNS_BASE_URL", dfns_emulator.url)
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", CREDENTIAL_ID)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("code", runnable(ROOT / "README.md"))
@pytest.mark.usefixtures("configured")
def test_readme_example_creates_a_wallet(
    code: str, dfns_emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        # The official SDK's client has no way to be closed.
        warnings.simplefilter("ignore", ResourceWarning)
        exec(compile(code, "README.md", "exec"), {})
        gc.collect()

    created = [r for r in dfns_emulator.requests if (r.method, r.raw_path) == ("POST", "/wallets")]
    assert len(created) == 1
    assert "wa-" in capsys.readouterr().out


@pytest.mark.usefixtures("configured")
def test_readme_test_of_a_user_passes(dfns_emulator: Emulator) -> None:
    (code,) = [code for code in blocks(ROOT / "README.md", "python") if "def test_" in code]
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)

    names["test_creates_a_wallet"](dfns_emulator)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("page", "code"),
    [(page.name, code) for page in PAGES for code in blocks(page, "python")],
)
def test_example_is_valid_python(page: str, code: str) -> None:
    compile(code, page, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_leads_to_a_file_of_the_repository(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [t for t in targets if not (page.parent / t).exists()] == []
