"""The plugin of ``docs/plugins.md`` works as it stands, and its tables are true."""

from __future__ import annotations

import dataclasses
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import load_signer
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import KeyNotFoundError, SigningRefusedError
from dfns_signers.hooks import SigningRequest
from dfns_signers.signing_key import Evidence
from tests.core.config.machine import site
from tests.core.config.pages import DOCS, blocks, section

__all__ = ["site"]

PAGE = "plugins.md"
SIGNER = {"backend": "my-hsm", "label": "wallets"}


@pytest.fixture
def installed(site: Path) -> None:
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    for code in blocks(text, "python"):
        name, _, source = code.removeprefix("# ").partition("\n")
        path = site / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    (project,) = blocks(text, "toml")
    entries = project.partition("[project.entry-points.dfns_signers]\n")[2].replace('"', "")
    metadata = site / "my_hsm-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-hsm\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[dfns_signers]\n{entries}")


@pytest.mark.usefixtures("installed")
def test_backend_of_the_page_signs() -> None:
    with load_signer(signer=SIGNER, credential_id="cr-1") as signer:
        assert signer.sign({"challenge": "Y2g"})["kind"] == "Key"
        assert signer.key.reference == "my-hsm:wallets"


@pytest.mark.usefixtures("installed")
def test_backend_of_the_page_refuses_a_key_that_it_has_not() -> None:
    with pytest.raises(KeyNotFoundError, match="no key 'walets'; it has wallets"):
        load_signer(signer={**SIGNER, "label": "walets"}, credential_id="cr-1")


@pytest.mark.usefixtures("installed")
def test_guard_and_observer_of_the_page_stand_in_the_signing_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with load_signer(signer=SIGNER, credential_id="cr-1", plugins=["my-guard"]) as signer:
        signer.for_call(AnnouncedCall("POST", "/wallets", "{}")).sign({"challenge": "Y2g"})
        with pytest.raises(SigningRefusedError, match="transfers are not signed here"):
            signer.sign({"challenge": "Y2g"})

    assert capsys.readouterr().out.startswith("cr-1 my-hsm:wallets None request-1 ")


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
