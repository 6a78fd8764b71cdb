// The life of a replication group, told by each SDK in each of its ways: pairs and a group are
// created, started, failed over, served from the other site, reprotected, started the other way,
// failed back, drilled, cleared and deleted. The clock moves only when the story says so.
"use strict";

const assert = require("assert/strict");
const { speakers, refusal } = require("./speakers");
const { test } = require("./suite");

const HOME = "cn-hangzhou";
const AWAY = "cn-shanghai";
const HOME_ZONE = "cn-hangzhou-g";
const AWAY_ZONE = "cn-shanghai-b";
const PAIRS = 2;
const ECS = "2014-05-26";
// Model seconds between two looks, and how often somebody looks before giving up.
const PACE = 15;
const PATIENCE = 60;

const WORLD = {
  regions: [{ id: HOME, zones: [HOME_ZONE] }, { id: AWAY, zones: [AWAY_ZONE] }],
  disks: [1, 2].flatMap((number) => [
    { id: `d-home-${number}`, place: `${HOME}/${HOME_ZONE}`, status: "In_use",
      instance: "i-home" },
    { id: `d-away-${number}`, place: `${AWAY}/${AWAY_ZONE}` },
  ]),
  instances: [
    { id: "i-home", place: `${HOME}/${HOME_ZONE}`, status: "Running" },
    { id: "i-away", place: `${AWAY}/${AWAY_ZONE}`, status: "Stopped" },
  ],
};

const SITES = {
  [HOME]: { instance: "i-home", disks: ["d-home-1", "d-home-2"] },
  [AWAY]: { instance: "i-away", disks: ["d-away-1", "d-away-2"] },
};

class Story {
  constructor(emulator, speaker) {
    this.emulator = emulator;
    this.call = speaker.connect(emulator);
    this.tokens = 0;
  }

  async ask(action, params, version) {
    const { status, result } = await this.call(action, params, version);
    assert.equal(status, 200);
    assert.match(result.RequestId, /^[0-9A-F-]{36}$/);
    return result;
  }

  // A change, under a token of its own.
  change(action, params) {
    this.tokens += 1;
    return this.ask(action, { ...params, ClientToken: `story-${this.tokens}` });
  }

  changeGroup(action, region, more = {}) {
    return this.change(action, { RegionId: region, ReplicaGroupId: this.group, ...more });
  }

  // Looks, and lets time pass, until `found` is satisfied.
  async until(what, look, found) {
    let seen;
    for (let turn = 0; turn < PATIENCE; turn += 1) {
      seen = await look();
      if (found(seen)) return seen;
      await this.emulator.advance(PACE);
    }
    throw new Error(`${what} did not come, last seen: ${JSON.stringify(seen)}`);
  }

  async lookAtGroup(region, site) {
    const { ReplicaGroups: groups } = await this.ask("DescribeDiskReplicaGroups",
      { RegionId: region, Site: site, GroupIds: this.group });
    return groups[0];
  }

  async lookAtPairs(region, site) {
    const { ReplicaPairs: pairs } = await this.ask("DescribeDiskReplicaPairs",
      { RegionId: region, Site: site, PairIds: this.pairs.join(",") });
    return pairs;
  }

  // The group and every pair of it say so.
  async reaches(status, region, site) {
    const group = await this.until(`group ${status}`, () => this.lookAtGroup(region, site),
      (seen) => seen && seen.Status === status);
    await this.until(`pairs ${status}`, () => this.lookAtPairs(region, site),
      (seen) => seen.length === PAIRS && seen.every((pair) => pair.Status === status));
    return group;
  }

  async create() {
    this.pairs = [];
    for (let number = 1; number <= PAIRS; number += 1) {
      const { ReplicaPairId: id } = await this.change("CreateDiskReplicaPair", {
        RegionId: HOME, SourceZoneId: HOME_ZONE, DiskId: `d-home-${number}`,
        DestinationRegionId: AWAY, DestinationZoneId: AWAY_ZONE,
        DestinationDiskId: `d-away-${number}`, PairName: `disk:${number}`, RPO: 900,
        Description: "Größe & co, 50% + 50%",
      });
      this.pairs.push(id);
    }
    const { ReplicaGroupId: group } = await this.change("CreateDiskReplicaGroup", {
      RegionId: HOME, SourceZoneId: HOME_ZONE, DestinationRegionId: AWAY,
      DestinationZoneId: AWAY_ZONE, GroupName: "orders", RPO: 900,
    });
    this.group = group;
    await this.until("group created", () => this.lookAtGroup(HOME, "production"),
      (seen) => seen && seen.Status === "created");
    const pairs = await this.until("pairs created", () => this.lookAtPairs(HOME, "production"),
      (seen) => seen.length === PAIRS && seen.every((pair) => pair.Status === "created"));
    assert.equal(pairs[0].Description, "Größe & co, 50% + 50%");
    for (const pair of this.pairs) {
      await this.changeGroup("AddDiskReplicaPair", HOME, { ReplicaPairId: pair });
    }
    await this.until("membership", () => this.lookAtGroup(HOME, "production"),
      (seen) => seen.PairNumber === PAIRS);
  }

