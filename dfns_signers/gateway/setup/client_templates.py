"""What a client of a gateway looks like, in its language; ``$names`` stand for literals.

Sources: the READMEs and the code of the official SDKs.
"""

from __future__ import annotations

from string import Template
from typing import Final

TOKEN_VARIABLE: Final = "DFNS_GATEWAY_TOKEN"  # noqa: S105  # the name of a variable

HTTPX: Final = Template(
    """\
import os

import httpx

token = os.environ["DFNS_GATEWAY_TOKEN"]
headers = {"Authorization": f"Bearer {token}"}
with httpx.Client(base_url=$url, headers=headers) as dfns:
    print(dfns.get("/wallets").json())
"""
)

PYTHON: Final = Template(
    """\
import os
from pathlib import Path

from dfns_sdk import DfnsClient, DfnsClientConfig, KeySigner

config = DfnsClientConfig(
    auth_token=os.environ["DFNS_GATEWAY_TOKEN"],
    base_url=$url,
    signer=KeySigner($credential, Path($key).read_text()),
)
print(DfnsClient(config).wallets.list_wallets())
"""
)

TYPESCRIPT: Final = Template(
    """\
import { readFileSync } from 'node:fs'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'

const privateKey = readFileSync($key, 'utf8')
const dfns = new DfnsApiClient({
  baseUrl: $url,
  orgId: $organisation,
  authToken: process.env.DFNS_GATEWAY_TOKEN,
  signer: new AsymmetricKeySigner({ credId: $credential, privateKey }),
})
console.log(await dfns.wallets.listWallets())
"""
)

GO: Final = Template(
    """\
package main

import (
	"context"
	"fmt"
	"os"

	dfns "github.com/dfns/dfns-sdk-go/v2"
	"github.com/dfns/dfns-sdk-go/v2/signer"
)

func main() {
	key, err := os.ReadFile($key)
	if err != nil {
		panic(err)
	}
	keySigner, err := signer.NewKeySigner($credential, string(key))
	if err != nil {
		panic(err)
	}
	client, err := dfns.NewClient(dfns.Options{
		BaseURL:   $https_url,
		AuthToken: os.Getenv("DFNS_GATEWAY_TOKEN"),
		Signer:    keySigner,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(client.Wallets.ListWallets(context.Background(), nil))
}
"""
)

GO_REFUSES_HTTP: Final = """\
// It refuses http, also to this machine: 'dfns-signers gateway certificate -o tls' makes a
// certificate, and says what to add to the configuration. Set SSL_CERT_FILE to its ca.crt.
"""

JAVA: Final = Template(
    """\
import co.dfns.sdk.DfnsClient;
import co.dfns.sdk.DfnsClientConfig;
import co.dfns.sdk.auth.KeySigner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;

class Wallets {
    public static void main(String[] arguments) throws Exception {
        String pem = Files.readString(Path.of($key)).replaceAll("-----[A-Z ]+-----", "");
        byte[] der = Base64.getMimeDecoder().decode(pem);
        byte[] seed = Arrays.copyOfRange(der, der.length - 32, der.length);
        DfnsClientConfig config = DfnsClientConfig.builder()
            .baseUrl($url)
            .authToken(System.getenv("DFNS_GATEWAY_TOKEN"))
            .signer(KeySigner.fromEd25519PrivateKey($credential, seed))
            .build();
        System.out.println(new DfnsClient(config).wallets.listWallets(null));
    }
}
"""
)

PROFILE: Final = Template(
    """\
[profiles.$name]
base_url = $url
auth_token = { env = "DFNS_GATEWAY_TOKEN" }
credential_id = $credential
signer = { backend = "pem", path = $key }
"""
)
