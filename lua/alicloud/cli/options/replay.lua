--- `--replay`: runs a command whose answers come from a recording. Nothing is sent, no key is read,
--- and a wait takes no time.

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

-- Options that would tell others of a replay or sign it.
local OUTWARD = { "record", "anchor", "sign", "on_event", "store", "standby" }

-- The region of the first recorded request, unless one was typed: the environment of this machine
-- need not fit a recording from elsewhere.
local function region_of(args, replay)
  if args.region or args.to then return args.region end
  for _, exchange in ipairs(replay.recording.exchanges) do
    if exchange.region and exchange.product == "ebs" then return exchange.region end
  end
  local regions = replays.regions_of(replay.recording)
  return #regions == 1 and regions[1] or nil
end

--- Opens the recording: the Io that it returns has its transport, clock and runtime.
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
  -- The reader of the output must not take it for the state of the real groups.
  io.err(fold.hang(io, ("alicloud-dr: a replay of %s: nothing is sent"):format(
    terminal.clean(args.replay, 300)), 4) .. "\n")
  return setmetatable({ replay = replay, transport = replay,
    runtime = tables.merged(io.runtime, replay:runtime()) }, { __index = io })
end

--- After a strict replay, prints on standard error what differed from the recording.
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

--- Refuses a journal in a shared store: a replay may ask nobody.
---@param path string
function M.check_journal(path)
  if not stores.is_path(path) then
    options.refuse "--journal: in a replay it is a path of this machine"
  end
end

--- The journal of a replayed run: the one that was typed, else one in a new directory under
--- $TMPDIR, apart from the journals and locks of real runs.
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

--- Takes the place of the programs of a playbook: it prints their lines and starts none, since the
--- recording does not hold their results and a replay must not stop a real service.
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
