-- `alicloud-dr emulator`: what it prints, what it refuses, how it stops.

local alicloud = require "alicloud"
local argparse = require "argparse"
local command = require "alicloud.cli.commands.emulator"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local evidence = require "alicloud.emulator.evidence"
local httpd = require "alicloud.httpd"
local noted = require "spec.conformance.noted"
local scenarios = require "alicloud.emulator.scenarios"
local scratch = require "spec.scratch"

local function parse(words)
  local parser = argparse("alicloud-dr")
  command.configure(parser)
  return parser:parse(words)
end

-- The command serves until it is interrupted. lua.c interrupts by raising from a hook, and so does
-- this, when the command begins to wait.
local function run(words, stop_after)
  local out, err = {}, {}
  local io = {
    out = function(text)
      out[#out + 1] = text
      if stop_after and table.concat(out):find(stop_after, 1, true) then
        debug.sethook(function()
          local called = debug.getinfo(2, "f").func
          if called ~= core.poll and called ~= httpd.wait then return end
          debug.sethook()
          error("interrupted!")
        end, "c")
      end
    end,
    err = function(text) err[#err + 1] = text end,
    tty = false, ended_by = function() return nil end,
  }
  local code = command.run(parse(words), io)
  debug.sethook()
  return code, table.concat(out), table.concat(err)
end

describe("alicloud-dr emulator", function()
  it("says where it is, what is in its world, and how to point a client at it", function()
    local code, out = run({}, "Ctrl-C")
    assert.equal(130, code)
    local url = out:match("on (http://127%.0%.0%.1:%d+)")
    for _, part in ipairs {
      "not the service", "clock runs 60 times as fast", "pg-orders", "initial_syncing", "3 pairs",
      "export ALIBABA_CLOUD_ENDPOINT=" .. url, "export ALIBABA_CLOUD_ACCESS_KEY_ID=emulator",
      "export ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator-secret",
      "export ALIBABA_CLOUD_REGION_ID=cn-shanghai", url .. "/_emulator/ledger",
    } do
      assert.truthy(out:find(part, 1, true), part)
    end
  end)

  it("makes a world of a recording, and tells what is missing in it", function()
    local path = scratch.file(noted.text { noted.exchange(1, "DescribeDiskReplicaGroups",
      { RegionId = "cn-beijing", Site = "backup" }, { ReplicaGroups = { {
        ReplicaGroupId = "pg-001", Status = "resyncing", PairIds = { "pair-001" },
        SourceRegionId = "cn-shenzhen", SourceZoneId = "cn-shenzhen-a",
        DestinationRegionId = "cn-beijing", DestinationZoneId = "cn-beijing-b" } } }) }, ".jsonl")
    local code, out, err = run({ "--world-from", path }, "Ctrl-C")
    assert.equal(130, code)
    assert.matches("pg%-001 +resyncing +cn%-shenzhen/a → cn%-beijing/b",
      out)
    assert.matches("REGION_ID=cn%-beijing", out)
    assert.matches("of pair%-001 no more is known than its id", err)
    local other = scratch.file("{}", ".json")
    for _, words in ipairs { { "--world-from", path, "--world", other },
      { "--world-from", path .. ".gone" } } do
      code, out, err = run(words)
      assert.equal(2, code)
      assert.matches("^alicloud%-dr emulator: .*%-%-world%-from: ", out .. err)
    end
  end)

  it("prints one line of JSON when asked", function()
    local _, out = run({ "--json", "--speed", "1", "--seed", "9" }, "\n")
    assert.equal(1, select(2, out:gsub("\n", "")))
    local line = core.decode(out)
    assert.equal("http://127.0.0.1:" .. line.port, line.endpoint)
    assert.equal("emulator", line.access_key_id)
    assert.equal("real", line.clock)
    assert.equal(9, line.seed)
    assert.equal("pg-orders", line.groups[1])
  end)

  it("lists what it assumes, and what the public shows of it, in four groups", function()
    local code, out = run({ "--list-assumptions" })
    assert.equal(0, code)
    local last = 0
    for _, part in ipairs { "\nKNOWN: ", "\nclear_busy = invalid_status   (", "\nLEANING: ",
      "\nUNKNOWN: ", "\ntoken_lifetime = 3600   (number)\n  Does    A ClientToken",
      "\n  Public  No edition of the page", "\n  Source  help.aliyun.com/",
      "\n  Decide  tokens of one, ten and fifty", "\nCONTRADICTED: ", "\nedges = fixed\n" } do
      local place = out:find(part, last == 0 and 1 or last, true)
      -- The groups come in this order; within one the order is that of the switches.
      assert.truthy(place, part)
      if part:find ": $" then last = place end
    end
    for line in out:gmatch "[^\n]+" do
      assert.is_true(utf8.len(line) <= 80, line)
    end
    for _, switch in ipairs(emulator.assumptions()) do
      assert.truthy(out:find(("\n%s = "):format(switch.name), 1, true), switch.name)
    end
  end)

  it("lists the same as JSON", function()
    local code, out = run({ "--list-assumptions", "--json" })
    assert.equal(0, code)
    local object = core.decode(out)
    assert.equal(0, object.exit)
    assert.equal(#emulator.assumptions(), #object.assumptions)
    for _, assumption in ipairs(object.assumptions) do
      assert.same(evidence.of[assumption.name], assumption.evidence)
    end
  end)

  it("takes its world and its faults from files", function()
    local world = scratch.file('return { groups = { { id = "pg-mine", pairs = 1, '
      .. 'source = "cn-beijing/a", destination = "cn-shenzhen/b" } } }', ".lua")
    local faults = scratch.file('[{"do":{"drop":true}}]', ".json")
    local _, out = run({ "--world", world, "--faults", faults }, "Ctrl-C")
    assert.truthy(out:find("pg%-mine%s+normal%s+cn%-beijing/a → cn%-shenzhen/b%s+1 pair\n"))
    assert.truthy(out:find("ALIBABA_CLOUD_REGION_ID=cn-shenzhen", 1, true))
  end)

  for problem, words in pairs {
    ['--port: must be a whole number of at least 0, got "x"'] = { "--port", "x" },
    ["--port: must be at most 65535, got 70000"] = { "--port", "70000" },
    ['--host: must be an IPv4 address or localhost, got "shop"'] = { "--host", "shop" },
    ['--host: must be an IPv4 address or localhost, got "999.1.1.1"'] = { "--host", "999.1.1.1" },
    ['--speed: must be a number of at least 0, got "-1"'] = { "--speed=-1" },
    ["--seed: must be a whole number"] = { "--seed", "1.5" },
    ['--scenario: must be one of "primary-region-dark", "lost-answer"'] = { "--scenario", "x" },
    ['"skewed-clock", got "lost-answr", did you mean "lost-answer"?'] =
      { "--scenario", "lost-answr" },
    ["/nowhere/world.lua: no such file"] = { "--world", "/nowhere/world.lua" },
    ['did you mean "token_lifetime"?'] = { "--assume", "tokn_lifetime=3" },
    ['--hostile: pair_ids: must be one of "array", "comma", "empty"'] =
      { "--hostile", "pair_ids=x" },
  } do
    it("refuses, as usage: " .. problem, function()
      local code, out, err = run(words)
      assert.equal(2, code)
      assert.equal("", out)
      assert.truthy(err:find(problem, 1, true), err)
      assert.equal(1, select(2, err:gsub("\n", "")))
      words[#words + 1] = "--json"
      code, out, err = run(words)
      assert.equal(2, code)
      assert.equal("", err)
      assert.equal(2, core.decode(out).exit)
      assert.truthy(core.decode(out).error.message:find(problem, 1, true), out)
    end)
  end

  it("names the field of a world that is wrong", function()
    local world = scratch.file('return { groups = { { id = "pg-mine", souce = "a/b" } } }', ".lua")
    local code, _, err = run { "--world", world }
    assert.equal(2, code)
    assert.truthy(err:find("alicloud-dr emulator: groups[1].souce: unknown field", 1, true), err)
  end)

  it("serves another process, and stops when its input ends", function()
    local output = scratch.file ""
    local program = [[
      local argparse, command = require "argparse", require "alicloud.cli.commands.emulator"
      local parser = argparse("emulator")
      command.configure(parser)
      io.stdout:setvbuf("line")
      local code = command.run(parser:parse(arg), { tty = false,
        out = function(text) io.stdout:write(text) end,
        err = function(text) io.stderr:write(text) end })
      os.exit(code, true)]]
    local script = scratch.file(program, ".lua")
    local child = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' exec lua5.4 %s --json --until-eof "
      .. "--speed 1000 >%s"):format(package.path, package.cpath, script, output), "w"))
    local line
    for _ = 1, 3000 do
      local file <close> = assert(io.open(output))
      line = file:read("l")
      if line then break end
      core.poll(nil, "r", 0.01)
    end
    local about = core.decode((assert(line, "the emulator did not start")))
    local client = alicloud.client { region = "cn-shanghai", endpoint = about.endpoint,
      access_key_id = about.access_key_id, access_key_secret = about.access_key_secret }
    -- What somebody types is no line that is waited for.
    child:write "x"
    child:flush()
    local ebs = client:service "ebs"
    assert.is_table((ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "pg-orders" }))
    local body = ebs:must("DescribeDiskReplicaGroups", { GroupIds = "pg-orders", Site = "backup" })
    assert.truthy(("failovering failovered"):find(body.ReplicaGroups[1].Status, 1, true))
    client:close()
    local ended, how, code = child:close()
    assert.same({ true, "exit", 0 }, { ended, how, code })
  end)
end)