  async tag() {
    await this.ask("TagResources", { RegionId: HOME, ResourceType: "diskreplicagroup",
      ResourceId: [this.group], Tag: [{ Key: "team", Value: "orders & more" }] });
    const { TagResources: tags } = await this.ask("ListTagResources", { RegionId: HOME,
      ResourceType: "diskreplicagroup", ResourceId: [this.group] });
    const list = Array.isArray(tags) ? tags : tags.TagResource;
    assert.deepEqual(list.map((tag) => [tag.ResourceId, tag.TagKey, tag.TagValue]),
      [[this.group, "team", "orders & more"]]);
  }

  async untilDisks(region, status) {
    const ask = { RegionId: region, DiskIds: JSON.stringify(SITES[region].disks) };
    await this.until(`disks ${status}`, async () =>
      (await this.ask("DescribeDisks", ask, ECS)).Disks.Disk,
    (seen) => seen.length === PAIRS && seen.every((disk) => disk.Status === status));
  }

  async untilInstance(region, status) {
    const ask = { RegionId: region, InstanceIds: JSON.stringify([SITES[region].instance]) };
    await this.until(`instance ${status}`, async () =>
      (await this.ask("DescribeInstances", ask, ECS)).Instances.Instance[0],
    (seen) => seen.Status === status);
  }

  // The site's disks are attached to its instance, which runs.
  async serve(region) {
    const { instance, disks } = SITES[region];
    for (const disk of disks) {
      await this.ask("AttachDisk", { InstanceId: instance, DiskId: disk }, ECS);
    }
    await this.untilDisks(region, "In_use");
    await this.ask("StartInstance", { InstanceId: instance }, ECS);
    await this.untilInstance(region, "Running");
  }

  // Nothing at the site writes to its disks, nothing holds them.
  async release(region) {
    const { instance, disks } = SITES[region];
    await this.ask("StopInstance", { InstanceId: instance }, ECS);
    await this.untilInstance(region, "Stopped");
    for (const disk of disks) {
      await this.ask("DetachDisk", { InstanceId: instance, DiskId: disk }, ECS);
    }
    await this.untilDisks(region, "Available");
  }

  // Replication runs and has a recovery point of its own.
  async start(region) {
    const asked = (await this.emulator.admin("GET", "clock")).now;
    await this.changeGroup("StartDiskReplicaGroup", region);
    const group = await this.until("replication", () => this.lookAtGroup(region, "production"),
      (seen) => seen.Status === "normal" && seen.LastRecoverPoint > asked);
    await this.reaches("normal", region, "production");
    return group;
  }

  async failover(region) {
    await this.changeGroup("FailoverDiskReplicaGroup", region);
    assert.equal((await this.lookAtGroup(region, "backup")).Status, "failovering");
    return this.reaches("failovered", region, "backup");
  }

  // Afterwards the production site is where the backup was.
  async reprotect(region) {
    await this.changeGroup("ReprotectDiskReplicaGroup", region, { ReverseReplicate: true });
    const group = await this.reaches("stopped", region, "production");
    assert.equal(group.SourceRegionId, region);
    assert.equal(group.PrimaryRegion, HOME);
    return group;
  }

  async drill(region) {
    const { DrillId: drill } = await this.change("StartReplicaGroupDrill",
      { RegionId: region, GroupId: this.group });
    const ask = { RegionId: region, GroupId: this.group, DrillId: drill };
    const look = async () => (await this.ask("DescribeReplicaGroupDrills", ask)).Drills;
    const [executed] = await this.until("drill executed", look,
      (seen) => seen[0] && seen[0].Status === "executed");
    assert.deepEqual(executed.PairsInfo.map((pair) => pair.PairId).sort(), [...this.pairs].sort());
    assert.ok(executed.PairsInfo.every((pair) => pair.DrillDiskStatus === "created"));
    await this.ask("ClearReplicaGroupDrill", ask);
    await this.until("drill cleared", look, (seen) => seen.length === 0);
  }

