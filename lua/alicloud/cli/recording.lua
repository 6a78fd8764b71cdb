--- The recording of a command, where `--record` was typed. A command never fails for it.

local options = require "alicloud.cli.options"
local recorder = require "alicloud.conformance.recording.recorder"
local schema = require "alicloud.base.schema"

local M = {}

-- What was typed; nil if nothing is to be recorded.
local function read(args)
  local path, map = args.record, args.keep_map
  if not path and (map or args.drop_request_ids) then
    options.refuse(("%s: is about a recording; allowed: with --record"):format(
      map and "--keep-map" or "--drop-request-ids"))
  end
  if path == "" then options.refuse "--record: is empty; allowed: the name of a file" end
  if map == "" or map and map == path then
    options.refuse(("--keep-map: got %s; allowed: the name of another file than --record"):format(
      schema.show(map)))
  end
  return path and { path = path, keep_map = map, drop_request_ids = args.drop_request_ids == true }
    or nil
end

local function begin(args, runtime)
  local given = read(args)
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
    io.recorder = begin(args, runtime)
  end
  return io.recorder or nil
end

return M
