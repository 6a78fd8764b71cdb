--- Checks the parameters of operations by the rules in the service data: each one alone, and those
--- that depend on each other.

local core = require "alicloud.core"
local formats = require "alicloud.base.formats"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

local null = core.null
local VOICE = schema.voice("parameter", null)

---@class alicloud.Rule
---@field type "string"|"integer"|"boolean"|"ids"|"json_ids"|"list"|"map"
---@field doc string
---@field required? boolean
---@field default? any what the service uses if it is absent
---@field unit? string
---@field format? string for a string: a name in alicloud.base.formats' PARAMETER
---@field values? any[] the only values allowed
---@field any_case? boolean for a string with `values`: compared without case
---@field min? integer
---@field max? integer
---@field max_items? integer for a list or ids
---@field items? alicloud.Rule for a list
---@field fields? table<string, alicloud.Rule> for a map

local function alternatives(values)
  local words = {}
  for i, value in ipairs(values) do words[i] = tostring(value) end
  return table.concat(words, " or ")
end

local function is_one_of(values, value, any_case)
  for _, word in ipairs(values) do
    if word == value then return true end
    if any_case and word:lower() == value:lower() then return true end
  end
  return false
end

-- Functions that make a rule, by the type that the data gives.
local RULES = {}

function RULES.string(data)
  if not data.values then return formats.PARAMETER[data.format or "text"] end
  return schema.rule(alternatives(data.values), function(value)
    return type(value) == "string" and is_one_of(data.values, value, data.any_case)
  end)
end

local function integer_words(data)
  if data.values then return alternatives(data.values) end
  if data.min and data.max then return ("an integer from %d to %d"):format(data.min, data.max) end
  return data.min and ("an integer of at least %d"):format(data.min) or "an integer"
end

function RULES.integer(data)
  return schema.rule(integer_words(data), function(value)
    if type(value) == "string" and value:find("^%-?%d+$") then value = tonumber(value) end
    local number = type(value) == "number" and math.tointeger(value)
    return number and not (data.min and number < data.min or data.max and number > data.max)
      and (not data.values or is_one_of(data.values, number))
  end)
end

function RULES.boolean()
  return schema.rule(schema.boolean.allowed, function(value)
    return type(value) == "boolean" or value == "true" or value == "false"
  end)
end

-- Whether the number of ids and each id are allowed; if not, what was found, and what is allowed.
local function test_ids(ids, most, allowed)
  if #ids > most then return false, ("%d ids"):format(#ids) end
  local rule = formats.PARAMETER.id
  for _, id in ipairs(ids) do
    if not rule.test(id) then
      return false, schema.show(id) .. " in the list", allowed .. ", each " .. rule.allowed
    end
  end
  return true
end

function RULES.ids(data)
  local most = data.max_items or 100
  local allowed = ("1-%d ids, comma-separated text or a list"):format(most)
  return schema.rule(allowed, function(value)
    local ids = value
    if type(value) == "string" then
      ids = {}
      for id in (value .. ","):gmatch("(.-),") do ids[#ids + 1] = id end
    end
    if type(ids) ~= "table" or (tables.list_length(ids) or 0) == 0 then return false end
    return test_ids(ids, most, allowed)
  end)
end

-- An empty list is allowed: as a filter it matches nothing.
function RULES.json_ids(data)
  local most = data.max_items or 100
  local allowed = ("a list of at most %d ids, or its JSON text"):format(most)
  return schema.rule(allowed, function(value)
    local ids = value
    if type(value) == "string" then ids = core.decode(value) end
    if type(ids) ~= "table" or not tables.list_length(ids) then return false end
    return test_ids(ids, most, allowed)
  end)
end

local rule_of, rules_of

function RULES.list(data)
  local most, least = data.max_items or 100, data.required and 1 or 0
  local form = data.required and "a list of 1-%d" or "a list of at most %d"
  local rule = schema.rule(form:format(most), function(value)
    local length = type(value) == "table" and tables.list_length(value)
    if not length or length < least then return false end
    return length <= most, ("%d elements"):format(length)
  end)
  rule.each = data.items and rule_of(data.items)
  return rule
end

function RULES.map(data)
  local rule = schema.rule("a map of " .. table.concat(tables.keys(data.fields), ", "),
    schema.typed("table").test)
  rule.fields = rules_of(data.fields)
  return rule
end

function rule_of(data)
  local rule = RULES[data.type](data)
  return { allowed = rule.allowed, test = rule.test, each = rule.each, fields = rule.fields,
    required = data.required }
end

-- Rules by the data that they were made from, because every call needs them again.
local made = setmetatable({}, { __mode = "k" })

function rules_of(fields)
  local rules = made[fields]
  if rules then return rules end
  rules = {}
  for name, data in pairs(fields) do rules[name] = rule_of(data) end
  made[fields] = rules
  return rules
end

--- What a rule allows, as a text for messages.
---@param data alicloud.Rule
---@return string
function M.allowed(data)
  return rule_of(data).allowed
end

--- Checks one value.
---@param path string its name in messages
---@param data alicloud.Rule
---@param value any
---@return boolean|nil ok
---@return string? message names the parameter, the value and what is allowed
function M.check(path, data, value)
  local fault = schema.fault(rule_of(data), value, path, VOICE)
  if fault then return nil, fault end
  return true
end

--- Checks all parameters of an operation: none unknown, none missing, each allowed by its rule.
---@param fields table<string, alicloud.Rule>
---@param values table
---@return boolean|nil ok
---@return string? message
function M.check_fields(fields, values)
  local fault = schema.fields_fault(rules_of(fields), values, "", VOICE)
  if fault then return nil, fault end
  return true
end

local function effective(data, value)
  if value == nil or value == null then return data.default end
  if data.type == "boolean" and value == "true" then return true end
  return value
end

--- Checks parameters that others make required or forbidden.
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
        return nil, VOICE.wrong(name, schema.show(values[name]), "nothing " .. why)
      end
    end
  end
  return true
end

return M
