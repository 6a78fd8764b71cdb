--- A command whose answers come from a recording: its options, and the surroundings in which it
--- runs. Nothing is sent, no key is read, and a wait takes no time.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local runtimes = require "alicloud.base.runtime"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.conformance.replay"
local replays = lazy.module "alicloud.conformance.replay"

local M = {}

-- What would tell others of things that do not happen, or vouch for them.
local OUTWARD = { "record", "anchor", "sign", "on_event", "store", "standby" }

-- A recording of elsewhere knows better than the environment of here which region is meant: that
-- of its first request.
local function region_of(args, replay)
  if args.region or args.to then return args.region end
  for _, exchange in ipairs(replay.recording.exchanges) do
    if exchange.region and exchange.product == "ebs" then return exchange.region end
  end
  local regions = replays.regions_of(replay.recording)
  return #regions == 1 and regions[1] or nil
end

--- Begins a replay: the surroundings of the command are those of the recording from now on.
---@param args table of argparse, with `replay`
---@param io alicloud.cli.Io
---@return alicloud.cli.Io
function M.begin(args, io)
  for _, name in ipairs(OUTWARD) do
    if args[name] then
      options.refuse(("--replay: cannot be given together with --%s: nothing happens in a replay")
        :format((name:gsub("_", "-"))))
    end
  end
  local replay, err = replays.open(args.replay, { mode = args.replay_mode or "lenient",
    read_file = runtimes.new(io.runtime).read_file })
  if not replay then options.refuse("--replay: " .. err.message) end
  args.region = region_of(args, replay)
  -- Whoever reads what is printed next must not take it for the world.
  io.err(fold.hang(io, ("alicloud-dr: a replay of %s: nothing is sent"):format(
    terminal.clean(args.replay, 300)), 4) .. "\n")
  return setmetatable({ replay = replay, transport = replay,
    runtime = tables.merged(io.runtime, replay:runtime()) }, { __index = io })
end

--- Tells what differed from the recording, if order and parameters were to be the same.
---@param args table of argparse
---@param io alicloud.cli.Io
function M.finish(args, io)
  if args.replay_mode ~= "strict" then return end
  local ok, message = io.replay:finish()
  if ok then return end
  for text in message:gmatch "[^\n]+" do
    io.err(fold.hang(io, "alicloud-dr: replay: " .. terminal.clean(text, 1000), 4) .. "\n")
  end
end

--- Refuses a journal that the run of a replay would have to ask others for.
---@param path string
function M.check_journal(path)
  if not stores.is_path(path) then
    options.refuse "--journal: in a replay it is a path of this machine"
  end
end

--- Where the run of a replay keeps its journal, unless it was said: a directory of its own, far
--- from those of real runs and from their locks.
---@param args table of argparse
---@param getenv fun(name: string): string|nil
---@return string path
function M.journal(args, getenv)
  if args.journal then
    M.check_journal(args.journal)
    return args.journal
  end
  local temporary = getenv "TMPDIR"
  local directory = ("%s/alicloud-dr-replay-%s"):format(
    temporary and temporary ~= "" and temporary or "/tmp", core.random_hex(6))
  local ok, err = files.make_directories(directory)
  if not ok then options.refuse("--journal: " .. err.message) end
  return directory .. "/run.jsonl"
end

--- What stands in for the programs of a playbook: none is started, since the recording does not
--- hold what came of it, and nobody wants to stop a service for a replay.
---@param io alicloud.cli.Io
---@return fun(command: string): boolean
function M.program(io)
  return function(command)
    io.err(fold.hang_command(io, "  | not started in a replay: " .. terminal.clean(command, 300),
      4) .. "\n")
    return true
  end
end

return M
