"""``/auth/action/logs``: what users have signed, with the evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.emulator.access.ledger import Action
from dfns_signers.emulator.credentials.credentials import Credential
from dfns_signers.emulator.requests.fields import date_in_query
from dfns_signers.emulator.requests.messages import Answer
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id, parse_date
from dfns_signers.emulator.state import Collection, Record, State

_COLUMNS: Final = ("id", "action", "userId", "username", "datePerformed")


def record_action(
    call: Call, action: Action, user_action: str, credential: Credential, factor: Mapping[str, Any]
) -> None:
    """Keep the evidence of a user action.

    Args:
        call: the exchange of the signed challenge.
        action: what was signed.
        user_action: what the caller got for it.
        credential: the credential of the first factor.
        factor: the first factor as it was sent.
    """
    user = call.token.user
    _logs(call.state).add(
        {
            "id": new_id("al"),
            "action": f"{action.method} {action.path}",
            "actionToken": user_action,
            "userId": user.user_id,
            "username": user.name,
            "datePerformed": iso_date(call.state.clock()),
            "firstFactorCredential": {
                "id": credential.credential_id,
                "kind": credential.kind,
                "publicKey": credential.pem,
                "assertion": _evidence(factor.get("credentialAssertion", {})),
            },
        }
    )


def list_as_csv(call: Call) -> Answer:
    """The actions of a time, first to last, as CSV."""
    start, end = (date_in_query(call.query, name) for name in ("startTime", "endTime"))
    wanted = call.query.get("userId")
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        log
        for log in _logs(call.state).all()
        if start <= parse_date(log["datePerformed"]) <= end and wanted in {None, log["userId"]}
    )
    return Answer(text.getvalue().encode("utf-8"), media_type="text/csv")


def get(call: Call) -> Record:
    """One action with its evidence."""
    return _logs(call.state).get(call.parameters["id"])


def _logs(state: State) -> Collection:
    return state.collection("Audit log")


def _evidence(assertion: Mapping[str, Any]) -> Record:
    names = ("authenticatorData", "clientData", "signature")
    return {name: assertion.get(name) for name in names}


ROUTES: Final = (
    Route("GET", "/auth/action/logs", list_as_csv),
    Route("GET", "/auth/action/logs/{id}", get),
)