describe("alicloud-dr emulator, rehearsing,", function()
  it("lists the scenarios", function()
    local code, out = run { "--list-scenarios" }
    assert.equal(0, code)
    for _, name in ipairs(scenarios.list()) do assert.truthy(out:find(name, 1, true), name) end
    local _, json = run { "--list-scenarios", "--json" }
    assert.equal(#scenarios.NAMES, #core.decode(json).scenarios)
  end)

  it("takes each of them, and a copy of one", function()
    for _, name in ipairs(scenarios.list()) do
      local code, out, err = run({ "--scenario", name, "--speed", "0" }, "Ctrl-C")
      assert.equal(130, code, err)
      assert.truthy(out:find("pg-orders", 1, true))
      assert.is_nil(out:find("pg-payments", 1, true))
    end
    local path = scratch.file('return { title = "mine", world = { groups = { { id = "pg-mine", '
      .. 'source = "a/a-1", destination = "b/b-1", pairs = 1 } } } }', ".lua")
    local _, out = run({ "--scenario", path }, "Ctrl-C")
    assert.truthy(out:find("pg-mine", 1, true))
  end)

  it("says what is wrong with a scenario", function()
    local code, _, err = run { "--scenario", "lost-anser" }
    assert.equal(2, code)
    assert.truthy(err:find('did you mean "lost-answer"?', 1, true), err)
    local path = scratch.file("return { titel = 1 }", ".lua")
    code, _, err = run { "--scenario", path }
    assert.equal(2, code)
    assert.truthy(err:find('did you mean "title"?', 1, true), err)
  end)

  it("prints a port for each region, for a shell and for a client", function()
    local code, out = run({ "--region-ports" }, "Ctrl-C")
    assert.equal(130, code)
    local url = out:match("export EMULATOR_ENDPOINT_CN_HANGZHOU=(http://127%.0%.0%.1:%d+)")
    assert.truthy(out:find(('endpoint = { ["cn-hangzhou"] = "%s"'):format(url), 1, true), out)
  end)

  it("may let each look move the clock, and any key in", function()
    local code, out = run({ "--step", "10", "--any-key" }, "Ctrl-C")
    assert.equal(130, code)
    assert.truthy(out:find("clock moves 10 s with each Describe", 1, true))
    code = run { "--step", "soon" }
    assert.equal(2, code)
  end)

  it("may be an instance's metadata service, with a role that is a name", function()
    assert.equal(130, (run({ "--ecs-role", "dr-role" }, "Ctrl-C")))
    local code, _, err = run { "--ecs-role", "dr role" }
    assert.equal(2, code)
    assert.truthy(err:find("ecs_role", 1, true), err)
  end)
end)
