// A page that calls the API itself, with the official SDK. A test calls these steps one by one.

import { DfnsApiClient, DfnsDelegatedApiClient } from "@dfns/sdk";
import { WebAuthnSigner } from "@dfns/sdk-browser";

const signer = new WebAuthnSigner({ relyingParty: { id: "localhost", name: "A page" } });
let api, token;

const options = () => ({ ...api, authToken: token });
const direct = () => new DfnsApiClient({ ...options(), signer });
const delegated = () => new DfnsDelegatedApiClient(options());

window.steps = {
  async register() {
    const { challenge, ...target } = await (await fetch("/registration")).json();
    api = target;
    token = challenge.temporaryAuthenticationToken;
    const firstFactorCredential = await signer.create(challenge);
    const registered = await direct().auth.registerEndUser({ body: { firstFactorCredential, wallets: [] } });
    token = registered.authentication.token;
    return registered.user.username;
  },

  async logIn(username) {
    token = undefined;
    const challenge = await direct().auth.createLoginChallenge({ body: { username, orgId: api.orgId } });
    const firstFactor = await signer.sign(challenge);
    const { challengeIdentifier } = challenge;
    ({ token } = await direct().auth.login({ body: { challengeIdentifier, firstFactor } }));
  },

  createWallet: () => direct().wallets.createWallet({ body: { network: "EthereumSepolia" } }),

  async createWalletDelegated() {
    const request = { body: { network: "EthereumSepolia" } };
    const { wallets } = delegated();
    const challenge = await wallets.createWalletInit(request);
    const { challengeIdentifier } = challenge;
    return wallets.createWalletComplete(request, { challengeIdentifier, firstFactor: await signer.sign(challenge) });
  },

  async makePasskey() {
    const challenge = await direct().auth.createCredentialChallenge({ body: { kind: "Fido2" } });
    window.made = { challenge, ...(await signer.create(challenge)) };
  },

  async registerPasskey() {
    const { challenge: { challengeIdentifier }, credentialKind, credentialInfo } = window.made;
    const body = { challengeIdentifier, credentialKind, credentialInfo, credentialName: "phone" };
    return (await direct().auth.createCredential({ body })).credentialId;
  },
};
