# ruff: noqa: INP001  # a script, in no package
"""Start OpenBao with Transit keys, print profiles that use them, and stay until Ctrl-C.

Usage: python localstack/serve_openbao.py [--port PORT] [--token TOKEN]

Needs dfns-signers-testkit[vault] and dfns-signers[cli], and the server in .venv-openbao: make
openbao builds both and runs this.
"""

from __future__ import annotations

import argparse
import os
import sys

from serving import serve

from dfns_signers.config.writing import profile_toml
from dfns_signers_testkit.servers import ServerStartError
from dfns_signers_testkit.vault import VaultServer, dev_server, find_program
from dfns_signers_testkit.vault_keys import seed


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run OpenBao with the keys of dfns-signers.")
    parser.add_argument("--port", type=int, default=8200, help="port of 127.0.0.1 [8200]")
    parser.add_argument("--token", default="root", help="its root token [root]")
    arguments = parser.parse_args()
    try:
        program = find_program(os.environ)
        serve(dev_server(program, token=arguments.token, port=arguments.port), profiles)
    except ServerStartError as error:
        sys.exit(str(error))


def profiles(server: VaultServer) -> str:
    """A profile for each key, in TOML, as it can be put into a configuration file."""
    heading = (
        f"# OpenBao runs on {server.address} until Ctrl-C, in memory; so do its keys.\n"
        "# The token may do everything there, and is good for nothing else.\n"
    )
    auth = {"method": "token", "token": server.token}
    tables = (
        profile_toml(f"local-openbao-{algorithm.lower()}", {"signer": {**signer, "auth": auth}})
        for algorithm, signer in seed(server, "transit").items()
    )
    return "\n".join([heading, *tables])


if __name__ == "__main__":
    main()
