// Reading and failing over, said in every way: what arrives is what was meant.
"use strict";

const assert = require("assert/strict");
const { speakers } = require("./speakers");
const { test } = require("./suite");

const GROUP = { RegionId: "cn-shanghai", ReplicaGroupId: "pg-orders" };
// Everything that is printable ASCII and has a meaning in a URL or a signature.
const RESERVED = "a b+c%2B~*!'()/?:@&=;,#[]$\"<>\\^`{|}";

async function statusOf(call) {
  const { result } = await call("DescribeDiskReplicaGroups",
    { RegionId: "cn-shanghai", Site: "backup", GroupIds: "pg-orders" });
  return result.ReplicaGroups[0].Status;
}

function tests(emulator) {
  for (const speaker of speakers) {
    test(`${speaker.name} reads regions, groups and pairs`, async () => {
      await emulator.reset();
      const call = speaker.connect(emulator);
      const { status, result: regions } = await call("DescribeRegions",
        { RegionId: "cn-shanghai", ResourceType: "ear" });
      assert.equal(status, 200);
      assert.match(regions.RequestId, /^[0-9A-F-]{36}$/);
      const ids = regions.Regions.map((region) => region.RegionId);
      assert.ok(ids.includes("cn-hangzhou") && ids.includes("cn-shanghai"), ids.join());
      const { result: groups } = await call("DescribeDiskReplicaGroups",
        { RegionId: "cn-shanghai", Site: "backup", MaxResults: 2 });
      assert.equal(groups.ReplicaGroups.length, 2);
      assert.ok(groups.NextToken);
      const { result: pairs } = await call("DescribeDiskReplicaPairs",
        { RegionId: "cn-shanghai", Site: "backup", ReplicaGroupId: "pg-orders" });
      assert.equal(pairs.ReplicaPairs.length, 3);
      for (const pair of pairs.ReplicaPairs) {
        assert.equal(pair.Status, "normal");
        assert.equal(typeof pair.LastRecoverPoint, "number");
      }
    });

    test(`${speaker.name} fails a group over once, whatever its token is made of`, async () => {
      await emulator.reset();
      const call = speaker.connect(emulator);
      const once = { ...GROUP, ClientToken: RESERVED };
      const first = await call("FailoverDiskReplicaGroup", once);
      assert.equal(await statusOf(call), "failovering");
      const again = await call("FailoverDiskReplicaGroup", once);
      assert.equal(again.result.RequestId, first.result.RequestId);
      const effects = await emulator.ledger();
      assert.equal(effects.length, 1);
      assert.equal(effects[0].client_token, RESERVED);
      assert.equal(effects[0].request_id, first.result.RequestId);
      await emulator.advance(60);
      assert.equal(await statusOf(call), "failovered");
    });

    test(`${speaker.name} is understood beyond ASCII`, async () => {
      await emulator.reset();
      const call = speaker.connect(emulator);
      const { result } = await call("DescribeDiskReplicaGroups",
        { RegionId: "cn-shanghai", Site: "backup", Name: "Größe 云盘 🚀" });
      assert.deepEqual(result.ReplicaGroups, []);
    });
  }
}

module.exports = { tests };
