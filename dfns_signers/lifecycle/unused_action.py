"""A user action that is signed and accepted, and never used: proof that a credential can sign."""

from __future__ import annotations

from typing import Any

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.client.call import Call
from dfns_signers.lifecycle.registrable import Client
from dfns_signers.lifecycle.steps import Flow, asked, ran
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner
from dfns_signers.user_action import signing_flow
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.signing_flow import Exchange, SignChallenge


def unused_action(dfns: Client, signer: KeySigner, call: Call[Any]) -> Flow[None]:
    """Announce a call, have its challenge signed, and take its user action token; no more.

    Args:
        dfns: sends the two requests.
        signer: is asked to sign.
        call: is announced, and not sent.
    """
    announced = AnnouncedCall(call.method, call.path, call.content.decode("utf-8"))
    steps = signing_flow.sign(announced, signer.for_call(announced))
    reply: Sealed[Any] = Sealed(None)
    while True:
        try:
            step = steps.send(reply.open())
        except StopIteration:  # its value, the token, is left there
            return
        if isinstance(step, SignChallenge):
            reply = Sealed((yield from ran(step.signer.sign, step.challenge)))
        else:
            reply = Sealed((yield from asked(dfns.send, _as_call(step))))


def _as_call(step: Exchange) -> Call[Any]:
    return Call("POST", step.path, to_json_bytes(step.body), announces=True)
