--- The recorder of a command with `--record`. A recording that fails never fails the command.

local options = require "alicloud.cli.options"
local recorder = require "alicloud.conformance.recording.recorder"
local schema = require "alicloud.base.schema"

local M = {}

-- Options that name other files of the command, which a recording must not overwrite.
local WRITTEN = { "journal", "output", "report", "events", "sign", "tls_key_log", "cleanup" }

local function plain(path)
  return (path:gsub("/%./", "/"):gsub("//+", "/"):gsub("^%./", ""))
end

local function check_others(args, name, path)
  for _, other in ipairs(path and WRITTEN or {}) do
    local taken = args[other]
    if type(taken) == "string" and plain(taken) == plain(path) then
      options.refuse(("--%s: got %s; allowed: the name of another file than --%s"):format(name,
        schema.show(path), (other:gsub("_", "-"))))
    end
  end
end

-- The options of a recording; nil if none was asked for.
local function read(args)
  local path, map = args.record, args.keep_map
  if not path and (map or args.drop_request_ids) then
    options.refuse(("%s: is about a recording; allowed: with --record"):format(
      map and "--keep-map" or "--drop-request-ids"))
  end
  if path == "" then options.refuse "--record: is empty; allowed: the name of a file" end
  if map == "" or map and plain(map) == plain(path) then
    options.refuse(("--keep-map: got %s; allowed: the name of another file than --record"):format(
      schema.show(map)))
  end
  check_others(args, "record", path)
  check_others(args, "keep-map", map)
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

--- The recorder of a command's clients; the first call opens it.
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
