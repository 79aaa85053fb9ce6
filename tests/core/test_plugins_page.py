"""The plugins of ``docs/plugins.md`` work, keep the contract, and the tables are true."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import load_signer
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import KeyNotFoundError, SecretRefusedError, SigningRefusedError
from dfns_signers.hooks import SigningRequest
from dfns_signers.signing_key import Evidence
from dfns_signers_testkit.contract import NOT_OFFERABLE
from tests.core.config.machine import site
from tests.support.pages import DOCS, blocks, rows, section

__all__ = ["site"]

PAGE = "plugins.md"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
SMALLEST = {"backend": "my-hsm", "label": "wallets"}
COMPLETE = {"backend": "acme-hsm", "label": "wallets", "pin": "271828"}
ADDRESS = "http://127.0.0.1:4433"
CHALLENGE = {"challenge": "Y2g"}


def files() -> Iterator[tuple[str, str]]:
    """Name and content of each file of the page, but for the projects."""
    for language, comment in (("python", r"# (\S+)\n"), ("markdown", r"<!-- (\S+) -->\n")):
        for block in blocks(TEXT, language):
            name = re.match(comment, block)
            assert name
            yield name[1], block[name.end() :]


@pytest.fixture
def installed(site: Path) -> Path:
    for name, content in files():
        path = site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for project in blocks(TEXT, "toml"):
        (name,) = re.findall(r'^name = "(.+)"$', project, re.MULTILINE)
        entries = project.partition("[project.entry-points.dfns_signers]\n")[2].replace('"', "")
        metadata = site / f"{name.replace('-', '_')}-0.1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
        (metadata / "entry_points.txt").write_text(f"[dfns_signers]\n{entries}")
    return site


def test_smallest_backend_is_under_20_lines_and_imports_from_one_module_of_ours() -> None:
    source = dict(files())["my_hsm.py"]
    imports = [
        node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)
    ]

    assert len([line for line in source.splitlines() if line]) < 20
    assert imports == ["dfns_signers.plugin", "hsm_client"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("table", [SMALLEST, COMPLETE], ids=["smallest", "complete"])
def test_backend_of_the_page_has_the_same_key_in_another_process(
    installed: Path, table: dict[str, str]
) -> None:
    show = (
        "import json, sys; from dfns_signers import load_signer; table = json.loads(sys.argv[1]); "
        "print(load_signer(signer=table, credential_id='cr-1').key.fingerprint)"
    )

    elsewhere = subprocess.run(
        [sys.executable, "-c", show, json.dumps(table)],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    with load_signer(signer=table, credential_id="cr-1") as signer:
        assert elsewhere.stdout.strip() == signer.key.fingerprint


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("table", [SMALLEST, COMPLETE], ids=["smallest", "complete"])
def test_backend_of_the_page_signs(table: dict[str, str]) -> None:
    with load_signer(signer=table, credential_id="cr-1") as signer:
        assert signer.sign(CHALLENGE)["kind"] == "Key"
        assert signer.key.reference.endswith("wallets")


@pytest.mark.parametrize("suite", ["test_my_contract.py", "test_acme_contract.py"])
def test_backend_of_the_page_keeps_the_contract_by_the_test_of_the_page(
    installed: Path, suite: str, pytester: pytest.Pytester
) -> None:
    arguments = ("-p", "no:cacheprovider", installed / "tests" / suite)

    outcomes = pytester.runpytest_inprocess(*arguments).parseoutcomes()

    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] > 20


def test_what_a_contract_may_not_offer_is_in_the_page() -> None:
    assert [f"| `{name}` | {what} |" for name, what in NOT_OFFERABLE.items()] == rows(
        section(PAGE, "Test it")
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"label": "walets"},
            KeyNotFoundError,
            "cannot read the key walets: KEY_NOT_FOUND; correct 'label'",
        ),
        (
            {"pin": "1"},
            SecretRefusedError,
            f"cannot log in to {ADDRESS}: PIN_INCORRECT; correct 'pin' before it is locked",
        ),
    ],
)
def test_complete_backend_of_the_page_explains_what_is_wrong(
    change: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        load_signer(signer={**COMPLETE, **change}, credential_id="cr-1")

    assert str(caught.value) == f"{said} (Acme request id request-1, attempt 1 of 3)"


@pytest.mark.usefixtures("installed")
def test_guard_and_observers_of_the_page_stand_in_the_signing_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with load_signer(signer=COMPLETE, credential_id="cr-1", plugins=["acme-guard"]) as signer:
        signer.for_call(AnnouncedCall("POST", "/wallets", "{}")).sign(CHALLENGE)
        with pytest.raises(SigningRefusedError, match="only calls that are known"):
            signer.sign(CHALLENGE)

    signed, refused = capsys.readouterr().out.splitlines()
    assert signed.startswith("signed cr-1 acme-hsm:wallets None request-1 ")
    assert refused == "not signed cr-1 acme-hsm:wallets SigningRefusedError"


@pytest.mark.usefixtures("installed")
def test_hooks_of_the_page_need_no_worker_thread() -> None:
    plugins = ["acme-guard"]
    with load_signer(signer=COMPLETE, credential_id="cr-1", plugins=plugins) as signer:
        assert not signer.hooks_may_block


def guarded(method: str, path: str) -> None:
    """Sign for a call, with the guard of the page."""
    with load_signer(signer=COMPLETE, credential_id="cr-1", plugins=["acme-guard"]) as signer:
        signer.for_call(AnnouncedCall(method, path, "{}")).sign(CHALLENGE)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/wallets"), ("PUT", "/wallets/wa-1/tags"), ("DELETE", "/wallets/wa-1/tags")],
)
def test_guard_of_the_page_lets_what_it_lists_through(method: str, path: str) -> None:
    guarded(method, path)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET", "post", "POST /wallets"])
@pytest.mark.parametrize(
    "path",
    [
        "/wallets/wa-1/transfers",
        "/wallets/wa-1/%74ransfers",
        "/wallets/wa-1/transfer%73",
        "/wallets/wa-1/%25%37%34ransfers",
        "/wallets/wa-1/Transfers",
        "/wallets/wa-1/transfers%2F",
        "/wallets/wa-1/transfers%3Fa=b",
        "/wallets/wa-1/transfers;x=1",
        "/wallets/wa-1%2Ftransfers%3F/tags",
        "/wallets/wa-1%2ftransfers",
        "/wallets/../keys/tags",
        "/wallets//tags",
        "/wallets/wa-1/tags/",
        "/wallets/wa-1/tags\n",
        "/v2/wallets",
        "/keys",
        "/",
        "",
    ],
)
def test_guard_of_the_page_refuses_whatever_it_does_not_list(method: str, path: str) -> None:
    with pytest.raises(SigningRefusedError, match="is not signed here"):
        guarded(method, path)


@pytest.mark.usefixtures("installed")
def test_guard_of_the_page_refuses_another_method_on_a_path_that_it_lists() -> None:
    for method, path in (("PUT", "/wallets"), ("POST", "/wallets/wa-1/tags"), ("GET", "/wallets")):
        with pytest.raises(SigningRefusedError):
            guarded(method, path)


@pytest.mark.parametrize("seen", [SigningRequest, AnnouncedCall, Evidence])
def test_table_has_the_fields_of_what_a_hook_sees(seen: Any) -> None:
    _, _, below = section(PAGE, "What a hook sees").partition(f"`{seen.__name__}`, of `")
    module, _, rest = below.partition("`:\n\n")
    table = rest.partition("\n\n")[0]

    documented = re.findall(r"^\| `(\w+)` \| `(.*?)` \| \S", table, re.MULTILINE)

    assert getattr(import_module(module), seen.__name__) is seen
    assert [(name, kind.replace("\\|", "|")) for name, kind in documented] == [
        (field.name, field.type) for field in dataclasses.fields(seen)
    ]
