--- The rules of service data: what a parameter may hold, in words and as a check.
--
-- Ids are opaque: only their alphabet and length are checked, so that a new id shape of the service
-- does not lock anybody out.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.base.schema"

---@module "alicloud.base.tables"
local sorted = lazy.module "alicloud.base.tables"

local M = {}

local show = options.show
local null = core.null

---@class alicloud.Rule
---@field type "string"|"integer"|"boolean"|"ids"|"json_ids"|"list"|"map"
---@field doc string
---@field required? boolean
---@field default? any what the service takes when it is absent
---@field unit? string
---@field format? string of a string: a name in FORMATS
---@field values? any[] the only values allowed
---@field any_case? boolean of a string with `values`
---@field min? integer
---@field max? integer
---@field max_items? integer of a list or of ids
---@field items? alicloud.Rule of a list
---@field fields? table<string, alicloud.Rule> of a map

local function is_url(text)
  return text:find("^[Hh][Tt][Tt][Pp][Ss]?://") ~= nil
end

-- Characters, not bytes; text that is not UTF-8 has no length.
local function fits(text, min, max)
  local length = utf8.len(text)
  return length ~= nil and length >= min and length <= max
end

-- A letter is one of ASCII or anything beyond it, which is where the service allows Chinese.
local function is_name(text, others)
  return fits(text, 2, 128) and not is_url(text)
    and text:find("^[%a\x80-\xff][%w\x80-\xff" .. others .. "]*$") ~= nil
end

