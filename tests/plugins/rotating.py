"""A rotation with any backend: chosen by a configuration file alone, checked by the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import KeySigner
from dfns_signers.client.client import DfnsClient
from dfns_signers.config.assembly import open_key
from dfns_signers.config.files import read_file
from dfns_signers.config.loading import load_profile
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import Emulator
from dfns_signers.errors import CredentialNotAllowedError
from dfns_signers.lifecycle import Rotation, rotate
from tests.plugins.flow import CREDENTIAL_ID, PROFILE, Flow


def assert_rotates(emulator: Emulator, folder: Path, signer: Mapping[str, Any]) -> None:
    """The next key signs, its fingerprint is pinned, and the old one is refused; once more too."""
    flow = Flow.of(emulator, folder, signer)
    with open_key(load_profile(PROFILE, config=flow.config)) as old:
        edit = ConfigEdit(flow.config)
        edit.put(PROFILE, {"signer": {**signer, "fingerprint": old.fingerprint}})
        edit.write()

        waiting = rotate(PROFILE, config=flow.config)
        flow.create_wallet()
        finished = _rotated(flow)

        assert (waiting.is_complete, finished.is_complete) == (False, True)
        assert waiting.credential_id == finished.credential_id
        flow.create_wallet()
        with open_key(load_profile(PROFILE, config=flow.config)) as new:
            assert new.fingerprint != old.fingerprint
            assert new.algorithm is old.algorithm
        _refused(flow, KeySigner(old, CREDENTIAL_ID))
    again = _rotated(flow)
    assert again.old_credential_id == finished.credential_id
    flow.create_wallet()
    table = read_file(flow.config).profiles[PROFILE].open()["signer"]
    assert {name for name in signer if name not in table} == set()


def _rotated(flow: Flow) -> Rotation:
    return rotate(PROFILE, config=flow.config, confirm=lambda _: True)


def _refused(flow: Flow, signer: KeySigner) -> None:
    with (
        DfnsClient(flow.emulator.auth_token, signer, base_url=flow.emulator.url) as dfns,
        pytest.raises(CredentialNotAllowedError),
    ):
        dfns.wallets.create(network="EthereumSepolia")
