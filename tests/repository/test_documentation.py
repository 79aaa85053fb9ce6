"""The code in the documentation runs as it stands."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfns_signers.config.files import parse
from dfns_signers.emulator import Emulator
from dfns_signers.sealed import Sealed
from dfns_signers_testkit.servers import free_port
from tests.core.cli.support import Started
from tests.core.config.support import write_config, write_key
from tests.core.keys import public_key, public_pem
from tests.support import ROOT
from tests.support.makefile import recipe
from tests.support.pages import blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")])
CREDENTIAL_ID = "Y2ktM3E5Y2Y"
(CONFIG,) = blocks(README, "toml")
TRY_IT = blocks(README, "sh")
RUNNABLE = [code for code in blocks(README, "python") if "def test_" not in code]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs lines in a new home folder; returns what they print."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)

    def run(lines: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", lines], stdout=subprocess.PIPE, text=True, check=True, timeout=60
        )
        return done.stdout

    return run


@pytest.fixture
def configured(
    dfns_emulator: Emulator,
    shell: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the README has its reader set up by then, with the emulator for Dfns."""
    folder = tmp_path / ".config" / "dfns-signers"
    write_key(folder, "laptop.pem")
    write_config(folder, dfns_emulator.auth_token, "laptop.token")
    write_config(folder, CONFIG)
    dfns_emulator.register(public_pem(public_key("Ed25519")), CREDENTIAL_ID)
    monkeypatch.setenv("DFNS_AUTH_TOKEN", dfns_emulator.auth_token)
    monkeypatch.setenv("DFNS_BASE_URL", dfns_emulator.url)
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", CREDENTIAL_ID)
    monkeypatch.chdir(folder)


@pytest.fixture
def local_api(shell: Callable[[str], str]) -> Iterator[None]:
    """What the first command of the README leaves running, on another port."""
    with Started(*recipe("emulator", "--listen", "127.0.0.1:0")[1:]) as emulator:
        emulator.line()
        yield


@pytest.mark.usefixtures("local_api")
def test_readme_leads_to_a_signed_call_in_two_commands(shell: Callable[[str], str]) -> None:
    first, second = TRY_IT[0].splitlines()

    assert first == "make emulator"
    assert json.loads(shell(second.replace(".venv/bin/", "")))["network"] == "EthereumSepolia"


@pytest.mark.usefixtures("local_api")
def test_readme_leads_to_the_configuration_that_it_shows(
    shell: Callable[[str], str], tmp_path: Path
) -> None:
    shell(TRY_IT[1].replace(".venv/bin/", ""))

    folder = tmp_path / ".config" / "dfns-signers"
    written, shown = (
        parse(Sealed(text), folder).open()
        for text in ((folder / "config.toml").read_bytes(), CONFIG.encode())
    )
    laptop, example = (file["profiles"]["laptop"] for file in (written, shown))
    assert written["default_profile"] == shown["default_profile"]
    assert laptop["auth_token"] == example["auth_token"]
    assert Path(laptop["signer"]["path"]) == folder / example["signer"]["path"]
    assert laptop.keys() == {*example.keys(), "base_url"}


@pytest.mark.usefixtures("local_api")
def test_readme_leads_to_rules_an_audit_trail_and_a_gateway(shell: Callable[[str], str]) -> None:
    shell(TRY_IT[1].replace(".venv/bin/", ""))
    by_rules, serve, call = TRY_IT[-3:]
    port = free_port()

    shown = shell(by_rules)
    add, rest = serve.split("\n", 1)
    rule, gateway = rest.rstrip().rsplit("\n", 1)
    shell(f"{add} --listen 127.0.0.1:{port}\n{rule}")
    with Started(*gateway.split()[1:]) as running:
        running.note_with("ready: ")
        answer = json.loads(shell(call.replace("8787", str(port))))

    assert "by rule 'test wallets'" in shown
    assert re.search(r"answered +200 .* test wallets +POST /wallets", shown)
    assert answer["network"] == "EthereumSepolia"


@pytest.mark.parametrize("code", RUNNABLE)
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


def test_readme_test_of_a_user_passes(dfns_emulator: Emulator) -> None:
    (code,) = [code for code in blocks(README, "python") if "def test_" in code]
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)

    names["test_creates_a_wallet"](dfns_emulator)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (page.name, code)
        for page in PAGES
        for code in blocks(page.read_text(encoding="utf-8"), "python")
    ],
)
def test_example_is_valid_python(page: str, code: str) -> None:
    compile(code, page, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_leads_to_a_file_of_the_repository(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_leads_to_a_heading_of_its_page(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text(encoding="utf-8"))

    assert [
        (file, anchor)
        for file, anchor in targets
        if anchor not in _anchors(page.parent / file if file else page)
    ] == []


def _anchors(page: Path) -> set[str]:
    """What GitHub names the headings of a page."""
    prose = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)", prose)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_page_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([^)#]+)", README))

    assert {page.name for page in ROOT.glob("docs/*.md")} - linked == set()
