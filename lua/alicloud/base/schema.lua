--- Options tables are checked at the door: an unknown key or a value of the wrong kind is a mistake
--- of the caller and raises there, with the nearest known name or the allowed form.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"

---@module "alicloud.base.tables"
local sorted = lazy.module "alicloud.base.tables"

local M = {}

---@class alicloud.schema.Rule
---@field test fun(value: any): boolean
---@field allowed string what the message says after "allowed:"
---@field secret? boolean the value is never shown

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

--- ` (did you mean "x"?)` or nothing.
---@param word any
---@param candidates table names as keys
---@return string
function M.did_you_mean(word, candidates)
  local nearest = type(word) == "string" and core.suggest(word, sorted.keys(candidates))
  return nearest and ('; did you mean "%s"?'):format(nearest) or ""
end

local function edit_distance(left, right)
  local row = {}
  for j = 0, #right do row[j] = j end
  for i = 1, #left do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #right do
      local change = diagonal + (left:byte(i) == right:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#right]
end

local TYPO = 2

--- The name that a word must be a misspelling of. `did_you_mean` is more generous: it advises, this
--- one is for refusing.
---@param word string
---@param candidates table names as keys
---@return string|nil
function M.misspelt(word, candidates)
  local found, least = nil, TYPO + 1
  for name in pairs(candidates) do
    if math.abs(#name - #word) <= TYPO then
      local distance = edit_distance(word, name)
      local nearer = distance < least or distance == least and found and name < found
      if nearer then found, least = name, distance end
    end
  end
  return found
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

local function complaint(where, name, value, rule, schema)
  if not rule then
    return ("%s: unknown option %s%s"):format(where, M.show(name), M.did_you_mean(name, schema))
  end
  local shown = rule.secret and "a " .. type(value) .. " (not shown)" or M.show(value)
  return ("%s: option %s: got %s; allowed: %s"):format(where, name, shown, rule.allowed)
end

--- Examines an options table without raising.
---@param where string what the options are for, begins the message
---@param given table|nil
---@param schema table<string, alicloud.schema.Rule>
---@return table|nil copy shallow copy of the options; nil if they are wrong
---@return string? message
function M.examine(where, given, schema)
  if given == nil then return {} end
  if type(given) ~= "table" then
    return nil, ("%s: options: got %s; allowed: a table"):format(where, M.show(given))
  end
  local copy, wrong = {}, nil
  for name, value in pairs(given) do
    local rule = schema[name]
    copy[name] = value
    if not (rule and rule.test(value)) and (not wrong or tostring(name) < tostring(wrong)) then
      wrong = name
    end
  end
  if wrong == nil then return copy end
  return nil, complaint(where, wrong, given[wrong], schema[wrong], schema)
end

--- Checks an options table; raises at the level of whoever called the public function.
---@param where string
---@param given table|nil
---@param schema table<string, alicloud.schema.Rule>
---@param level? integer as for `error`, seen from the caller of this function (default 2)
---@return table copy
function M.check(where, given, schema, level)
  local copy, message = M.examine(where, given, schema)
  if not copy then error(message, (level or 2) + 1) end
  return copy
end

return M
