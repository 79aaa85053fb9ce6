// Calls methods of the official SDK for TypeScript: a line of JSON in, a line of JSON out.
//
//   {"client": "direct"}                       its methods: [{group, name, method, path}]
//   {settings, client, group, name, arguments} {"answer": ...} or {"error": {...}}
'use strict'

const readline = require('node:readline')
const { DfnsApiClient, DfnsDelegatedApiClient } = require('@dfns/sdk')
const { AsymmetricKeySigner } = require('@dfns/sdk-keysigner')

const namesOf = (object) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor')

const CLIENTS = { direct: DfnsApiClient, delegated: DfnsDelegatedApiClient }

const methodsOf = (client) => {
  const direct = new CLIENTS.direct({})
  const other = new CLIENTS[client]({})
  return namesOf(direct).flatMap((group) =>
    namesOf(direct[group])
      .filter((name) => name in other[group] || isInHalves(other[group], name))
      .map((name) => ({ group, name, ...operationOf(direct[group], name) }))
  )
}

const isInHalves = (api, name) => `${name}Init` in api && `${name}Complete` in api

// Method and path are written in each generated function, and nowhere else.
const operationOf = (api, name) => {
  const source = api[name].toString()
  const alias = /return this\.(\w+)\(/.exec(source)?.[1]
  if (alias) return operationOf(api, alias)
  return {
    method: /method: '(\w+)'/.exec(source)[1],
    path: /buildPathAndQuery\)\('([^']+)'/.exec(source)[1].replace(/:(\w+)/g, '{$1}'),
  }
}

const called = async ({ settings, client, group, name, arguments: given }) => {
  const { baseUrl, authToken, orgId, credId, privateKey } = settings
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  const api = new CLIENTS[client]({ baseUrl, authToken, orgId, signer })[group]
  const [request, file] = given
  const sent = file ? [request, { bytes: Buffer.from(file), name: 'upload.bin' }] : [request]
  if (!isInHalves(api, name)) return api[name](...sent)
  const challenge = await api[`${name}Init`](...sent)
  const firstFactor = await signer.sign(challenge)
  const { challengeIdentifier } = challenge
  return api[`${name}Complete`](...sent, { challengeIdentifier, firstFactor })
}

const failure = ({ constructor, message, context }) => ({ name: constructor.name, message, context })

const reply = async (line) => {
  const order = JSON.parse(line)
  if (!order.group) return methodsOf(order.client)
  return called(order).then(
    (answer) => ({ answer: answer ?? null }),
    (error) => ({ error: failure(error) })
  )
}

const main = async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await reply(line))}\n`)
  }
}

main()
