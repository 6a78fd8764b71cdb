--- The recording of a command, where `--record` was typed. A command never fails for it.

local options = require "alicloud.cli.options"
local recorder = require "alicloud.conformance.recording.recorder"
local recording_options = require "alicloud.cli.options.recording"

local M = {}

local function begin(args, io, runtime)
  local given = recording_options.read(args, options.refuse)
  if not given then return false end
  local made, message = recorder.open(given.path, { command = args.typed_words,
    keep_map = given.keep_map, drop_request_ids = given.drop_request_ids, now = runtime.time,
    warn = runtime.warn })
  if not made then runtime.warn("nothing is recorded: " .. message) end
  return made or false
end

--- The recorder of a command's clients; the first one opens it.
---@param args table of argparse
---@param io alicloud.cli.Io
---@param runtime alicloud.Runtime
---@return alicloud.recording.Recorder|nil
function M.recorder(args, io, runtime)
  if io.recorder == nil then
    io.recorder = false
    io.recorder = begin(args, io, runtime)
  end
  return io.recorder or nil
end

return M
