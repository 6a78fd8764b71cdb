-- The manual's page on watching: its files are those of .examples/, and its command lines work.

local events = require "alicloud.cli.events"
local process = require "spec.process"
local prometheus = require "alicloud.dr.report.prometheus"
local records = require "alicloud.dr.playbook.events"
local scratch = require "spec.scratch"

local PAGE = scratch.read "lua/alicloud/manual/watching.md"
local FILES = { "alicloud-dr-readiness.service", "alicloud-dr-readiness.timer", "alicloud-dr.cron",
  "alicloud-dr.rules.yml" }

local CONFIG = [[{"current":"r","profiles":[{"name":"r","mode":"AK","access_key_id":"%s",
  "access_key_secret":"%s","region_id":"cn-shanghai"}]}]]

-- The whole path of what a line of an example names, in a room instead of the whole machine.
local function moved(text, room)
  return (text:gsub("/usr/bin/", ""):gsub("/etc/alicloud%-dr", room)
    :gsub("/var/lib/prometheus/node%-exporter", room):gsub("%%d", room))
end

local function make_room(emulator)
  local room = scratch.directory()
  scratch.write(room .. "/config.json", CONFIG:format(emulator.start.access_key_id,
    emulator.start.access_key_secret))
  assert(os.execute(("chmod 600 '%s/config.json'"):format(room)))
  return room
end

-- As a timer does it: the keys are in the file that the example names, and nowhere else.
local function run(emulator, room, variables, line)
  return process.sh(([[cd '%s' && env -u ALIBABA_CLOUD_CLI_PROFILE_DISABLED -u HOME \
    ALIBABA_CLOUD_ENDPOINT=%s %s sh -c '%s']]):format(room, emulator.start.endpoint, variables,
    line))
end

describe("the manual's page on watching", function()
  it("shows the files of .examples/", function()
    for _, name in ipairs(FILES) do
      assert.truthy(PAGE:find("\n" .. scratch.read(".examples/" .. name) .. "```\n", 1, true), name)
    end
  end)

  it("tells of every metric, with its labels", function()
    local told, seen = {}, {}
    for name, labels in PAGE:gmatch "\n| `(alicloud_dr_[%l_]+)` | ([^|]+) |" do
      told[name] = labels:gsub("`", "")
    end
    local text = prometheus.readiness({ verdict = "ok", lines = { { group_id = "pg", region = "r",
      verdict = "ok", age = 1, max_rpo = 1, declared_rpo = 1, open_drills = 0, unprotected = {},
      snapshot = { name = "n", status = "normal", pairs = {} } } } }, { region = "r", at = 1 })
    for name, labels in text:gmatch "\n(alicloud_dr_[%l_]+){([^}]+)}" do
      seen[name] = labels:gsub('="[^"]*"', ""):gsub(",", ", ")
    end
    assert.same(seen, told)
  end)

  it("tells of every event, with its fields", function()
    local told, declared = {}, {}
    for kind, of, fields in PAGE:gmatch "\n| `([%l_]+)` | (%l+) | ([^|]+) |" do
      local list = {}
      for name in fields:gmatch "`([^`]+)`" do list[#list + 1] = name end
      told[of .. " " .. kind] = table.concat(list, " ")
    end
    local function declare(of, kinds)
      for kind, fields in pairs(kinds) do
        table.sort(fields)
        declared[of .. " " .. kind] = table.concat(fields, " ")
      end
    end
    for of, kinds in pairs(events.OWN) do declare(of, kinds) end
    declare("run", records.fields())
    assert.same(declared, told)
    for _, name in ipairs(events.COMMON) do
      assert.truthy(PAGE:find("\n| `" .. name .. "` |", 1, true), name)
    end
    assert.truthy(PAGE:find(("| `schema` | %d;"):format(events.SCHEMA), 1, true))
  end)

  it("has a service and a line for cron that work", function()
    local emulator <close> = process.start_emulator { speed = 0 }
    local room = make_room(emulator)
    local unit = scratch.read ".examples/alicloud-dr-readiness.service"
    local variables = moved(unit:match "\nEnvironment=(%S+)", room)
      .. " ALIBABA_CLOUD_REGION_ID=cn-shanghai"
    local shown, code = run(emulator, room, variables, moved(unit:match "\nExecStart=(.-)\n", room))
    assert.equal(2, code, shown)
    -- What is ok is not shown, and what is not is one line each.
    assert.same({ 3, nil }, { select(2, shown:gsub("\n", "")), shown:find "pg%-orders" })
    local metrics = scratch.read(room .. "/alicloud-dr.prom")
    assert.matches('\nalicloud_dr_group_readiness{group="pg%-orders",.-verdict="ok"} 1\n', metrics)

    local lines = scratch.read ".examples/alicloud-dr.cron"
    local given = {}
    for line in lines:gmatch "[^\n]+" do
      if line:find "^ALIBABA" then given[#given + 1] = moved(line, room) end
    end
    local mailed
    mailed, code = run(emulator, room, table.concat(given, " "),
      moved(lines:match "\n%*/5 %* %* %* %* root (.-)\n", room))
    assert.same({ 2, shown }, { code, mailed })
  end)
end)