-- Each format has its words and its test.
local FORMATS = {
  region = { "a region id such as cn-shanghai (lower-case letters, digits and hyphens)",
    function(s) return #s <= 64 and s:find("^[a-z0-9%-]+$") end },
  id = { "an id of 1-64 letters, digits, hyphens, underscores and dots",
    function(s) return #s <= 64 and s:find("^[%w%-_%.]+$") end },
  token = { "1-64 printable ASCII characters",
    function(s) return #s <= 64 and s:find("^[\x20-\x7e]+$") end },
  text = { "text without control characters",
    function(s) return #s <= 4096 and not s:find("%c") end },
  name = { "2-128 letters, digits and : _ . - with a letter first, not http:// or https://",
    function(s) return is_name(s, ":_%.%-") end },
  group_name = { "2-128 letters, digits and : _ - with a letter first, not http:// or https://",
    function(s) return is_name(s, ":_%-") end },
  description = { "2-256 characters, not beginning with http:// or https://",
    function(s) return fits(s, 2, 256) and not s:find("%c") and not is_url(s) end },
  tag_key = { "1-128 characters without http:// and https://, not beginning with aliyun or acs:",
    function(s)
      local lower = s:lower()
      return fits(s, 1, 128) and not s:find("%c") and not lower:find("https?://")
        and not lower:find("^aliyun") and not lower:find("^acs:")
    end },
  tag_value = { "at most 128 characters without http:// and https://",
    function(s)
      return fits(s, 0, 128) and not s:find("%c") and not s:lower():find("https?://")
    end },
}

local function alternatives(values)
  local words = {}
  for i, value in ipairs(values) do words[i] = tostring(value) end
  return table.concat(words, " or ")
end

local ALLOWED = {}

function ALLOWED.string(rule)
  return rule.values and alternatives(rule.values) or FORMATS[rule.format or "text"][1]
end

function ALLOWED.integer(rule)
  if rule.values then return alternatives(rule.values) end
  if rule.min and rule.max then return ("an integer from %d to %d"):format(rule.min, rule.max) end
  return rule.min and ("an integer of at least %d"):format(rule.min) or "an integer"
end

function ALLOWED.boolean()
  return "true or false"
end

function ALLOWED.ids(rule)
  return ("1-%d ids, comma-separated text or a list"):format(rule.max_items or 100)
end

function ALLOWED.json_ids(rule)
  return ("a list of at most %d ids, or its JSON text"):format(rule.max_items or 100)
end

function ALLOWED.list(rule)
  local form = rule.required and "a list of 1-%d" or "a list of at most %d"
  return form:format(rule.max_items or 100)
end

function ALLOWED.map(rule)
  return "a map of " .. table.concat(sorted.keys(rule.fields), ", ")
end

--- What a rule allows, in words.
---@param rule alicloud.Rule
---@return string
function M.allowed(rule)
  return ALLOWED[rule.type](rule)
end

--- The length of a list, nil for a map.
---@param value table
---@return integer|nil
---@return string? reason why it is neither
function M.list_length(value)
  local count, largest, names = 0, 0, 0
  for key in pairs(value) do
    if math.type(key) == "integer" and key > 0 then
      count, largest = count + 1, math.max(largest, key)
    else
      names = names + 1
    end
  end
  if count == 0 then return (names == 0 or core.is_array(value)) and 0 or nil end
  if names > 0 then return nil, "it mixes list positions and names" end
  if count ~= largest then
    return nil, "the list has a hole; alicloud.null leaves a position empty"
  end
  return count
end

local list_length = M.list_length

local function fault(path, rule, value, more)
  more = more or {}
  return nil, ("parameter %s: got %s; allowed: %s%s"):format(path, more.got or show(value),
    M.allowed(rule), more.each or "")
end

local function is_one_of(values, value, any_case)
  for _, word in ipairs(values) do
    if word == value then return true end
    if any_case and word:lower() == value:lower() then return true end
  end
  return false
end

local CHECKS = {}

function CHECKS.string(path, rule, value)
  if type(value) ~= "string" then return fault(path, rule, value) end
  if rule.values then
    if is_one_of(rule.values, value, rule.any_case) then return true end
    return fault(path, rule, value)
  end
  local format = FORMATS[rule.format or "text"]
  if not format[2](value) then return fault(path, rule, value) end
  format.passed = value
  return true
end

function CHECKS.integer(path, rule, value)
  local number = value
  if type(value) == "string" and value:find("^%-?%d+$") then number = tonumber(value) end
  number = type(number) == "number" and math.tointeger(number)
  local outside = not number or rule.min and number < rule.min or rule.max and number > rule.max
    or rule.values and not is_one_of(rule.values, number)
  if outside then return fault(path, rule, value) end
  return true
end

function CHECKS.boolean(path, rule, value)
  if type(value) == "boolean" or value == "true" or value == "false" then return true end
  return fault(path, rule, value)
end

local function check_ids(path, rule, value, ids)
  if #ids > (rule.max_items or 100) then
    return fault(path, rule, value, { got = ("%d ids"):format(#ids) })
  end
  for _, id in ipairs(ids) do
    if type(id) ~= "string" or not FORMATS.id[2](id) then
      return fault(path, rule, value, {
        got = show(id) .. " in the list", each = ", each " .. FORMATS.id[1],
      })
    end
  end
  return true
end

function CHECKS.ids(path, rule, value)
  local ids
  if type(value) == "string" then
    ids = {}
    for id in (value .. ","):gmatch("(.-),") do ids[#ids + 1] = id end
  elseif type(value) == "table" then
    ids = (list_length(value) or 0) > 0 and value
  end
  if not ids then return fault(path, rule, value) end
  return check_ids(path, rule, value, ids)
end

-- An empty list is a filter that nothing passes, so it is let through.
function CHECKS.json_ids(path, rule, value)
  local ids = value
  if type(value) == "string" then ids = core.decode(value) end
  if type(ids) ~= "table" or not list_length(ids) then return fault(path, rule, value) end
  return check_ids(path, rule, value, ids)
end

function CHECKS.list(path, rule, value)
  local length = type(value) == "table" and list_length(value)
  if not length or rule.required and length == 0 then return fault(path, rule, value) end
  if length > (rule.max_items or 100) then
    return fault(path, rule, value, { got = ("%d elements"):format(length) })
  end
  for i = 1, rule.items and length or 0 do
    if value[i] ~= null then
      local ok, message = M.check(path .. "." .. i, rule.items, value[i])
      if not ok then return nil, message end
    end
  end
  return true
end

function CHECKS.map(path, rule, value)
  if type(value) ~= "table" then return fault(path, rule, value) end
  return M.check_fields(rule.fields, value, path)
end

--- Checks one value.
---@param path string its name in messages
---@param rule alicloud.Rule
---@param value any
---@return boolean|nil ok
---@return string? message names the parameter, the value and what is allowed
function M.check(path, rule, value)
  return CHECKS[rule.type](path, rule, value)
end

local function stranger_in(fields, values, prefix)
  local wrong
  for name in pairs(values) do
    if not fields[name] and (not wrong or tostring(name) < tostring(wrong)) then wrong = name end
  end
  if wrong == nil then return nil end
  local shown = type(wrong) == "string" and prefix .. wrong or wrong
  return ("unknown parameter %s%s"):format(show(shown), options.did_you_mean(wrong, fields))
end

local required = setmetatable({}, { __mode = "k" })

local function required_of(fields)
  local names = {}
  for name, rule in pairs(fields) do
    if rule.required then names[#names + 1] = name end
  end
  required[fields] = names
  return names
end

-- Looks at what is given, not at all that could be, and makes no message that could be needed.
-- Also whether all is text, as it is sent. The same region and the same group are given over and
-- over, and text that has passed passes again.
local function all_good(fields, values, prefix)
  local plain = true
  for name, value in pairs(values) do
    local rule = fields[name]
    if not rule then return false end
    local kind = rule.type
    local known = kind == "string" and not rule.values
      and FORMATS[rule.format or "text"].passed == value
    if not known then
      if value ~= null and not CHECKS[kind](prefix .. name, rule, value) then return false end
      plain = plain and kind == "string" and value ~= null
    end
  end
  local names = required[fields] or required_of(fields)
  for i = 1, #names do
    local value = values[names[i]]
    if value == nil or value == null then return false end
  end
  return true, plain
end

--- Checks the values of a map: no stranger, everything required, each value by its rule. The first
--- complaint in the order of names is given, so that it is the same every time.
---@param fields table<string, alicloud.Rule>
---@param values table
---@param path? string of the map
---@return boolean|nil ok
---@return string|boolean message, or whether all values are text
function M.check_fields(fields, values, path)
  local prefix = path and path .. "." or ""
  local good, plain = all_good(fields, values, prefix)
  if good then return true, plain end
  local stranger = stranger_in(fields, values, prefix)
  if stranger then return nil, stranger end
  local complaint, first
  for name, rule in pairs(fields) do
    local value = values[name]
    local ok, message
    if value == nil or value == null then
      ok = not rule.required
      message = not ok and ("parameter %s%s is required"):format(prefix, name)
    else
      ok, message = M.check(prefix .. name, rule, value)
    end
    if not ok and (not first or name < first) then first, complaint = name, message end
  end
  if first then return nil, complaint end
  return true, false
end

local function effective(rule, value)
  if value == nil or value == null then return rule.default end
  if rule.type == "boolean" and value == "true" then return true end
  return value
end

--- Checks what parameters ask of each other.
---@param operation table an entry of `operations` in the service data that has `depends`
---@param values table checked parameters
---@return boolean|nil ok
---@return string? message
function M.check_dependencies(operation, values)
  for _, depend in ipairs(operation.depends) do
    if effective(operation.params[depend.on], values[depend.on]) == depend.is then
      local name = depend.need or depend.refuse
      local given = values[name] ~= nil and values[name] ~= null
      local why = ("with %s = %s"):format(depend.on, tostring(depend.is))
      if depend.need and not given then
        return nil, ("parameter %s is required %s; allowed: %s"):format(name, why,
          M.allowed(operation.params[name]))
      end
      if depend.refuse and given then
        return nil, ("parameter %s: got %s; allowed: nothing %s"):format(name, show(values[name]),
          why)
      end
    end
  end
  return true
end

return M
