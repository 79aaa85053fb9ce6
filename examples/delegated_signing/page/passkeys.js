// Passkeys: a challenge of Dfns goes to the authenticator, and comes back in the form that Dfns takes.

export const decoded = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
export const encoded = (bytes) =>
  btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const descriptors = (credentials) => credentials.map(({ id, type }) => ({ id: decoded(id), type }));

// Make a passkey; returns a credential to register.
export async function createPasskey(challenge) {
  const { rp, user, attestation, authenticatorSelection, pubKeyCredParams } = challenge;
  const credential = await navigator.credentials.create({
    publicKey: {
      rp, attestation, authenticatorSelection, pubKeyCredParams,
      challenge: decoded(challenge.challenge),
      user: { ...user, id: new TextEncoder().encode(user.id) },
      excludeCredentials: descriptors(challenge.excludeCredentials),
    },
  });
  return {
    credentialKind: "Fido2",
    credentialInfo: {
      credId: credential.id,
      clientData: encoded(credential.response.clientDataJSON),
      attestationData: encoded(credential.response.attestationObject),
    },
  };
}

// Sign a challenge with a passkey; returns a factor.
export async function signWithPasskey(challenge) {
  const { id, response } = await navigator.credentials.get({
    publicKey: {
      challenge: decoded(challenge.challenge),
      rpId: challenge.rp?.id,
      allowCredentials: descriptors(challenge.allowCredentials.webauthn),
      userVerification: challenge.userVerification,
    },
  });
  return {
    kind: "Fido2",
    credentialAssertion: {
      credId: id,
      clientData: encoded(response.clientDataJSON),
      authenticatorData: encoded(response.authenticatorData),
      signature: encoded(response.signature),
      ...(response.userHandle && { userHandle: encoded(response.userHandle) }),
    },
  };
}
