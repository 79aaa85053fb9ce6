"""Run the application against the emulator: ``make example``."""

from __future__ import annotations

import sys

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.public_keys import public_key_pem
from examples.delegated_signing.app import Application

PORT = 8000


def application(emulator: Emulator) -> Application:
    """The application of a service account at the emulator, which approves all transfers there."""
    # In production: AsyncDfnsClient.from_config("production"), with a key that stays in a KMS.
    key = PemKey(Ed25519PrivateKey.generate(), reference="made for this example")
    credentials = {"cr-operator": public_key_pem(key.public_key)}
    operator = emulator.add_identity("operator", service_account=True, credentials=credentials)
    signer = KeySigner(key, "cr-operator")
    group = {
        "quorum": 1,
        "approvers": {"userId": {"in": [operator.user_id]}},
        "serviceAccountsCanApprove": True,
    }
    policy = {
        "name": "Every transfer is approved",
        "activityKind": "Wallets:Sign",
        "rule": {"kind": "AlwaysTrigger"},
        "action": {"kind": "RequestApproval", "approvalGroups": [group]},
    }
    with DfnsClient(operator.token, signer, base_url=emulator.url) as dfns:
        dfns.post("/v2/policies", json=policy)
    client = AsyncDfnsClient(operator.token, signer, base_url=emulator.url)
    return Application(client, base_url=emulator.url, org_id=emulator.org_id)


def main() -> None:
    """Serve the application until Ctrl-C."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    origin = f"http://localhost:{port}"  # passkeys need https, or localhost by this name
    with Emulator() as emulator:
        app = application(emulator).starlette(origin=origin)
        sys.stdout.write(f"open {origin} in a browser that has passkeys; Ctrl-C ends it\n")
        sys.stdout.flush()
        uvicorn.run(app, host="localhost", port=port, log_level="warning")


if __name__ == "__main__":
    main()
