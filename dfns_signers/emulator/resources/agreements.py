"""``/agreements``: one agreement of each kind, which each user has yet to accept."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State

_KINDS: Final = (
    "PrivacyPolicy",
    "TermsAndConditions",
    "UniswapTermsOfService",
    "UniswapPrivacyPolicy",
)


def latest_unaccepted(call: Call) -> Record:
    """The agreement of a kind, or null when the user has accepted it."""
    wanted = call.query["agreementType"]
    agreement = next(one for one in _agreements(call.state).all() if one["agreementType"] == wanted)
    accepted = _acceptance(call, agreement["id"])
    return {"latestAgreement": None if accepted else agreement}


def accept(call: Call) -> Record:
    """Accept an agreement; a second time changes nothing."""
    agreement = _agreements(call.state).get(call.parameters["agreementId"])
    accepted = _acceptance(call, agreement["id"]) or _acceptances(call.state).add(
        {
            "id": new_id("ac"),
            "agreementId": agreement["id"],
            "userId": call.token.user.user_id,
            "dateAccepted": iso_date(call.state.clock()),
        }
    )
    return {name: value for name, value in accepted.items() if name != "id"}


def _agreements(state: State) -> Collection:
    agreements = state.collection("Agreement")
    if not agreements.all():
        for kind in _KINDS:
            agreements.add({"id": new_id("ag"), "details": kind, "agreementType": kind})
    return agreements


def _acceptances(state: State) -> Collection:
    return state.collection("Acceptance")


def _acceptance(call: Call, agreement_id: str) -> Record | None:
    wanted = (agreement_id, call.token.user.user_id)
    found = _acceptances(call.state).all()
    return next((one for one in found if (one["agreementId"], one["userId"]) == wanted), None)


ROUTES: Final = (
    Route("GET", "/agreements/latest-unaccepted", latest_unaccepted),
    Route("POST", "/agreements/{agreementId}/accept", accept, entity="Agreement"),
)
