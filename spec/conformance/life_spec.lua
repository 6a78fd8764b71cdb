-- The proof of the replay: a whole life (failover, reprotect, the way back, reprotect) is run by
-- the command over a socket and recorded, and then played: result, events and journal are the same
-- but for what is new in every run, and times but for what the machine takes.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local LIFE = [[
local dr = require "alicloud.dr"
return dr.playbook("life", { params = {
  { name = "group", type = "id", required = true, help = "which" },
} }, function(run)
  local there = run:group(run.params.group, { region = "cn-shanghai" })
  local here = run:group(run.params.group, { region = "cn-hangzhou" })
  local quick = { poll = 0.2 }
  run:step("check", function() return there:precheck { max_rpo = "1d" } end)
  run:step("fence", function() return there:fence { poll = 0.2 } end)
  run:step("promote", { point_of_no_return = true }, function()
    return there:failover { max_rpo = "1d", poll = 0.2 }
  end)
  run:step("reverse", function()
    return there:reprotect { old_side = "unknown", poll = 0.2 }
  end)
  local started = run:step("replicate", function() return there:start(quick) end)
  run:step("catch up", function()
    return there:await_recovery_point { newer_than = started.server_time, poll = 0.2 }
  end)
  run:step("back", function() return here:failover { max_rpo = "1d", poll = 0.2 } end)
  run:step("protect again", function()
    return here:reprotect { old_side = "unknown", poll = 0.2 }
  end)
end)
]]

-- Seconds by which a time may differ: the machine's, which may be busy, and what it takes to write
-- a journal.
local TOLERANCE = 60

-- New in every run, or about the process; the file is that of the playbook, the digest that of
-- parameters with a token. A replay has no way to a service.
local NEW = { client_token = true, digest = true, file = true, run_id = true, pid = true,
  replay = true, journal = true, head = true, way = true }

local TIMES = { at = true, elapsed = true, rto = true, rpo = true, begun_at = true,
  ended_at = true, began_at = true, read_at = true, left = true, seq = true }

-- Compares two values but for what is new; gives where they differ.
local function difference(a, b, path)
  local name = path:match "([^.]*)$"
  if NEW[name] then return nil end
  local is_time = TIMES[name] or math.type(a) == "float"
  if is_time and type(a) == "number" and type(b) == "number" then
    return math.abs(a - b) > TOLERANCE and ("%s: %s, %s"):format(path, a, b) or nil
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return a ~= b and ("%s: %s, %s"):format(path, a, b) or nil
  end
  for key in pairs(b) do
    if a[key] == nil and not NEW[key] then return path .. "." .. key .. ": is more" end
  end
  for key, value in pairs(a) do
    local found = difference(value, b[key], path .. "." .. key)
    if found then return found end
  end
end

-- The text of the real run, under the names of the recording.
local function under_pseudonyms(text, map)
  local originals = {}
  for original, pseudonym in pairs(map) do
    -- Words of the command line are typed as they were.
    if not pseudonym:find "^text%-" then originals[#originals + 1] = original end
  end
  table.sort(originals, function(a, b) return #a > #b end)
  for _, original in ipairs(originals) do
    text = text:gsub("%f[%w]" .. original:gsub("%p", "%%%0") .. "%f[^%w]", function()
      return map[original]
    end)
  end
  return text
end

local function objects(text, pick)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local value = assert(core.decode(line))
    list[#list + 1] = pick and value[pick] or value
  end
  return list
end

-- A directory with the files of the real run and of its replay.
local function live_and_play()
  local room = scratch.directory()
  local emulator <close> = process.start_emulator { speed = 60, arguments = "--seed 7" }
  scratch.write(room .. "/life.lua", LIFE)
  local form = [[cd '%s' && chmod 600 life.lua && ALICLOUD_DR_JOURNALS='%s/journals' alicloud-dr run
    life.lua --region cn-shanghai --yes --json --as ops --journal %s.jsonl --events %s.events
    group=%s %s >%s.json 2>%s.err]]
  local function command(name, group, more)
    local line = form:format(room, room, name, name, group, more, name, name)
    return (line:gsub("%s+", " "))
  end
  local out, ok = emulator:shell(command("live", "pg-orders",
    "--record rec.jsonl --keep-map map.json"))
  assert(ok, out .. scratch.read(room .. "/live.err") .. scratch.read(room .. "/live.json"))
  local effects = emulator:effects()
  local map = assert(core.decode(scratch.read(room .. "/map.json"))).originals
  local elsewhere = "env -u ALIBABA_CLOUD_ACCESS_KEY_ID -u ALIBABA_CLOUD_ACCESS_KEY_SECRET "
  out, ok = emulator:shell((command("play", map["pg-orders"],
    "--replay rec.jsonl --replay-mode strict"):gsub("alicloud%-dr run", elsewhere .. "%0")))
  assert(ok, out .. scratch.read(room .. "/play.err") .. scratch.read(room .. "/play.json"))
  assert.equal(effects, emulator:effects())
  local function pair_of(suffix)
    local live = scratch.read(room .. "/live" .. suffix):gsub(" %-%-endpoint http[^ \"]+", "")
    return under_pseudonyms(live, map),
      scratch.read(room .. "/play" .. suffix)
  end
  return pair_of, scratch.read(room .. "/play.err")
end

describe("a recorded whole life", function()
  local pair_of, complaints = live_and_play()

  it("is played without a difference in order or parameters", function()
    assert.equal("alicloud-dr: a replay of rec.jsonl: nothing is sent\n", complaints)
  end)

  it("would be told apart from another one", function()
    local _, play = pair_of ".jsonl"
    local lines = objects(play, "event")
    local others = objects((play:gsub('"status":"failovered"', '"status":"normal"')), "event")
    assert.matches("^lines%.%d+%..*status: failovered, normal$",
      difference(lines, others, "lines"))
    table.remove(others)
    assert.is_string(difference(lines, others, "lines"))
  end)

  it("has the same result", function()
    local live, play = pair_of ".json"
    assert.is_nil(difference(core.decode(live), core.decode(play), "result"))
    assert.equal("completed", core.decode(play).status)
  end)

  it("has the same events", function()
    local live, play = pair_of ".events"
    live, play = objects(live), objects(play)
    assert.is_true(#live > 30)
    assert.equal(#live, #play)
    assert.is_nil(difference(live, play, "events"))
  end)

  it("has the same journal", function()
    local live, play = pair_of ".jsonl"
    live, play = objects(live, "event"), objects(play, "event")
    assert.is_true(#live > 30)
    assert.equal(#live, #play)
    assert.is_nil(difference(live, play, "lines"))
  end)
end)
