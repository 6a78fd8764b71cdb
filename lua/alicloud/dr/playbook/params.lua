--- Reads the parameters of a playbook, which it declares at its head: from text (`max_rpo=20m`) or
--- Lua values. A wrong one is refused by name before the run has done anything.

local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local formats = require "alicloud.base.formats"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.journal.keeping"
local keeping = lazy.module "alicloud.dr.journal.keeping"
---@module "alicloud.dr.playbook.rows"
local rows = lazy.module "alicloud.dr.playbook.rows"
---@module "alicloud.dr.playbook.tiers"
local tiers = lazy.module "alicloud.dr.playbook.tiers"

local M = {}

---@class alicloud.dr.Param
---@field name string
---@field type "id"|"ids"|"region"|"place"|"duration"|"integer"|"count"|"count_or_ids"|"share"
---|"boolean"|"text"|"choice"|"disks"|"command"|"moment"|"tiers"|"rows"
---@field help string its purpose, one line
---@field required boolean?
---@field default any as it would be typed
---@field values string[]? the values of a choice
---@field columns alicloud.dr.Param[]? the columns of rows; the first is their key
---@field revisable boolean? it may change at any time of a run, since it only says which groups
---come when, and not what is done

--- Stands in the journal in place of a function, which has to be given again for a resume.
M.FUNCTION = "(function)"

