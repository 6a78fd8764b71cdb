// The vendor's SDKs for Node in place of ours: node vendor.js SDK URL COUNT prints the CPU
// microseconds of a signed call over a kept-alive connection, as ours.lua and floor.c do. NODE_PATH
// names the packages; without SDK it only says whether they can be loaded.
"use strict";

const { speakers } = require("../interop/speakers");

const [, , wanted, url, count] = process.argv;
// A just-in-time compiler is given the time to do its work.
const WARM = 300;

async function main() {
  const speaker = speakers.find(({ name }) => name === wanted);
  if (!speaker) {
    throw new Error(`${wanted} is none of ${speakers.map(({ name }) => name).join(", ")}`);
  }
  const call = speaker.connect(
    { url, host: new URL(url).host, keyId: "emulator", secret: "emulator-secret" });
  let start;
  for (let i = 0; i < WARM + Number(count); i += 1) {
    if (i === WARM) start = process.cpuUsage();
    const { status, result } = await call("DescribeRegions", { RegionId: "cn-shanghai" });
    if (status !== 200 || !result.RequestId) throw new Error(`the server answered ${status}`);
  }
  const { user, system } = process.cpuUsage(start);
  console.log(((user + system) / Number(count)).toFixed(2));
  process.exit();
}

if (wanted) {
  main().catch((problem) => {
    console.log(problem.stack);
    process.exit(1);
  });
}
