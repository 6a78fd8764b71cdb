-- The table of the manual's topic "tasks": each cell is carried out on every loop.
--
-- All clocks are the machine's. Whether a task has come to its state before the event, and was in
-- it when that came, is looked at, and a machine that was too slow for it is given more time.

require "spec.kept" "luv"
local alicloud = require "alicloud"
local core = require "alicloud.core"
local events = require "spec.loop.table.events"
local process = require "spec.process"
local scratch = require "spec.scratch"
local socket = require "socket"
local states = require "spec.loop.table.states"

-- Seconds to the event, the first time and when that was too soon; and for what is to be cut short.
local SOON, LONG = { 0.03, 0.3, 3 }, 30

-- Where the body of a program runs, and its tasks are from.
local WAYS = {
  { name = "blocking", host = "blocking", forks_outside = true },
  { name = "in a task", host = "task" },
  { name = "cqueues", host = "cqueues" },
  { name = "luv", host = "luv" },
  { name = "select", host = "select" },
}

local function new_world(way, cell, state, at)
  local listening = assert(socket.bind("127.0.0.1", 0))
  local _, port = listening:getsockname()
  listening:settimeout(0)
  local is_brief = state.is_brief or cell.outcome == "goes on"
  local world = { way = way, at = at, long = is_brief and 2 * at or LONG, listening = listening }
  function world.happened() return world.is_there == true end
  world.client = alicloud.client { region = "cn-shanghai", retries = 0,
    loop = require("spec.hosts.loops." .. way.host).loop(),
    access_key_id = "id", access_key_secret = "secret",
    endpoint = ("http://127.0.0.1:%d"):format(port), witness = {
      before = function() return true end,
      after = function(_, _, answer) world.journal = answer.outcome end } }
  world.loop = world.client.loop
  return world
end

-- ---------------------------------------------------------------- a signal where one computes

-- In a process of its own.
local SIGNALLED = [[
local core, posix = require "alicloud.core", require "spec.posix"
local task = package.searchpath("alicloud.loop.task", package.path)
core.answer_signals("@" .. task:match "^(.*/)loop/", {})
local host = require("spec.hosts.loops." .. arg[1])
local client = require "alicloud".client { region = "cn-shanghai", access_key_id = "id",
  access_key_secret = "secret", loop = host.loop() }
local loop, seen = client.loop, {}
local function compute()
  posix.kill(core.process().pid, "INT")
  while true do end
end
local function body()
  loop.scope(function()
    loop.spawn(function()
      seen[1], seen[2] = pcall(compute)
      seen[3], seen[4] = pcall(loop.sleep, 1)
    end)
  end)
  seen[5], seen[6] = pcall(loop.checkpoint)
end
pcall(host.run, client, body)
print(table.unpack(seen, 1, 6))]]

local STOPPED = "false interrupted! false interrupted! false interrupted! "

local function stops_what_computes(way)
  local text = process.sh(("timeout -s KILL 60 lua5.4 %s %s"):format(
    scratch.file(SIGNALLED, ".lua"), way.host))
  text = text:gsub("%s+", " ")
  return text == STOPPED and "stops" or nil, { err = text }
end

-- ---------------------------------------------------------------- the table

local function cells()
  local text = scratch.read "lua/alicloud/manual/tasks.md"
  local heads, list = nil, {}
  for row in text:match "\n## The whole table\n\n(|.-)\n\n":gmatch "[^\n]+" do
    local words = {}
    for word in row:gmatch "|%s*([^|]-)%s*%f[|]" do words[#words + 1] = word end
    if not heads then
      heads = words
    elseif not words[1]:find "^%-+$" then
      for i = 2, #heads do
        list[#list + 1] = { event = words[1], state = heads[i], outcome = words[i] }
      end
    end
  end
  return list
end

-- One trial, within the loop.
local function carry_out(world, cell, state, seen)
  local loop, outcome = world.loop, nil
  local function start()
    return loop.spawn(function() return state.body(world, seen) end)
  end
  local function enter()
    if cell.state == "computing" then return loop.sleep(world.due - loop.now()) end
    repeat loop.sleep(0.002) until state.is_entered(world, seen)
  end
  local function look() outcome = outcome or state.judge(seen, world, cell.event) end
  seen.began = loop.now()
  world.due = seen.began + world.at
  events[cell.event](world, start, enter, look, seen)
  look()
  if cell.event == "fork" then return world.stays and "stays" or nil end
  return outcome
end

local function try(way, cell, state, at)
  local world, seen = new_world(way, cell, state, at), {}
  local host = require("spec.hosts.loops." .. way.host)
  local outcome = host.run(world.client, function() return carry_out(world, cell, state, seen) end)
  local was_in_it = state.is_entered(world, seen) and not seen.early
  world.client:close()
  world.listening:close()
  if world.accepted then world.accepted:close() end
  assert.same({}, world.loop.pollables())
  assert.is_nil(world.loop.timeout())
  return was_in_it, outcome, seen
end

local function outcome_of(way, cell)
  local state = assert(states[cell.state], cell.state)
  if cell.event .. cell.state == "interruptcomputing" then return stops_what_computes(way) end
  for _, at in ipairs(SOON) do
    local was_in_it, outcome, seen = try(way, cell, state, at)
    if was_in_it or at == SOON[#SOON] then return outcome, seen end
  end
end

describe("what ends a task", function()
  it("is told for each event and each state", function()
    assert.equal(36, #cells())
  end)

  for _, way in ipairs(WAYS) do
    for _, cell in ipairs(cells()) do
      it(("is as the manual says: %s while %s: %s"):format(cell.event, cell.state, way.name),
        function()
          local outcome, seen = outcome_of(way, cell)
          assert.equal(cell.outcome, outcome, core.encode { ok = seen.ok, took = seen.took,
            err = tostring(seen.err), run = seen.run })
        end)
    end
  end
end)
