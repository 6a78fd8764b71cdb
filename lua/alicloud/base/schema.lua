--- Checks what is given by rules: options, parameters of a call or of a playbook, world files. A
--- message names the field, the value that was given, and what is allowed.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.schema.Rule
---@field allowed? string what is allowed, in words
---@field test? fun(value: any): boolean, string?, string? after false it may return, in its own
---words: what was given, what is allowed
---@field read? fun(value: any): any turns typed text into the value; nil: it is not allowed
---@field secret? boolean the value is never shown
---@field required? boolean of a field
---@field fields? table<string, alicloud.schema.Rule> of a table: the fields it may have
---@field each? alicloud.schema.Rule of every element of a list
---@field map? alicloud.schema.Rule of every value of a table whose keys are names
---@field type? string|string[] without `test`: Lua types, and "integer"
---@field values? any[] without `test`: the only values
---@field min? number without `test`
---@field max? number without `test`
---@field pattern? string without `test`: for the whole text; `allowed` says it in words

---@class alicloud.schema.Voice the wording of messages
---@field wrong fun(path: string, got: string, allowed: string): string
---@field missing fun(path: string, rule: alicloud.schema.Rule): string
---@field unknown? fun(prefix: string, name: any, fields: table): string nil: any name is allowed
---@field show fun(value: any): string
---@field element string format of an element's path, from the list's path and its number
---@field absent? any a value that counts as not given
---@field by_name? boolean unknown names are reported in the order of names; else before all others

local SHOWN = 80

--- How a value looks in a message: quoted, escaped, cut, never more than one line.
---@param value any
---@return string
function M.show(value)
  local kind = type(value)
  if kind == "string" then
    if value == "" then return '"" (empty string)' end
    local cut = #value > SHOWN and value:sub(1, SHOWN) .. "…" or value
    return '"' .. errors.clean(cut) .. '"'
  end
  if value ~= value then return "NaN (number)" end
  if kind == "number" or kind == "boolean" then return ("%s (%s)"):format(value, kind) end
  return kind == "nil" and "nothing" or "a " .. kind
end

local function nearest(word, words, form)
  local name = type(word) == "string" and core.suggest(word, words)
  return name and form:format(name) or ""
end

--- `; did you mean "x"?` or nothing.
---@param word any
---@param candidates table names as keys
---@return string
function M.did_you_mean(word, candidates)
  return nearest(word, tables.keys(candidates), '; did you mean "%s"?')
end

---@param allowed string
---@param test fun(value: any): boolean
---@return alicloud.schema.Rule
function M.rule(allowed, test)
  return { allowed = allowed, test = test }
end

---@param name string a Lua type
---@return alicloud.schema.Rule
function M.typed(name)
  return M.rule("a " .. name, function(value) return type(value) == name end)
end

M.boolean = M.rule("true or false", function(value) return type(value) == "boolean" end)

M.text = M.rule("text without control characters", function(value)
  return type(value) == "string" and value ~= "" and not value:find("%c")
end)

--- Text that never appears in a message.
M.secret = {
  allowed = "text without spaces or control characters",
  secret = true,
  test = function(value)
    if type(value) == "userdata" then return true end
    return type(value) == "string" and value ~= "" and not value:find("[%s%c]")
  end,
}

--- A duration in seconds.
---@param min number
---@param max number
---@return alicloud.schema.Rule
function M.seconds(min, max)
  return M.rule(("a number of seconds from %g to %g"):format(min, max), function(value)
    return type(value) == "number" and value >= min and value <= max
  end)
end

---@param min integer
---@param max integer
---@return alicloud.schema.Rule
function M.integer(min, max)
  return M.rule(("an integer from %d to %d"):format(min, max), function(value)
    return type(value) == "number" and math.tointeger(value) ~= nil
      and value >= min and value <= max
  end)
end

---@param ... string the allowed words
---@return alicloud.schema.Rule
function M.choice(...)
  local words, set = { ... }, {}
  for i, word in ipairs(words) do
    set[word] = true
    words[i] = '"' .. word .. '"'
  end
  return M.rule(table.concat(words, " or "), function(value) return set[value] == true end)
end

--- Something that can be called.
M.callable = M.rule("a function", function(value)
  if type(value) == "function" then return true end
  local mt = type(value) == "table" and getmetatable(value)
  return type(mt) == "table" and type(mt.__call) == "function"
end)

