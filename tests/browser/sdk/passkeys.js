// In place of the page's own passkeys.js: the signer of the official SDK for browsers.

import { WebAuthnSigner } from "@dfns/sdk-browser";

export { decoded, encoded } from "../../../examples/delegated_signing/page/passkeys.js";

const signer = new WebAuthnSigner({ relyingParty: { id: "localhost", name: "Wallets with passkeys" } });

export const createPasskey = (challenge) => signer.create(challenge);
export const signWithPasskey = (challenge) => signer.sign(challenge);
