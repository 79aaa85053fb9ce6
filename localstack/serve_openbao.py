# ruff: noqa: INP001  # a script, in no package
"""Start OpenBao with Transit keys and a Dfns API, print profiles, and stay until Ctrl-C.

Usage: python localstack/serve_openbao.py [--port PORT] [--token TOKEN]

Needs dfns-signers-testkit[vault] and dfns-signers[cli,emulator], and the server in .venv-openbao:
make openbao builds both and runs this.
"""

from __future__ import annotations

import argparse
import os
import sys

from serving import Served, chosen_port, serve

from dfns_signers_testkit.servers import ServerStartError
from dfns_signers_testkit.vault import VaultServer, dev_server, find_program
from dfns_signers_testkit.vault_keys import seed


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run OpenBao with the keys of dfns-signers.")
    parser.add_argument("--port", type=int, help="port of 127.0.0.1 [8200, or a free one]")
    parser.add_argument("--token", default="root", help="its root token [root]")
    arguments = parser.parse_args()
    try:
        program = find_program(os.environ)
        port = chosen_port(arguments.port, 8200)
        serve(dev_server(program, token=arguments.token, port=port), served)
    except ServerStartError as error:
        sys.exit(str(error))


def served(server: VaultServer) -> Served:
    """A profile for each key, with the root token."""
    auth = {"method": "token", "token": server.token}
    return Served(
        f"openbao-{server.address.rpartition(':')[2]}",
        f"# OpenBao runs on {server.address} until Ctrl-C, in memory; so do its keys.\n"
        "# The token may do everything there, and is good for nothing else.\n",
        {
            f"local-openbao-{algorithm.lower()}": {**signer, "auth": auth}
            for algorithm, signer in seed(server, "transit").items()
        },
    )


if __name__ == "__main__":
    main()