local function list_of(value)
  if type(value) == "table" and #value > 0 then
    for _, text in ipairs(value) do
      if type(text) ~= "string" then return value end
    end
    value = table.concat(value, ",")
  end
  if type(value) ~= "string" then return value end
  local list = {}
  for word in (value .. ","):gmatch("%s*([^,]*),") do list[#list + 1] = word end
  return list
end

local function ids(value)
  local list = list_of(value)
  if type(list) ~= "table" or #list == 0 then return nil end
  for _, id in ipairs(list) do
    if not formats.ID.test(id) then return nil end
  end
  return list
end

local BOOLEANS = { yes = true, ["true"] = true, no = false, ["false"] = false }

local function boolean(value)
  if type(value) == "string" then return BOOLEANS[value] end
  if type(value) == "boolean" then return value end
end

local function whole(least)
  return function(value)
    local number = math.tointeger(tonumber(value))
    return number and number >= least and number <= 100000 and number or nil
  end
end

local integer = whole(1)

local count = whole(0)

local function share(value)
  local percent = type(value) == "string" and tonumber(value:match("^(%d+%.?%d*)%%$"))
  if percent then return percent > 0 and percent <= 100 and value or nil end
  return integer(value)
end

-- Reads one instance for all disks, or one for each: d-1:i-1,d-2:i-2.
local function disks(value)
  if formats.ID.test(value) then return value end
  local map = {}
  for key, word in pairs(type(value) == "table" and value or list_of(tostring(value))) do
    local disk, instance = key, word
    if math.type(key) == "integer" then
      disk, instance = tostring(word):match("^([^:]*):([^:]*)$")
    end
    if not formats.ID.test(disk) or not formats.ID.test(instance) or map[disk] then return nil end
    map[disk] = instance
  end
  return next(map) and map or nil
end

local function command(value)
  if schema.callable.test(value) then return value end
  local fine = type(value) == "string" and value:find("%S") and not value:find("%z")
  return fine and value ~= M.FUNCTION and value or nil
end

local TYPES = {
  id = formats.ID, region = formats.REGION, place = formats.PLACE, text = schema.text,
  ids = { allowed = "ids with a comma between, e.g. pg-a,pg-b", read = ids },
  duration = { allowed = duration.ALLOWED, read = duration.parse },
  moment = formats.MOMENT,
  integer = { allowed = "a whole number from 1 to 100000", read = integer },
  count = { allowed = "a whole number from 0 to 100000", read = count },
  count_or_ids = { allowed = "a whole number from 0 to 100000, or ids with a comma between",
    read = function(value) return count(value) or ids(value) end },
  share = { allowed = 'a whole number from 1, or a part such as "10%"', read = share },
  boolean = { allowed = "yes or no", read = boolean },
  disks = { allowed = "an instance, or DISK:INSTANCE with a comma between", read = disks },
  command = { allowed = "a command line for sh, or in Lua a function", read = command },
}

-- Types whose parameters may be given more than once.
local MANY = { ids = true, count_or_ids = true, disks = true, tiers = true, rows = true }

local MAKE = {}

function MAKE.choice(param)
  return schema.choice(table.unpack(param.values))
end

local function rule_of(param)
  return MAKE[param.type] and MAKE[param.type](param) or TYPES[param.type]
end

function MAKE.tiers()
  return { allowed = tiers.ALLOWED, read = tiers.read }
end

function MAKE.rows(param)
  return { allowed = rows.allowed(param.columns), read = function(value)
    return rows.read(value, param.columns, rule_of)
  end }
end

--- What may be given for a parameter, in words.
---@param param alicloud.dr.Param
---@return string
function M.allowed(param)
  return rule_of(param).allowed
end

local FIELDS = { name = schema.text, type = schema.text, help = schema.text,
  required = schema.boolean, revisable = schema.boolean,
  values = schema.typed "table", columns = schema.typed "table",
  default = schema.rule("what could be typed", function(value) return value ~= nil end) }

--- Checks the declarations of parameters; raises at the given level.
---@param where string
---@param list alicloud.dr.Param[]
---@param level integer
---@return alicloud.dr.Param[]
function M.declare(where, list, level)
  local seen = {}
  for i, param in ipairs(list) do
    local here = ("%s: parameter %d"):format(where, i)
    schema.check(here, param, FIELDS, level + 1)
    if not (param.name and param.name:find("^[%a_][%w_]*$")) or seen[param.name] then
      error(("%s: name: got %s; allowed: a word that is there once"):format(here,
        schema.show(param.name)), level + 1)
    end
    if not MAKE[param.type] and not TYPES[param.type] then
      error(("%s: type: got %s%s"):format(here, schema.show(param.type),
        schema.did_you_mean(param.type, TYPES)), level + 1)
    end
    if param.type == "rows" then M.declare(here, param.columns, level + 1) end
    seen[param.name] = param
  end
  return list
end

local VOICE = schema.voice "parameter"

local function is_repeated(value)
  return type(value) == "table" and #value > 1 and type(value[1]) == "string"
end

local function read_one(param, value)
  local rule = rule_of(param)
  if is_repeated(value) and not MANY[param.type] then
    return nil, ("parameter %s is there %d times; it is given once"):format(param.name, #value)
  end
  local read, why = schema.read(rule, value)
  if read ~= nil then return read end
  return nil, why and ("parameter %s: %s"):format(param.name, why)
    or VOICE.wrong(param.name, schema.show(value), rule.allowed)
end

-- Checks that a journal can keep the parameters, so that the next process gets the same.
local function check_kept(params, given)
  local _, faults = keeping.copy(M.written(given), "parameters")
  if not faults[1] then return params end
  local fault = faults[1]:gsub("^parameters%.", "parameter ")
  return nil, ("%s; allowed: %s"):format(fault, keeping.ALLOWED)
end

--- Names a given parameter that a playbook does not declare.
---@param list alicloud.dr.Param[]|nil nil: it declares none, and takes all
---@param given table<string, any>
---@return string|nil message
function M.stranger(list, given)
  local by_name = tables.index(list or {}, "name")
  local stranger = list and schema.stranger(by_name, given)
  return stranger ~= nil and VOICE.unknown("", tostring(stranger), by_name) or nil
end

--- Reads parameters. A playbook that declares none takes them all as they are.
---@param list alicloud.dr.Param[]|nil
---@param given table<string, any>
---@return table<string, any>|nil params read, with defaults
---@return string? message names the parameter, what was given and what is allowed
function M.read(list, given)
  if not list then return check_kept(given, given) end
  local message = M.stranger(list, given)
  if message then return nil, message end
  local params = {}
  for _, param in ipairs(list) do
    local name, value = param.name, given[param.name]
    if value == nil then value = param.default end
    if value ~= nil then
      params[name], message = read_one(param, value)
      if message then return nil, message end
    elseif param.required then
      return nil, ("parameter %s is missing: %s; allowed: %s"):format(name, param.help,
        M.allowed(param))
    end
  end
  return check_kept(params, given)
end

--- The parameters as the journal keeps them: functions are replaced by a placeholder.
---@param given table<string, any>|nil
---@return table<string, any>|nil
function M.written(given)
  if not given then return nil end
  local kept = {}
  for name, value in pairs(given) do
    kept[name] = schema.callable.test(value) and M.FUNCTION or value
  end
  return kept
end

--- The parameters from a journal, with the functions that are given anew.
---@param kept table<string, any>
---@param given table<string, any>|nil
---@return table<string, any>
function M.restored(kept, given)
  local params = {}
  for name, value in pairs(kept) do
    local own = (given or {})[name]
    params[name] = value == M.FUNCTION and own ~= nil and own or value
  end
  return params
end

-- The file that a command line begins with, if it is a path and does not exist. Other commands only
-- the shell can find.
local function missing_file(line)
  local file = type(line) == "string" and (line .. " "):match "^%s*([%w_./+-]+)[%s;|&]"
  if not file or not file:find("/", 1, true) then return nil end
  local _, _, why = core.look(file)
  return (why == "ENOENT" or why == "ENOTDIR") and file or nil
end

--- Names a parameter whose command begins with a file that does not exist, so that this is noticed
--- before the first change.
---@param list alicloud.dr.Param[]|nil
---@param values table<string, any> read
---@return string|nil message
function M.missing_program(list, values)
  for _, param in ipairs(list or {}) do
    local value = values[param.name]
    local file = param.type == "command" and missing_file(value)
    if file then return ("parameter %s: there is no file %s"):format(param.name, file) end
    for _, id in ipairs(param.type == "rows" and value and tables.keys(value) or {}) do
      local message = M.missing_program(param.columns, value[id])
      if message then return ("%s, for %s"):format(message, id) end
    end
  end
  return nil
end

return M
