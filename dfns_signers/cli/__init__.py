"""The command line."""

from dfns_signers.cli.app import main

__all__ = ["main"]
