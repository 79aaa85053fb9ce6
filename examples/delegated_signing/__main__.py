"""Run the application against the emulator: ``make example``."""

from __future__ import annotations

import sys

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers.emulator import Emulator, Identity
from dfns_signers.public_keys import public_key_pem
from examples.delegated_signing.app import NETWORK, Application

PORT = 8000


def application(emulator: Emulator) -> Application:
    """The application at an emulator, with a treasury whose transfers the desk approves."""
    operator, operator_signer = _service_account(emulator, "operator")
    desk, desk_signer = _service_account(emulator, "desk")
    group = {
        "quorum": 1,
        "approvers": {"userId": {"in": [desk.user_id]}},
        "serviceAccountsCanApprove": True,
    }
    policy = {
        "name": "Every transfer is approved",
        "activityKind": "Wallets:Sign",
        "rule": {"kind": "AlwaysTrigger"},
        "action": {"kind": "RequestApproval", "approvalGroups": [group]},
    }
    with DfnsClient(operator.token, operator_signer, base_url=emulator.url) as dfns:
        dfns.post("/v2/policies", json=policy)
        treasury = dfns.post("/wallets", json={"network": NETWORK})
    return Application(
        # In production: AsyncDfnsClient.from_config("operator"), with a key that stays in a KMS.
        AsyncDfnsClient(operator.token, operator_signer, base_url=emulator.url),
        AsyncDfnsClient(desk.token, desk_signer, base_url=emulator.url),
        treasury=treasury["id"],
        base_url=emulator.url,
        org_id=emulator.org_id,
    )


def _service_account(emulator: Emulator, name: str) -> tuple[Identity, KeySigner]:
    key = PemKey(Ed25519PrivateKey.generate(), reference=f"made for the {name}")
    credentials = {f"cr-{name}": public_key_pem(key.public_key)}
    account = emulator.add_identity(name, service_account=True, credentials=credentials)
    return account, KeySigner(key, f"cr-{name}")


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
