# ruff: noqa: INP001  # a script, in no package
"""Start LocalStack with seeded keys, print profiles that use them, and stay until Ctrl-C.

Usage: python localstack/serve.py [--port PORT] [--ministack]

Needs dfns-signers-testkit[aws] and dfns-signers[cli], and the server in .venv-localstack or
.venv-ministack: make localstack builds all of it and runs this; ARGS=--ministack chooses MiniStack.
"""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from serving import serve

from dfns_signers.config.writing import profile_toml
from dfns_signers_testkit.aws import ENVIRONMENT, LOCALSTACK, MINISTACK, LocalKms
from dfns_signers_testkit.aws_keys import local_client, seed
from dfns_signers_testkit.servers import ServerStartError


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run LocalStack with the keys of dfns-signers.")
    parser.add_argument("--port", type=int, default=4566, help="port of 127.0.0.1 [4566]")
    parser.add_argument("--ministack", action="store_true", help="run MiniStack instead")
    arguments = parser.parse_args()
    product = MINISTACK if arguments.ministack else LOCALSTACK
    try:
        serve(LocalKms(product, arguments.port), settings)
    except (ServerStartError, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


def settings(server: LocalKms) -> str:
    """The environment to use, and a profile for each key, in TOML."""
    heading = (
        f"# {server.product.name} runs on {server.url} until Ctrl-C, in memory; so do its keys.\n"
        "# The profiles are complete but for credentials, which none of their options holds:\n#\n"
    )
    exports = (f"#   export {name}={value}\n" for name, value in ENVIRONMENT.items())
    tables = (
        profile_toml(f"local-{algorithm.lower()}", {"signer": server.signer(alias)})
        for algorithm, alias in seed(local_client(server.url)).items()
    )
    return "\n".join([heading + "".join(exports), *tables])


if __name__ == "__main__":
    main()
