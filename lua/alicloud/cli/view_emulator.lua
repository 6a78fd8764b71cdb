--- What `alicloud-dr emulator` prints: where it is, and the lists that can be asked for.

local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local fold = require "alicloud.cli.fold"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local output = require "alicloud.cli.output"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.emulator.evidence"
local evidence = lazy.module "alicloud.emulator.evidence"
---@module "alicloud.emulator.scenarios"
local scenarios = lazy.module "alicloud.emulator.scenarios"
---@module "alicloud.cli.view_assumptions"
local view_assumptions = lazy.module "alicloud.cli.view_assumptions"

local M = {}

local MOST_SHOWN = 20

--- Prints the guesses that can be switched.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.assumptions(args, io)
  local switched = emulator.assumptions()
  if not args.json then
    io.out(view_assumptions.text(switched, evidence))
    return output.EXIT.done
  end
  local list = core.array {}
  for index, switch in ipairs(switched) do
    list[index] = { name = switch.name, default = switch.default, text = switch.text,
      values = switch.rule.values and core.array(switch.rule.values) or nil,
      evidence = evidence.of[switch.name] }
  end
  return output.json(io, output.EXIT.done, { assumptions = list })
end

--- Prints the scenarios.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.scenarios(args, io)
  local list = core.array {}
  for index, name in ipairs(scenarios.list()) do
    local scenario = scenarios.load(name)
    list[index] = { name = name, title = scenario.title, story = scenario.story }
  end
  if args.json then return output.json(io, output.EXIT.done, { scenarios = list }) end
  for _, scenario in ipairs(list) do
    io.out(("%-24s %s\n%s\n"):format(scenario.name, scenario.title,
      fold.hang(io, "  " .. scenario.story, 2)))
  end
  return output.EXIT.done
end

local function clock_text(clock)
  if clock.mode == "poll" then return ("clock moves %g s with each Describe"):format(clock.step) end
  if clock.mode == "manual" then return "clock stands until told" end
  if clock.mode == "real" then return "real time" end
  return ("clock runs %g times as fast"):format(clock.speed)
end

-- Region and zone, without repeating the region's name in the zone's.
local function place_text(place)
  local zone, start = place.zone, place.region .. "-"
  if zone:sub(1, #start) == start then zone = zone:sub(#start + 1) end
  return place.region .. "/" .. zone
end

local function group_line(group)
  return ("  %-16s %-16s %s → %s   %d %s\n"):format(
    group.id, group.status, place_text(group.source), place_text(group.destination), #group.pairs,
    #group.pairs == 1 and "pair" or "pairs")
end

-- Prints the first groups: enough to see that it is the right world, without pushing what follows
-- off the screen.
local function print_groups(io, groups)
  for i = 1, math.min(#groups, MOST_SHOWN) do io.out(group_line(groups[i])) end
  if #groups > MOST_SHOWN then io.out(("  and %d more\n"):format(#groups - MOST_SHOWN)) end
end

-- Export lines for a shell, and the value of a client's option `endpoint`.
local function endpoint_lines(listening)
  if not listening.endpoints then return "" end
  local exports, fields = {}, {}
  for index, region in ipairs(tables.keys(listening.endpoints)) do
    local url = listening.endpoints[region]
    exports[index] = ("  export EMULATOR_ENDPOINT_%s=%s\n"):format(
      region:upper():gsub("-", "_"), url)
    fields[index] = ('["%s"] = "%s"'):format(region, url)
  end
  return ("One port per region:\n%s  endpoint = { %s }\n\n"):format(
    table.concat(exports), table.concat(fields, ", "))
end

--- Prints where the emulator is, and how a client is pointed at it.
---@param emu alicloud.emulator.Emulator
---@param listening alicloud.emulator.Server
---@param args table
---@param io alicloud.cli.Io
function M.begun(emu, listening, args, io)
  local groups = emu.world.groups
  if args.json then
    local ids = core.array {}
    for index, group in ipairs(groups) do ids[index] = group.id end
    return io.out(json.encode {
      schema = output.SCHEMA, endpoint = listening.url,
      admin = listening.url .. "/_emulator/", port = listening.port,
      access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
      clock = emu.clock.mode, speed = emu.clock.speed, seed = emu.options.seed, groups = ids,
      endpoints = listening.endpoints,
    } .. "\n")
  end
  local title = ("alicloud-dr emulator (not the service) on %s, %s, seed %d"):format(
    listening.url, clock_text(emu.clock), emu.options.seed)
  io.out(fold.hang(io, title, 2) .. "\n\n")
  if args.assume_from then
    io.out(("  assumes what was seen: %s\n\n"):format(terminal.clean(args.assume_from, 300)))
  end
  print_groups(io, groups)
  io.out(("\nPoint a client at it:\n"
    .. "  export ALIBABA_CLOUD_ENDPOINT=%s\n"
    .. "  export ALIBABA_CLOUD_ACCESS_KEY_ID=%s\n"
    .. "  export ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s\n"
    .. "  export ALIBABA_CLOUD_REGION_ID=%s\n\n"
    .. "%sLedger of effects: %s/_emulator/ledger   Ctrl-C stops.\n"):format(
    listening.url, emu.access_key_id, emu.access_key_secret,
    groups[1] and groups[1].destination.region or "cn-shanghai", endpoint_lines(listening),
    listening.url))
end

return M
