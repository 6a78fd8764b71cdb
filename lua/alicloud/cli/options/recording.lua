--- `--record`, `--keep-map`, `--drop-request-ids`: what a command that talks to the service writes
--- down of it.

local M = {}

---@param command table of argparse
function M.add(command)
  command:option("--record", "Write every request and answer to the end of this file, with "
    .. "pseudonyms for ids, names and keys, so that it can be shown."):argname "<recording>"
  command:option("--keep-map", "Keep what the pseudonyms of --record stand for in this file, for "
    .. "you alone."):argname "<file>"
  command:flag("--drop-request-ids", "Give request ids pseudonyms in --record, too.")
end

--- What was typed.
---@param args table
---@param refuse fun(message: string) stops the command
---@return { path: string, keep_map: string?, drop_request_ids: boolean }|nil
function M.read(args, refuse)
  local path, map = args.record, args.keep_map
  if not path and (map or args.drop_request_ids) then
    refuse(("%s: is about a recording; allowed: with --record"):format(
      map and "--keep-map" or "--drop-request-ids"))
  end
  if path == "" then refuse "--record: is empty; allowed: the name of a file" end
  if map == "" or map and map == path then
    refuse(("--keep-map: got %q; allowed: the name of another file than --record"):format(map))
  end
  return path and { path = path, keep_map = map, drop_request_ids = args.drop_request_ids == true }
    or nil
end

return M
