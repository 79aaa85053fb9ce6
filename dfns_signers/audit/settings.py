"""Where the audit trail is, as the configuration says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dfns_signers.backends.options import ConfigPath, StrictModel


class AuditSettings(StrictModel):
    """The table ``audit`` of a profile."""

    file: ConfigPath = Field(description="File of JSON lines; several processes may share it.")
    on_failure: Literal["refuse", "sign"] = Field(
        default="refuse",
        description="What happens to a call that cannot be recorded: `refuse` it, or `sign` it and "
        "log an error.",
    )
