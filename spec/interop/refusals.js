// What the emulator refuses reaches the caller of each SDK as that SDK's typed error: code,
// message, request id and HTTP status, through the class it keeps for that.
"use strict";

const assert = require("assert/strict");
const { speakers, refusal } = require("./speakers");
const { test } = require("./suite");

const FAILOVER = "FailoverDiskReplicaGroup";
const ORDERS = { RegionId: "cn-shanghai", ReplicaGroupId: "pg-orders" };
const UUID = /^[0-9A-F-]{36}$/;

// openapi-core tells refusals apart by class, pop-core by name, openapi-client by its fields only.
function kindOf(speaker, status, code) {
  if (speaker.sdk === "pop-core") return `${code}Error`;
  if (speaker.sdk === "openapi-client") return "Error";
  if (code.startsWith("Throttling")) return "ThrottlingError";
  return status < 500 ? "ClientError" : "ServerError";
}

function assertRefused(speaker, got, status, code, message) {
  assert.equal(got.code, code, got.message);
  assert.equal(got.status, status);
  assert.match(got.requestId, UUID);
  assert.equal(got.kind, kindOf(speaker, status, code));
  if (message) assert.match(got.message, message);
}

const CASES = [
  {
    name: "a group that the region does not have",
    ask: [FAILOVER, { ...ORDERS, ReplicaGroupId: "pg-nowhere" }],
    status: 404, code: "NoSuchResource", message: /specified resource does not exist/i,
  },
  {
    name: "pairs whose status differs",
    ask: [FAILOVER, { ...ORDERS, ReplicaGroupId: "pg-ledger" }],
    status: 403, code: "OperationDenied.PairGroupStatusConflict",
  },
  {
    name: "a failover asked at the primary site",
    ask: [FAILOVER, { ...ORDERS, RegionId: "cn-hangzhou" }],
    status: 403, code: "OperationDenied.OperateNotAllowedForPrimary",
  },
  {
    name: "a parameter that is missing",
    ask: [FAILOVER, { RegionId: "cn-shanghai" }],
    status: 400, code: "MissingParameter", message: /ReplicaGroupId/,
  },
  {
    name: "an operation that does not exist",
    ask: ["FailoverDiskReplicaGruop", ORDERS],
    status: 404, code: "InvalidAction.NotFound",
  },
  {
    name: "a secret that is wrong",
    keys: { secret: "not-the-secret" }, ask: [FAILOVER, ORDERS],
    status: 400, code: "SignatureDoesNotMatch", message: /server (string to sign is:|StringToSign is \[)/,
  },
  {
    name: "a key that nobody has",
    keys: { id: "LTAInobody" }, ask: [FAILOVER, ORDERS],
    status: 404, code: "InvalidAccessKeyId.NotFound",
  },
  {
    name: "a throttled call",
    fault: { error: { code: "Throttling.User", status: 429, retry_after: 2 } },
    ask: [FAILOVER, ORDERS], status: 429, code: "Throttling.User", retryAfter: 2000,
  },
  {
    name: "a server that is out of order",
    fault: { error: { code: "InternalError", status: 500 } },
    ask: [FAILOVER, ORDERS], status: 500, code: "InternalError",
  },
];

function tests(emulator) {
  for (const speaker of speakers) {
    for (const { name, keys, ask, fault, status, code, message, retryAfter } of CASES) {
      test(`${speaker.name} reads ${name} as its own error`, async () => {
        await emulator.reset();
        if (fault) await emulator.fault({ match: { action: ask[0] }, do: fault });
        const got = await refusal(speaker, speaker.connect(emulator, keys)(...ask));
        assertRefused(speaker, got, status, code, message);
        if (retryAfter && speaker.sdk === "openapi-core") {
          assert.equal(got.retryAfter, retryAfter);
        }
        assert.deepEqual(await emulator.ledger(), []);
      });
    }

    test(`${speaker.name} sees a timeout after the work, which the ledger tells of`, async () => {
      await emulator.reset();
      await emulator.fault({ match: { action: FAILOVER, nth: 1 }, when: "after",
        do: { error: { code: "RequestTimeout", status: 504 } } });
      const call = speaker.connect(emulator);
      const once = { ...ORDERS, ClientToken: "one-failover" };
      assertRefused(speaker, await refusal(speaker, call(FAILOVER, once)), 504, "RequestTimeout");
      const { status } = await call(FAILOVER, once);
      assert.equal(status, 200);
      assert.equal((await emulator.ledger()).length, 1);
    });

    test(`${speaker.name} reads a lost connection as no answer at all`, async () => {
      await emulator.reset();
      await emulator.fault({ match: { action: FAILOVER }, when: "after", do: { drop: true } });
      const got = await refusal(speaker, speaker.connect(emulator)(FAILOVER, ORDERS));
      assert.equal(got.status, undefined);
      assert.equal(got.requestId, undefined);
    });
  }
}

module.exports = { tests };
