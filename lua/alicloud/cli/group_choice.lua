--- The groups of a command about many groups: those that were typed, or all that fail over to a
--- region, without those of --exclude.

local dr = require "alicloud.dr"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local sweeps = require "alicloud.dr.read.sweep"

local M = {}

--- Adds the argument `group` and the options.
---@param command table of argparse
function M.add(command)
  command:argument("group", "Group ids, or name:NAME; without any, every group that fails over to "
    .. "the region."):args "*"
  command:option("--exclude", "Leave a group out: an id, name:NAME, or an id with * in it; again "
    .. "for another one."):argname "<group>":count "*"
  command:flag("--quiet", "Print only what is not ok; a timer mails nothing then.")
end

--- Refuses wrong ids and patterns before any request is sent.
---@param args table
function M.check(args)
  for _, id in ipairs(args.group) do options.group_id(id) end
  for _, word in ipairs(args.exclude) do
    if word == "*" then options.refuse '--exclude: got "*"; allowed: less than all groups' end
    options.group_id((word:gsub("%*", "x")), "--exclude")
  end
end

-- A Lua pattern for an id in which "*" stands for any text.
local function pattern_of(word)
  return "^" .. word:gsub("[%-%.%+%[%]%(%)%$%^%%%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

-- The groups without --exclude, each once: Prometheus takes no file with a metric twice.
local function chosen(client, region, args, io)
  local ids, known = {}, {}
  for _, typed in ipairs(args.group) do
    local id, err = group_names.id_of(client, region, typed, io)
    if not id then return nil, err end
    if not known[id] then known[id], ids[#ids + 1] = true, id end
  end
  if #ids > 0 then return ids end
  local listed, err = sweeps.read(client, region)
  if not listed then return nil, err end
  return listed:unit_ids(), nil, listed
end

local function without(ids, client, region, args, io)
  local left, patterns = {}, {}
  for i, word in ipairs(args.exclude) do
    local id, err = group_names.id_of(client, region, word, io)
    if not id then return nil, err end
    patterns[i] = pattern_of(id)
  end
  for _, id in ipairs(ids) do
    local excluded = false
    for _, pattern in ipairs(patterns) do excluded = excluded or id:find(pattern) ~= nil end
    if not excluded then left[#left + 1] = id end
  end
  return left
end

--- The groups of the command.
---@param client alicloud.Client
---@param region string
---@param args table of argparse, also with `to`, the side that is meant
---@param io alicloud.cli.Io
---@return alicloud.dr.Group[]|nil
---@return alicloud.Error? err the region could not be read
---@return alicloud.dr.Sweep? listed what was read of the region, if all of its groups were asked
---for
function M.groups(client, region, args, io)
  local ids, err, listed = chosen(client, region, args, io)
  if ids then ids, err = without(ids, client, region, args, io) end
  if not ids then return nil, err end
  local groups, side = {}, options.side(args)
  for i, id in ipairs(ids) do groups[i] = dr.group(client, id, { region = region, to = side }) end
  return groups, nil, listed
end

--- The message that no group is left.
---@param region string
---@param args table
---@return string
function M.none(region, args)
  return ("no group fails over to %s%s"):format(region,
    #args.exclude > 0 and " but what --exclude leaves out" or "")
end

return M
