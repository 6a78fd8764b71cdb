--- The groups of a command about many groups: those that were typed, or all that fail over to a
--- region, without those of --exclude.

local dr = require "alicloud.dr"
local fold = require "alicloud.cli.fold"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local schema = require "alicloud.base.schema"
local sweeps = require "alicloud.dr.read.sweep"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

-- Columns of the mark and the blanks around it, in front of the message of `none`.
local MARGIN = 4

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

-- Warns of an --exclude that matches no group, since it may be mistyped. With --quiet only what is
-- not ok is printed, for timers.
local function tell_unmatched(word, ids, region, args, io)
  if args.quiet then return end
  local list = {}
  for i, id in ipairs(ids) do list[i] = { id = id } end
  local text = terminal.clean(group_names.alternatives(word, list,
    #args.group > 0 and "asked for are" or region .. " lists"), 1000)
  io.err(fold.hang(io, ("alicloud-dr: --exclude: %s leaves nothing out; %s"):format(
    schema.show(word), text), MARGIN) .. "\n")
end

local function without(ids, client, region, args, io)
  local left = ids
  for _, word in ipairs(args.exclude) do
    local excluded, err = group_names.id_of(client, region, word, io, "--exclude")
    if not excluded then return nil, err end
    local pattern, kept, matches = pattern_of(excluded), {}, false
    for _, id in ipairs(ids) do matches = matches or id:find(pattern) ~= nil end
    for _, id in ipairs(left) do
      if not id:find(pattern) then kept[#kept + 1] = id end
    end
    if not matches then tell_unmatched(word, ids, region, args, io) end
    left = kept
  end
  return left
end

-- The message that there is no group, and why; on a terminal in lines that fit it.
local function none(ids, region, args, io)
  if #ids == 0 then return "no group fails over to " .. region end
  local words = {}
  for i, word in ipairs(args.exclude) do words[i] = "--exclude " .. schema.show(word) end
  local text = terminal.clean(("no group is left: %s leaves out all of %s"):format(
    table.concat(words, ", "), tables.few(ids)), 1000)
  return fold.hang(io, (" "):rep(MARGIN) .. text, MARGIN):sub(MARGIN + 1)
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
---@return string? none the message that there is no group, and why; nil if there are groups
function M.groups(client, region, args, io)
  local all, err, listed = chosen(client, region, args, io)
  local ids = all
  if all then ids, err = without(all, client, region, args, io) end
  if not ids then return nil, err end
  local groups, side = {}, options.side(args)
  for i, id in ipairs(ids) do groups[i] = dr.group(client, id, { region = region, to = side }) end
  return groups, nil, listed, #ids == 0 and none(all, region, args, io) or nil
end

return M
