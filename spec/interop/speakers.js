// Every way in which the vendor's three SDKs can say the same call: signature, HTTP method, and
// whether the parameters travel in the query or in a form body. What they answer with is brought
// to one shape; what they throw is kept, for its class is part of the proof.
"use strict";

const core = require("@alicloud/openapi-core");
const client = require("@alicloud/openapi-client");
const { RuntimeOptions } = require("@alicloud/tea-util");
const PopCore = require("@alicloud/pop-core");

const VERSION = "2021-07-30";

// What the generic clients call the algorithms: unset is V3 with SHA-256.
const ALGORITHMS = { "V3": undefined, "V3-SM3": "ACS3-HMAC-SM3", "HMAC-SHA1": "v2" };

// The two generations of the generic client differ in where their classes live.
const GENERATIONS = {
  "openapi-core": {
    Client: core.default,
    Config: core.$OpenApiUtil.Config,
    Request: core.$OpenApiUtil.OpenApiRequest,
    Params: core.$OpenApiUtil.Params,
    retryOptions: {},
    read: (error) => ({
      kind: ["ThrottlingError", "ClientError", "ServerError"]
        .find((name) => error instanceof core[name]),
      code: error.code, status: error.statusCode, requestId: error.requestId,
      message: error.message, retryAfter: error.retryAfter,
    }),
  },
  "openapi-client": {
    Client: client.default,
    Config: client.Config,
    Request: client.OpenApiRequest,
    Params: client.Params,
    read: (error) => ({
      kind: error.name, code: error.code, status: error.data && error.data.statusCode,
      requestId: error.data && (error.data.RequestId || error.data.requestId),
      message: error.message,
    }),
  },
};

function openapi(name, algorithm, method, place) {
  const generation = GENERATIONS[name];
  return {
    name: `${name} ${algorithm} ${method} ${place}`,
    sdk: name,
    read: generation.read,
    connect(emulator, keys = {}) {
      const sdk = new generation.Client(new generation.Config({
        accessKeyId: keys.id || emulator.keyId,
        accessKeySecret: keys.secret || emulator.secret,
        endpoint: emulator.host,
        protocol: "HTTP",
        signatureAlgorithm: ALGORITHMS[algorithm],
      }));
      return async (action, params, version = VERSION) => {
        const description = new generation.Params({
          action, version, protocol: "HTTP", pathname: "/", method, authType: "AK",
          style: "RPC", reqBodyType: "formData", bodyType: "json",
        });
        const request = new generation.Request(place === "form"
          ? { body: params } : { query: flatten(params) });
        const answer = await sdk.callApi(description, request,
          new RuntimeOptions({ autoretry: false }));
        return { status: answer.statusCode, result: answer.body };
      };
    },
  };
}

// The generated SDKs flatten the query with this before they call; bodies are flattened inside.
function flatten(params) {
  return core.OpenApiUtil.query(params);
}

function pop(method) {
  return {
    name: `pop-core HMAC-SHA1 ${method}`,
    sdk: "pop-core",
    read: (error) => ({
      kind: error.name, code: error.code,
      status: error.entry && error.entry.response && error.entry.response.statusCode,
      requestId: error.data && error.data.RequestId, message: error.message,
    }),
    connect(emulator, keys = {}) {
      // A client of this SDK belongs to one version of one product.
      const client = (version) => new PopCore.RPCClient({
        accessKeyId: keys.id || emulator.keyId,
        accessKeySecret: keys.secret || emulator.secret,
        endpoint: emulator.url, apiVersion: version,
      }, true);
      const usual = client(VERSION);
      return async (action, params, version = VERSION) => {
        const sdk = version === VERSION ? usual : client(version);
        const [result, entry] = await sdk.request(action, params, { method });
        return { status: entry.response.statusCode, result };
      };
    },
  };
}

const speakers = [];
for (const sdk of Object.keys(GENERATIONS)) {
  for (const algorithm of Object.keys(ALGORITHMS)) {
    speakers.push(openapi(sdk, algorithm, "POST", "query"));
    speakers.push(openapi(sdk, algorithm, "GET", "query"));
    speakers.push(openapi(sdk, algorithm, "POST", "form"));
  }
}
speakers.push(pop("POST"), pop("GET"));

// What a call throws, as the SDK spells it, with its fields in one shape.
async function refusal(speaker, promise) {
  try {
    await promise;
  } catch (error) {
    return { error, ...speaker.read(error) };
  }
  throw new Error(`${speaker.name} took a refusal for a success`);
}

module.exports = { speakers, refusal };