local function is_of_type(value, wanted)
  if type(wanted) == "table" then
    for _, name in ipairs(wanted) do
      if is_of_type(value, name) then return true end
    end
    return false
  end
  if wanted == "integer" then return math.type(value) == "integer" end
  if wanted == "number" then
    return type(value) == "number" and value == value and math.abs(value) ~= math.huge
  end
  return type(value) == wanted
end

local function written(value)
  if value == core.null then return "null" end
  if type(value) ~= "string" then
    local ok, text = pcall(tostring, value)
    return ok and text or errors.text_of(value)
  end
  return ("%q"):format(#value > SHOWN and value:sub(1, SHOWN) .. "…" or value)
end

local MEANT = ', did you mean "%s"?'

local function is_among(value, values)
  for _, allowed in ipairs(values) do
    if value == allowed then return true end
  end
  local texts, words = {}, {}
  for i, allowed in ipairs(values) do
    texts[i] = written(allowed)
    if type(allowed) == "string" then words[#words + 1] = allowed end
  end
  return false, written(value) .. nearest(value, words, MEANT),
    "one of " .. table.concat(texts, ", ")
end

-- The test of a rule that has none of its own: by type, values, range, pattern or list.
local function fits(value, rule)
  if rule.type and not is_of_type(value, rule.type) then
    local wanted = type(rule.type) == "table" and table.concat(rule.type, " or ") or rule.type
    return false, (value == core.null and "" or type(value) .. " ") .. written(value), wanted
  end
  if rule.values then return is_among(value, rule.values) end
  if type(value) == "number" then
    local min, max = rule.min, rule.max
    if min and value < min or max and value > max then
      return false, nil, max and ("from %s to %s"):format(min or "-inf", max)
        or ("at least %s"):format(min)
    end
  elseif type(value) == "string" and rule.pattern then
    return value:find("^" .. rule.pattern .. "$") ~= nil, nil, rule.allowed or rule.pattern
  elseif type(value) == "table" and rule.each then
    for key in pairs(value) do
      if math.type(key) ~= "integer" or key < 1 or key > #value then
        return false, "the field " .. written(key), "a list"
      end
    end
  end
  return true
end

--- The wording for options and parameters.
---@param noun string e.g. "option"
---@param absent? any a value that counts as not given
---@return alicloud.schema.Voice
function M.voice(noun, absent)
  return {
    wrong = function(path, got, allowed)
      return ("%s %s: got %s; allowed: %s"):format(noun, path, got, allowed)
    end,
    missing = function(path) return ("%s %s is required"):format(noun, path) end,
    unknown = function(prefix, name, fields)
      local shown = type(name) == "string" and prefix .. name or name
      return ("unknown %s %s%s"):format(noun, M.show(shown), M.did_you_mean(name, fields))
    end,
    show = M.show, element = "%s.%d", absent = absent,
  }
end

local OPTION = M.voice "option"
OPTION.by_name = true

-- The wording for fields of files.
local FIELD = {
  wrong = function(path, got, allowed)
    return ("%s: must be %s, got %s"):format(path, allowed, got)
  end,
  missing = function(path) return path .. ": is required" end,
  unknown = function(prefix, name, fields)
    if type(name) ~= "string" then
      return ("%s: unknown field %s"):format(prefix, written(name))
    end
    local names = tables.keys(fields)
    return ("%s: unknown field%s (allowed: %s)"):format(prefix .. name, nearest(name, names, MEANT),
      table.concat(names, ", "))
  end,
  show = written, element = "%s[%d]",
}

local BARE = M.voice ""
BARE.wrong = function(_, got, allowed) return ("got %s; allowed: %s"):format(got, allowed) end

local function map_fault(rule, value, path, voice)
  for key in pairs(value) do
    if type(key) ~= "string" then
      return ("%s: must have names, got the field %s"):format(path, voice.show(key))
    end
  end
  for _, key in ipairs(tables.keys(value)) do
    local fault = M.fault(rule, value[key], path .. "." .. key, voice)
    if fault then return fault end
  end
  return nil
end

local function list_fault(rule, list, path, voice)
  for i = 1, #list do
    local fault = list[i] ~= voice.absent
      and M.fault(rule, list[i], voice.element:format(path, i), voice)
    if fault then return fault end
  end
  return nil
end

--- What is wrong with a value, in words; nil: nothing is.
---@param rule alicloud.schema.Rule
---@param value any
---@param path string its name
---@param voice alicloud.schema.Voice
---@return string|nil
function M.fault(rule, value, path, voice)
  local test = rule.test or fits
  local ok, got, allowed = test(value, rule)
  if not ok then
    got = got or rule.secret and "a " .. type(value) .. " (not shown)" or voice.show(value)
    return voice.wrong(path, got, allowed or rule.allowed)
  end
  local each, map, fields = rule.each, rule.map, rule.fields
  if not (each or map or fields) or type(value) ~= "table" then return nil end
  if each then return list_fault(each, value, path, voice) end
  if map then return map_fault(map, value, path, voice) end
  return M.fields_fault(fields, value, path .. ".", voice)
end

--- `got …; allowed: …` of a value that a rule refuses, nil of one that it takes.
---@param rule alicloud.schema.Rule
---@param value any
---@return string|nil
function M.refusal(rule, value)
  return M.fault(rule, value, "", BARE)
end

--- Reads a value that was typed.
---@param rule alicloud.schema.Rule
---@param value any
---@return any nil if the rule refuses it
function M.read(rule, value)
  if rule.read then return rule.read(value) end
  if rule.test(value) then return value end
  return nil
end

local function order_of(name)
  return type(name) == "string" and name or errors.text_of(name)
end

--- The first name in a table that has no rule.
---@param fields table<string, alicloud.schema.Rule>
---@param values table
---@return any
function M.stranger(fields, values)
  local first
  for name in pairs(values) do
    if not fields[name] and (first == nil or order_of(name) < order_of(first)) then first = name end
  end
  return first
end

-- The required names of each table of rules, which is written once and checks many values.
local required = setmetatable({}, { __mode = "k" })

local function required_of(fields)
  local names = {}
  for name, rule in pairs(fields) do
    if rule.required then names[#names + 1] = name end
  end
  required[fields] = names
  return names
end

--- What is wrong with the fields of a table, nil if nothing is: the first in the order of names, so
--- that it is the same every time.
---@param fields table<string, alicloud.schema.Rule>
---@param values table
---@param prefix string of the names of fields
---@param voice alicloud.schema.Voice
---@return string|nil
function M.fields_fault(fields, values, prefix, voice)
  local absent, wrong, stranger = voice.absent, nil, nil
  -- Mostly nothing is wrong: paths are made only when it is known which field is wrong.
  for name, value in pairs(values) do
    local rule = fields[name]
    if not rule then
      -- Searched for once: there may be a great many unknown names.
      if stranger == nil and voice.unknown then stranger = M.stranger(fields, values) end
    elseif value ~= absent and M.fault(rule, value, "", voice) and not (wrong and wrong < name) then
      wrong = name
    end
  end
  local names = required[fields] or required_of(fields)
  for i = 1, #names do
    local name, value = names[i], values[names[i]]
    if (value == nil or value == absent) and not (wrong and wrong < name) then wrong = name end
  end
  if stranger ~= nil and not (voice.by_name and wrong and wrong < order_of(stranger)) then
    return voice.unknown(prefix, stranger, fields)
  end
  if not wrong then return nil end
  local value = values[wrong]
  if value == nil or value == absent then return voice.missing(prefix .. wrong, fields[wrong]) end
  return M.fault(fields[wrong], value, prefix .. wrong, voice)
end

--- Examines an options table without raising.
---@param where string what the options are for, begins the message
---@param given table|nil
---@param fields table<string, alicloud.schema.Rule>
---@param voice? alicloud.schema.Voice
---@return table|nil copy shallow copy of the options; nil if they are wrong
---@return string? message
function M.examine(where, given, fields, voice)
  if given == nil then return {} end
  if type(given) ~= "table" then
    return nil, ("%s: options: got %s; allowed: a table"):format(where, M.show(given))
  end
  local fault = M.fields_fault(fields, given, "", voice or OPTION)
  if fault then return nil, where .. ": " .. fault end
  return tables.copy(given)
end

--- Checks an options table; raises at the level of the public function's caller.
---@param where string
---@param given table|nil
---@param fields table<string, alicloud.schema.Rule>
---@param level? integer as for `error`, seen from the caller of this function (default 2)
---@return table copy
function M.check(where, given, fields, level)
  local copy, message = M.examine(where, given, fields)
  if not copy then error(message, (level or 2) + 1) end
  return copy
end

--- What is wrong with a table of a file, or of options with tables in them; nil if nothing is.
---@param value any
---@param fields table<string, alicloud.schema.Rule>
---@param path? string its name
---@return string|nil problem
function M.problem(value, fields, path)
  if type(value) ~= "table" then
    return ("%s: must be a table, got %s %s"):format(path or "value", type(value), written(value))
  end
  return M.fields_fault(fields, value, path and path .. "." or "", FIELD)
end

return M