  async dissolve() {
    await this.changeGroup("StopDiskReplicaGroup", HOME);
    await this.reaches("stopped", HOME, "production");
    for (const pair of this.pairs) {
      await this.changeGroup("RemoveDiskReplicaPair", HOME, { ReplicaPairId: pair });
    }
    await this.until("empty group", () => this.lookAtGroup(HOME, "production"),
      (seen) => seen.PairNumber === 0);
    await this.changeGroup("DeleteDiskReplicaGroup", HOME);
    for (const pair of this.pairs) {
      await this.change("DeleteDiskReplicaPair", { RegionId: HOME, ReplicaPairId: pair });
    }
    await this.until("group gone", () => this.lookAtGroup(HOME, "production"),
      (seen) => seen === undefined);
    await this.until("pairs gone", () => this.lookAtPairs(HOME, "production"),
      (seen) => seen.length === 0);
  }
}

async function refused(story, speaker, status, code, action, params) {
  const got = await refusal(speaker, story.call(action, params));
  assert.equal(got.code, code, got.message);
  assert.equal(got.status, status);
  assert.match(got.requestId, /^[0-9A-F-]{36}$/);
}

async function otherGroup(story) {
  const { ReplicaGroupId: id } = await story.change("CreateDiskReplicaGroup", {
    RegionId: HOME, SourceZoneId: HOME_ZONE, DestinationRegionId: AWAY,
    DestinationZoneId: AWAY_ZONE, GroupName: "others",
  });
  await story.emulator.advance(60);
  return id;
}

function tests(emulator) {
  for (const speaker of speakers) {
    test(`${speaker.name} leads a group from its creation to its end`, async () => {
      await emulator.reset(WORLD);
      const story = new Story(emulator, speaker);
      await story.create();
      await story.tag();
      await story.start(HOME);
      await story.failover(AWAY);
      await story.serve(AWAY);
      await story.release(HOME);
      await story.reprotect(AWAY);
      await story.start(AWAY);
      await story.release(AWAY);
      await story.failover(HOME);
      await story.serve(HOME);
      await story.reprotect(HOME);
      await story.start(HOME);
      await story.drill(AWAY);
      await story.dissolve();
      const failovers = (await emulator.ledger()).filter((effect) =>
        effect.action === "FailoverDiskReplicaGroup");
      assert.deepEqual(failovers.map((effect) => effect.region), [AWAY, HOME]);
    });

    test(`${speaker.name} is told what a group does not allow on its way`, async () => {
      await emulator.reset(WORLD);
      const story = new Story(emulator, speaker);
      await story.create();
      const group = { RegionId: AWAY, ReplicaGroupId: story.group };
      const home = { ...group, RegionId: HOME };
      const drill = { RegionId: AWAY, GroupId: story.group };
      const refuse = (...rest) => refused(story, speaker, ...rest);
      await refuse(403, "OperationDenied.InvalidStatus", "ReprotectDiskReplicaGroup", group);
      await refuse(403, "OperationDenied.GroupHasPair", "DeleteDiskReplicaGroup", home);
      await refuse(403, "OperationDenied.RecoverPointNotFound", "StartReplicaGroupDrill", drill);
      await refuse(403, "OperationDenied.PairInAnotherGroup", "AddDiskReplicaPair",
        { ...home, ReplicaGroupId: await otherGroup(story), ReplicaPairId: story.pairs[0] });
      await story.start(HOME);
      await refuse(403, "OperationDenied.StartDrillShouldOnDestRegion", "StartReplicaGroupDrill",
        { ...drill, RegionId: HOME });
      await refuse(403, "OperationDenied.OperateNotAllowedForPrimary",
        "FailoverDiskReplicaGroup", home);
      await story.failover(AWAY);
      await refuse(403, "OperationDenied", "ReprotectDiskReplicaGroup", group);
      await refuse(403, "OperationDenied.OperateNotAllowedForPrimary",
        "ReprotectDiskReplicaGroup", home);
      await story.call("StopInstance", { InstanceId: "i-home" }, ECS);
      await story.untilInstance(HOME, "Stopped");
      await story.reprotect(AWAY);
      await refuse(400, "OperationDenied.StandbyDeviceAttached", "StartDiskReplicaGroup", group);
    });
  }
}

module.exports = { tests };
