-- What a program loads of us: what it uses, and not much more. A start is what an operator waits
-- for; times drift, so modules are counted.

local commands = require "alicloud.cli.commands"
local process = require "spec.process"
local scratch = require "spec.scratch"

local NATIVE = { ["alicloud.core"] = true, ["alicloud.transport"] = true,
  ["alicloud.httpd"] = true, ["alicloud.confine"] = true }

-- Our modules that a process of its own has loaded after a script.
local function loaded_by(script)
  local output = process.sh("lua5.4 " .. scratch.file(script .. [[

    for name in pairs(package.loaded) do
      if name == "alicloud" or name:find "^alicloud%." then print("\1" .. name) end
    end]], ".lua"))
  local set, count = {}, 0
  for name in output:gmatch "\1([^\n]+)" do
    set[name] = true
    if not NATIVE[name] then count = count + 1 end
  end
  assert.is_true(next(set) ~= nil, output)
  return set, count
end

local function loaded_by_command(...)
  return loaded_by(([[require("alicloud.cli.main").run({ %s },
    require("alicloud.cli.terminal").io())]]):format(('"' .. table.concat({ ... }, '", "') .. '"')))
end

-- Those of a folder.
local function within(set, prefix)
  local list = {}
  for name in pairs(set) do
    if name:sub(1, #prefix) == prefix then list[#list + 1] = name:sub(#prefix + 1) end
  end
  table.sort(list)
  return list
end

-- That none of these modules or families of them ("alicloud.emulator.") is loaded.
local function assert_without(set, names)
  for _, name in ipairs(names) do
    local found = name:find "%.$" and within(set, name)[1] or set[name] and ""
    assert.is_falsy(found, ("%s%s is loaded"):format(name, found or ""))
  end
end

local EVERYTHING_ELSE = { "alicloud.transport", "alicloud.httpd", "alicloud.confine",
  "alicloud.cli.", "alicloud.emulator", "alicloud.emulator.", "alicloud.simulation",
  "alicloud.simulation.", "alicloud.playbooks", "alicloud.playbooks.", "alicloud.loop.",
  "alicloud.service", "alicloud.service.", "alicloud.credentials", "alicloud.credentials.",
  "alicloud.net.", "alicloud.call", "alicloud.call." }

describe("require", function()
  it("of alicloud loads no client", function()
    local set, count = loaded_by 'require "alicloud"'
    assert.is_true(count <= 12, count)
    assert_without(set, EVERYTHING_ELSE)
    assert_without(set, { "alicloud.client", "alicloud.client.", "alicloud.dr", "alicloud.dr." })
  end)

  it("of alicloud.dr loads nothing that is done with groups, runs or journals", function()
    local set, count = loaded_by 'require "alicloud.dr"'
    assert.is_true(count <= 40, count)
    assert_without(set, EVERYTHING_ELSE)
    assert.same({}, within(set, "alicloud.dr."))
  end)

  it("of a client does not load the network, nor of a group what runs and reports need", function()
    local set = loaded_by [[
      local client = require "alicloud".client { region = "cn-shanghai",
        access_key_id = "i", access_key_secret = "s" }
      require "alicloud.dr".group(client, "pg-orders")]]
    assert_without(set, { "alicloud.transport", "alicloud.dr.playbook", "alicloud.dr.playbook.",
      "alicloud.dr.report", "alicloud.dr.report.", "alicloud.dr.read.readiness",
      "alicloud.client.waiter", "alicloud.service.help", "alicloud.call.diagnose",
      "alicloud.call.dependencies" })
  end)

  it("of a playbook loads no run, and of a report no form but the one that is asked for", function()
    local playbook = [[
      local playbook = require "alicloud.dr".playbook("p", function() end)]]
    assert_without(loaded_by(playbook), { "alicloud.dr.playbook.runner", "alicloud.dr.group",
      "alicloud.dr.report" })
    local set = loaded_by(playbook .. ([[

      local dr, journal = require "alicloud.dr", %q
      local client = require "alicloud".client { region = "cn-shanghai", access_key_id = "i",
        access_key_secret = "s" }
      assert(dr.run(playbook, { client = client, journal = journal }))
      assert(dr.report(journal)):render "junit"]]):format(scratch.path ".jsonl"))
    assert_without(set, { "alicloud.dr.report.md", "alicloud.dr.report.html",
      "alicloud.dr.report.compare", "alicloud.transport" })
    assert.is_true(set["alicloud.dr.report.junit"])
  end)
end)

describe("a change", function()
  local SCRIPT = [[
    local emulator = require "alicloud.emulator"
    local emu = emulator.new { faults = %s }
    local before
    local client = require "alicloud".client { region = "cn-shanghai", runtime = emu.runtime,
      access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
      transport = { send = function(request)
        if request.headers["x-acs-action"] == "FailoverDiskReplicaGroup" and not before then
          before = {}
          for name in pairs(package.loaded) do before[name] = true end
        end
        return emu.transport.send(request)
      end } }
    %s
    for name in pairs(before) do package.loaded[name] = nil end]]
  local WAYS = { 'require "alicloud.dr".group(client, "pg-orders"):failover()',
    'client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })' }

  it("has all that it needs before its call leaves, whatever becomes of that", function()
    for _, effect in ipairs { "", "drop = true", "stuck = true", "error = { code = 'Throttling' }",
      "error = { code = 'InternalError' }", "error = { code = 'OperationDenied.InvalidStatus' }",
    } do
      local faults = effect ~= "" and ("{ { match = { action = 'FailoverDiskReplicaGroup' }, "
        .. "effect = { %s } } }"):format(effect) or "nil"
      for _, way in ipairs(WAYS) do
        local set = loaded_by(SCRIPT:format(faults, way) .. " package.loaded.alicloud = true")
        assert.same({ alicloud = true }, set, way)
      end
    end
  end)

  it("needs no `require` where one like it was made before", function()
    loaded_by [[
      local dr, emulator = require "alicloud.dr", require "alicloud.emulator"
      local new_client = require "alicloud".client
      local function fail_over()
        local emu = emulator.new {}
        local client = new_client { region = "cn-shanghai", runtime = emu.runtime,
          access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
          transport = emu.transport }
        assert(dr.group(client, "pg-orders"):failover())
      end
      fail_over()
      local keep = require
      require = nil
      fail_over()
      require = keep]]
  end)
end)

describe("the command", function()
  it("tells its version before most of it is loaded", function()
    local set, count = loaded_by_command "--version"
    assert.is_true(count <= 20, count)
    assert.same({ "version" }, within(set, "alicloud.cli.commands."))
    assert_without(set, { "alicloud.client", "alicloud.dr", "alicloud.dr.", "alicloud.net.",
      "alicloud.cli.options." })
  end)

  it("tells it in the same words to who asks for more", function()
    local alone, code = process.sh "alicloud-dr --version"
    assert.equal(0, code)
    assert.matches("^alicloud%-dr %d", alone)
    for _, more in ipairs { "--version status", "--version --version", "version" } do
      assert.equal(alone, (process.sh("alicloud-dr " .. more)))
    end
  end)

  it("answers the completion of a shell before most of it is loaded", function()
    for kind, most in pairs { groups = 26, regions = 26, places = 26, journals = 60 } do
      local set, count = loaded_by_command("completion", "--words", kind)
      assert.is_true(count <= most, ("%s: %d"):format(kind, count))
      assert_without(set, { "alicloud.cli.parser", "alicloud.client", "alicloud.call",
        "alicloud.transport", "alicloud.credentials" })
    end
  end)

  it("loads what a command needs for its help, and of others nothing", function()
    for _, entry in ipairs(commands.LIST) do
      local set, count = loaded_by_command(entry.name, "--help")
      assert.is_true(count <= 85, ("%s: %d"):format(entry.name, count))
      assert_without(set, { "alicloud.client.waiter", "alicloud.dr.report.html",
        "alicloud.dr.playbook.runner", "alicloud.simulation" })
      if entry.name ~= "emulator" then assert_without(set, { "alicloud.emulator" }) end
      if entry.name ~= "version" then assert_without(set, { "alicloud.transport" }) end
    end
  end)

  it("loads nothing of traces unless the environment asks for them", function()
    local words = { "status", "--region", "cn-shanghai", "--endpoint", "http://127.0.0.1:1",
      "--wait-for-cloud", "no", "--failed-region", "cn-shanghai" }
    local set = loaded_by_command(table.unpack(words))
    assert.is_true(set["alicloud.client"])
    assert_without(set, { "alicloud.otel", "alicloud.otel.", "alicloud.cli.tracing",
      "alicloud.call.tracer" })
  end)

  it("loads no command for its own help", function()
    assert.same({}, within(loaded_by_command("--help"), "alicloud.cli.commands."))
    assert.same({}, within(loaded_by_command("statu"), "alicloud.cli.commands."))
  end)

  it("finds the typed one behind every option that may stand before it", function()
    for _, before in ipairs { {}, { "--json" }, { "-h" }, { "--help", "--json" }, { "--" },
      { "--json", "--" } } do
      local words = table.move(before, 1, #before, 1, {})
      words[#words + 1] = "explain"
      words[#words + 1] = "Throttling"
      assert.same({ "explain" },
        within(loaded_by_command(table.unpack(words)), "alicloud.cli.commands."))
    end
  end)

  it("has a module for every name of its registry, and a name for every module", function()
    local named = {}
    for i, entry in ipairs(commands.LIST) do
      assert.is_true(commands.is_known(entry.name))
      local command = commands.load(entry.name)
      assert.is_function(command.configure)
      assert.is_function(command.run)
      named[i] = entry.name .. ".lua"
    end
    named[#named + 1] = "init.lua"
    table.sort(named)
    local there = {}
    for name in process.sh("ls lua/alicloud/cli/commands"):gmatch "%S+" do
      there[#there + 1] = name
    end
    assert.same(there, named)
  end)
end)
