--- Finds groups by name (`name:orders` in place of an id), and suggests groups for an id or name
--- that is not listed. Names are looked up in one region, at either site.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local group_reads = require "alicloud.dr.read.groups"
local options = require "alicloud.cli.options"
local region_names = require "alicloud.cli.region_names"
local schema = require "alicloud.base.schema"
local terminal = require "alicloud.cli.terminal"

local M = {}

local PREFIX = "name:"
local MOST = 3
local MOST_LISTED = 5

local function shown(entry)
  return entry.name and entry.name ~= entry.id and ("%s (%s)"):format(entry.id, entry.name)
    or entry.id
end

-- The groups whose id or name is near to a word, the nearest first.
local function near_to(word, list)
  local found, left = {}, table.move(list, 1, #list, 1, {})
  while #found < MOST do
    local words, owners = {}, {}
    for i, entry in ipairs(left) do
      for _, text in ipairs { entry.id, entry.name } do
        words[#words + 1], owners[text] = text, i
      end
    end
    local nearest = #words > 0 and core.suggest(word, words)
    if not nearest then break end
    found[#found + 1] = shown(table.remove(left, owners[nearest]))
  end
  return found
end

local function some_of(list)
  local words = {}
  for i = 1, math.min(#list, MOST_LISTED) do words[i] = shown(list[i]) end
  local more = #list - #words
  return table.concat(words, ", ") .. (more > 0 and (" and %d more"):format(more) or "")
end

--- Suggestions for a word that names no group, as the end of a message.
---@param word string
---@param list { id: string, name: string? }[] the groups that could be meant
---@param lists string words in front of all of them, e.g. "cn-beijing lists"
---@return string
function M.alternatives(word, list, lists)
  if #list == 0 then return lists .. " no group" end
  local near = near_to(word, list)
  if #near > 0 then return ("did you mean %s?"):format(table.concat(near, " or ")) end
  return ("%s %s"):format(lists, some_of(list))
end

--- A message that a region does not list an id, with suggestions.
---@param client alicloud.Client
---@param region string
---@param id string
---@return string message one line
function M.not_listed(client, region, id)
  local list = group_reads.named(client, { region = region, lone_pairs = true })
  local meant = not list and region_names.meant(region)
  local rest = list and "; " .. M.alternatives(id, list, region .. " lists")
    or meant and ("; did you mean the region %s?"):format(meant) or ""
  return terminal.clean(("group: %s is not listed in %s%s"):format(id, region, rest), 1000)
end

-- The ids of groups with exactly this name: the service also lists those that contain it.
local function ids_of(client, region, name)
  local list, err = group_reads.named(client, { region = region, name = name, lone_pairs = true })
  if not list then return nil, err end
  local found = {}
  for _, entry in ipairs(list) do
    if entry.name == name then found[#found + 1] = entry.id end
  end
  return found
end

local function refuse_name(client, region, name, found, field)
  if #found > 1 then
    options.refuse(("%s: %s groups of %s are called %s; allowed: one of the ids %s"):format(field,
      #found, region, schema.show(name), table.concat(found, ", ")))
  end
  local list = group_reads.named(client, { region = region, lone_pairs = true }) or {}
  options.refuse(terminal.clean(("%s: no group of %s is called %s; %s"):format(field, region,
    schema.show(name), M.alternatives(name, list, region .. " lists")), 1000))
end

--- The id of a typed group: an id stays, `name:NAME` becomes the id of the only group of that name.
---@param client alicloud.Client
---@param region string
---@param typed string
---@param io alicloud.cli.Io gets a line with the id that a name stands for
---@param field? string the option or argument that an error names ("group")
---@return string|nil id
---@return alicloud.Error? err the region could not be read
function M.id_of(client, region, typed, io, field)
  if typed:sub(1, #PREFIX) ~= PREFIX then return typed end
  local name = typed:sub(#PREFIX + 1)
  local found, err = ids_of(client, region, name)
  if not found then return nil, err end
  if #found ~= 1 then refuse_name(client, region, name, found, field or "group") end
  io.err(("alicloud-dr: %s is %s in %s\n"):format(terminal.clean(typed), found[1], region))
  return found[1]
end

--- The typed group, at the side that --to names. Raises if the region cannot be read.
---@param client alicloud.Client
---@param region string
---@param typed string id or name
---@param args table with `to`
---@param io alicloud.cli.Io
---@return alicloud.dr.Group
function M.group(client, region, typed, args, io)
  local id, err = M.id_of(client, region, typed, io)
  if not id then error(err, 0) end
  return dr.group(client, id, { region = region, to = options.side(args) })
end

local PARAMS = { "group", "groups" }

local function has_name(value)
  if type(value) == "table" then
    for _, each in ipairs(value) do
      if has_name(each) then return true end
    end
    return false
  end
  return ("," .. tostring(value)):find(",%s*" .. PREFIX) ~= nil
end

local function replaced(value, replace)
  if type(value) ~= "table" then return (value:gsub("name:[^,]*", replace)) end
  local list = {}
  for i, each in ipairs(value) do list[i] = replaced(each, replace) end
  return list
end

--- Replaces names by ids in the parameters `group` and `groups` of a playbook.
---@param params table<string, any> changed
---@param open fun(): alicloud.Client, string a client and its region; called only if there is a
---name
---@param io alicloud.cli.Io
function M.resolve(params, open, io)
  for _, param in ipairs(PARAMS) do
    if params[param] ~= nil and has_name(params[param]) then
      local client <close>, region = open()
      params[param] = replaced(params[param], function(typed)
        local id, err = M.id_of(client, region, typed, io)
        if not id then error(err, 0) end
        return id
      end)
    end
  end
end

return M
