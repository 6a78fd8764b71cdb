// The emulator as a process of its own, on a clock that moves only when told.
"use strict";

const http = require("http");
const { spawn } = require("child_process");

// One request of our own beside the SDKs; no header of theirs, no retry.
function ask(url, method, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({
        status: response.statusCode, body: Buffer.concat(parts).toString("utf8"),
      }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

class Emulator {
  // It listens. Its input is a pipe that only this process holds: it ends with us.
  static async start() {
    const emulator = await Emulator.spawn();
    emulator.usualWorld = await emulator.admin("GET", "world");
    return emulator;
  }

  static spawn(more = []) {
    const words = ["emulator", "--json", "--until-eof", "--port", "0", "--speed", "0", ...more];
    const child = spawn("alicloud-dr", words, { stdio: ["pipe", "pipe", "inherit"] });
    return new Promise((resolve, reject) => {
      let text = "";
      child.on("error", reject);
      child.once("exit", (code) => reject(new Error(`the emulator ended with ${code}`)));
      child.stdout.on("data", (part) => {
        text += part;
        if (text.includes("\n")) resolve(new Emulator(child, JSON.parse(text.split("\n")[0])));
      });
    });
  }

  constructor(child, announced) {
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    this.url = announced.endpoint;
    this.host = announced.endpoint.replace("http://", "");
    this.keyId = announced.access_key_id;
    this.secret = announced.access_key_secret;
  }

  async admin(method, name, object) {
    const answer = await ask(`${this.url}/_emulator/${name}`, method,
      object && JSON.stringify(object));
    if (answer.status !== 200) throw new Error(`${name}: ${answer.body}`);
    return JSON.parse(answer.body);
  }

  advance(seconds) {
    return this.admin("POST", "clock", { advance: seconds });
  }

  // The world it began with, or this one; no faults.
  async reset(world) {
    await this.admin("DELETE", "faults");
    await this.admin("POST", "reset", { world: world || this.usualWorld });
  }

  fault(rule) {
    return this.admin("POST", "faults", rule);
  }

  // The effects that really happened.
  async ledger() {
    return (await this.admin("GET", "ledger")).effects;
  }

  stop() {
    this.child.stdin.end();
    return this.ended;
  }
}

module.exports = { Emulator };
