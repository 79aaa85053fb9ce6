"""The server: end users sign in their browsers, the application's own key signs for the operator.

Each POST begins something and answers what the browser must sign; the PUT of the same path takes
the browser's answer. In between, what must not reach the page waits in the session.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dfns_signers import AsyncDelegatedDfnsClient, AsyncDfnsClient
from dfns_signers.errors import AuthenticationError, DfnsSignersError, NotFoundError
from examples.delegated_signing.sessions import Session, Sessions, kept

NETWORK = "EthereumSepolia"
GRANT = "1000000"  # wei that a visitor gets from the treasury
PAGE = Path(__file__).with_name("page")


@dataclass
class Application:
    """The routes of the application.

    Attributes:
        operator: client of the application's service account, whose key is in a KMS.
        desk: client of who decides on transfers out of the treasury.
        treasury: id of a wallet of the organisation.
        base_url: where the Dfns API is.
        org_id: the organisation.
    """

    operator: AsyncDfnsClient
    desk: AsyncDfnsClient
    treasury: str
    base_url: str
    org_id: str

    def starlette(self, *, origin: str) -> Starlette:
        """The ASGI application, for browsers that see it at ``origin``."""
        return Starlette(
            routes=[
                Route("/registration", self._begin_registration, methods=["POST"]),
                Route("/registration", self._complete_registration, methods=["PUT"]),
                Route("/recovery", self._begin_recovery, methods=["POST"]),
                Route("/recovery", self._complete_recovery, methods=["PUT"]),
                Route("/login", self._begin_login, methods=["POST"]),
                Route("/login", self._complete_login, methods=["PUT"]),
                Route("/wallets", self._begin_wallet, methods=["POST"]),
                Route("/transfers", self._begin_transfer, methods=["POST"]),
                Route("/action", self._complete_action, methods=["PUT"]),
                Route("/grants", self._grant, methods=["POST"]),
                Route("/approvals/{approval_id}", self._decide, methods=["PUT"]),
                Route("/state", self._state),
                Mount("/", StaticFiles(directory=PAGE, html=True)),
            ],
            middleware=[Middleware(Sessions, origin=origin)],
            exception_handlers={
                DfnsSignersError: _refused,
                HTTPException: _out_of_turn,
                KeyError: _malformed,
            },
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient() as self._http:
            yield

    def _acting_with(self, token: str) -> AsyncDelegatedDfnsClient:
        return AsyncDelegatedDfnsClient(token, base_url=self.base_url, http_client=self._http)

    # Registration. A real application first makes sure that the address is the visitor's.

    async def _begin_registration(self, request: Request) -> Response:
        email = (await _body(request))["email"]
        challenge = await self.operator.auth.end_users.register(email=email)
        return self._begin_credentials(request, email, challenge)

    async def _complete_registration(self, request: Request) -> Response:
        made, newcomer = await _body(request), kept(_session(request).newcomer)
        await newcomer.auth.end_users.complete_registration(
            first_factor_credential=made["firstFactorCredential"],
            recovery_credential=made["recoveryCredential"],
        )
        return await self._sign_in_by_operator(request)

    # Recovery: the same, but that the recovery key vouches for the new credentials.

    async def _begin_recovery(self, request: Request) -> Response:
        asked = await _body(request)
        with _or_advice("This recovery key is not, or no longer, that of this account."):
            challenge = await self.operator.auth.end_users.recover(
                username=asked["email"], credential_id=asked["credentialId"]
            )
        return self._begin_credentials(request, asked["email"], challenge)

    async def _complete_recovery(self, request: Request) -> Response:
        made, newcomer = await _body(request), kept(_session(request).newcomer)
        await newcomer.auth.end_users.complete_recovery(
            recovery=made["recovery"], new_credentials=made["newCredentials"]
        )
        return await self._sign_in_by_operator(request)

    def _begin_credentials(self, request: Request, email: str, challenge: Any) -> Response:
        newcomer = self._acting_with(challenge.pop("temporaryAuthenticationToken"))
        request.state.session = Session(email, newcomer=newcomer)
        return JSONResponse(challenge)

    async def _sign_in_by_operator(self, request: Request) -> Response:
        """Sign in somebody who has just proved who they are."""
        email = _session(request).email
        return await self._sign_in(request, await self.operator.auth.end_users.login(email))

    # Login: Dfns checks the passkey.

    async def _begin_login(self, request: Request) -> Response:
        email = (await _body(request))["email"]
        with _or_advice("No account has this address: create one, or correct the address."):
            challenge = await self.operator.auth.end_users.login_challenge(
                email, org_id=self.org_id
            )
        request.state.session = Session(email, challenge=challenge)
        return JSONResponse(challenge)

    async def _complete_login(self, request: Request) -> Response:
        login = await self.operator.auth.end_users.complete_login(
            challenge=kept(_session(request).challenge), first_factor=await _body(request)
        )
        return await self._sign_in(request, login)

    async def _sign_in(self, request: Request, login: Any) -> Response:
        # A new session: an id that was known before the login is worth nothing after it.
        dfns = self._acting_with(login["token"])
        request.state.session = Session(_session(request).email, dfns=dfns)
        return await self._state(request)

    # What the end user signs. Dfns holds each call to the very bytes that the passkey signed.

    async def _begin_wallet(self, request: Request) -> Response:
        session = _session(request)
        session.pending = await kept(session.dfns).wallets.create(network=NETWORK)
        return JSONResponse(session.pending.challenge)

    async def _begin_transfer(self, request: Request) -> Response:
        session, asked = _session(request), await _body(request)
        session.pending = await kept(session.dfns).wallets.transfer(
            asked["walletId"], to=asked["to"], amount=asked["amount"], external_id=_new_id()
        )
        return JSONResponse(session.pending.challenge)

    async def _complete_action(self, request: Request) -> Response:
        session = _session(request)
        pending, session.pending = kept(session.pending), None
        await kept(session.dfns).complete(pending, await _body(request))
        return await self._state(request)

    # What the organisation signs. No policy judges a wallet that an end user owns; those on the
    # organisation's own wallets ask the desk. A real desk is on a page of its own, for staff.

    async def _grant(self, request: Request) -> Response:
        dfns, asked = kept(_session(request).dfns), await _body(request)
        wallet: Any = await dfns.wallets.get(asked["walletId"])
        await self.operator.wallets.transfer(
            self.treasury, to=wallet["address"], amount=GRANT, external_id=_new_id()
        )
        return await self._state(request)

    async def _decide(self, request: Request) -> Response:
        await self.desk.post(
            "/v2/policy-approvals/{approvalId}/decisions",
            path_params={"approvalId": request.path_params["approval_id"]},
            json={"value": (await _body(request))["value"]},
        )
        return await self._state(request)

    async def _state(self, request: Request) -> Response:
        """All that the page shows."""
        session = _session(request)
        waiting = self.desk.paginate("/v2/policy-approvals", params={"status": "Pending"})
        shown: dict[str, Any] = {"approvals": [approval async for approval in waiting]}
        if session.dfns:
            wallets = [wallet async for wallet in session.dfns.wallets.list()]
            addresses = {wallet["address"] for wallet in wallets}
            granted = await _transfers(self.operator, self.treasury)
            transfers = [one for one in granted if one["requestBody"]["to"] in addresses]
            for wallet in wallets:
                transfers += await _transfers(session.dfns, wallet["id"])
            shown |= {"email": session.email, "wallets": wallets, "transfers": transfers}
        return JSONResponse(shown)


async def _transfers(dfns: AsyncDfnsClient | AsyncDelegatedDfnsClient, wallet: str) -> list[Any]:
    path = f"/wallets/{wallet}/transfers"
    listed = [transfer async for transfer in dfns.paginate(path)]
    # The emulator moves a transfer on when it is read alone; Dfns lists the same as it reads.
    return [await dfns.get(f"{path}/{transfer['id']}") for transfer in listed]


def _new_id() -> str:
    """With an externalId, a transfer that is sent twice is made once."""
    return str(uuid.uuid4())


@contextmanager
def _or_advice(text: str) -> Iterator[None]:
    """Say this to the visitor where Dfns does not know whom or what the request names."""
    try:
        yield
    except (NotFoundError, AuthenticationError) as error:
        raise HTTPException(error.status, text) from error


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; 400 for anything else."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "the request is not a JSON object")
    return body


def _session(request: Request) -> Session:
    session: Session = request.state.session
    return session


async def _refused(_: Request, error: Exception) -> Response:
    status: int = getattr(error, "status", 502)
    return JSONResponse({"error": str(error)}, status)


async def _out_of_turn(_: Request, error: Any) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code)


async def _malformed(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"the request has no {error}"}, 400)
