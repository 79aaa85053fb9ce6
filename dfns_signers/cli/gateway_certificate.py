"""``gateway certificate``: a certificate for listeners on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.output import note

_TABLES: Final = """\
[gateway.tls.local]
certificate = "{folder}/tls.crt"
key = {{ file = "{folder}/tls.key" }}
"""


@reports_errors
def certificate(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the three files.")
    ],
) -> None:
    """Make a certificate for listeners on this machine, for clients that refuse http.

    It is for localhost, 127.0.0.1 and ::1, and of an authority whose key is thrown away. Prints
    what to add to the configuration file.

    Example: `dfns-signers gateway certificate -o tls`
    """
    from dfns_signers.gateway.setup.local_certificate import (  # noqa: PLC0415
        LOCAL_TLS,
        new_local_certificate,
    )
    from dfns_signers.gateway.setup.new_files import new_files  # noqa: PLC0415
    from dfns_signers.sealed import Sealed  # noqa: PLC0415

    folder = output.absolute()
    made = new_local_certificate()
    with new_files(
        (folder / "ca.crt", Sealed(made.authority)),
        (folder / "tls.crt", Sealed(made.certificate)),
        (folder / "tls.key", made.key),
    ):
        note(f"clients must trust {folder / 'ca.crt'}; it is valid for 396 days")
        note("Only you can read the files: programs of other users need a copy of ca.crt.")
        note(f"Add \"{LOCAL_TLS}?tls=local\" to 'listen' in [gateway], and this table:")
        typer.echo(_TABLES.format(folder=folder), nl=False)
