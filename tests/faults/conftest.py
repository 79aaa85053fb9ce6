from __future__ import annotations

import pytest

from dfns_signers import KeySigner, PemKey
from tests.core.keys import private_key, private_pem
from tests.soak.key_stores import CREDENTIAL_ID


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(private_key("Ed25519"))), CREDENTIAL_ID)
