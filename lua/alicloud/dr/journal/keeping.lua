--- Copies a value as a journal will give it back. Parts that JSON cannot hold are reported by their
--- path (`result.v[3]`), so that the user can change them.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"

local M = {}

--- What a journal keeps, in words for messages.
M.ALLOWED = "text in UTF-8, numbers, booleans, lists without holes, and tables with names; "
  .. "up to 20 deep"

-- Less than the depth of a whole record, see journals.plain.
local DEPTH = 20
-- Most tables in one value: copies of a table in many places multiply. Most faults reported.
local MOST_TABLES, MOST_FAULTS = 200000, 5

---@class alicloud.dr.Keeping
---@field faults string[] "result.v[3]: got a function"
---@field above table<table, boolean> the tables around the present one
---@field tables integer how many tables were copied so far
local Keeping = {}
Keeping.__index = Keeping

local WORDS = { ["function"] = "a function", userdata = "a userdata", thread = "a coroutine" }

local function step_of(key)
  if type(key) == "string" then
    return key:find "^[%a_][%w_]*$" and "." .. key or ('["%s"]'):format(errors.clean(key))
  end
  return ("[%s]"):format(errors.clean(errors.text_of(key)))
end

function Keeping:fault(path, got)
  if #self.faults < MOST_FAULTS then self.faults[#self.faults + 1] = path .. ": got " .. got end
end

local function is_text(value)
  return utf8.len(value) ~= nil and not value:find("\0", 1, true)
end

-- Whether the fields of a table are all that it shows: an object with __pairs, or with a function
-- as __index, has others.
local function has_own_fields(value)
  local metatable = getmetatable(value)
  if metatable == nil or core.is_array(value) or errors.is_error(value) then return true end
  if type(metatable) ~= "table" then return false end
  local index = rawget(metatable, "__index")
  return (index == nil or type(index) == "table") and rawget(metatable, "__pairs") == nil
end

-- The length of a list; nil for a map; nil and a fault for a table that is neither.
local function length_of(value)
  local count, largest, names = 0, 0, 0
  for key in next, value do
    if math.type(key) == "integer" and key > 0 then
      count, largest = count + 1, math.max(largest, key)
    else
      names = names + 1
    end
  end
  if count == 0 then return core.is_array(value) and names == 0 and 0 or nil end
  if names > 0 then return nil, "a list that has names, too" end
  if largest > count then return nil, "a list with holes" end
  return count
end

function Keeping:list(value, length, path)
  local copy = {}
  for i = 1, length do
    local element = rawget(value, i)
    local kept = element
    if element ~= core.null then kept = self:value(element, ("%s[%d]"):format(path, i)) end
    -- A fault becomes null, so that the elements behind it keep their positions.
    if kept == nil then kept = core.null end
    copy[i] = kept
  end
  return core.array(copy)
end

function Keeping:map(value, path)
  local copy = {}
  for name, field in next, value do
    local below = path .. step_of(name)
    if type(name) ~= "string" or not is_text(name) then
      self:fault(below, type(name) == "string" and "a name that is no UTF-8"
        or ("a name that is a %s"):format(type(name)))
    elseif journals.is_secret_name(name) then
      copy[name] = journals.HIDDEN
    elseif field == core.null then
      self:fault(below, "null, which only a list keeps")
    else
      copy[name] = self:value(field, below)
    end
  end
  return copy
end

function Keeping:table(value, path)
  local length, odd = length_of(value)
  if self.above[value] then odd = "a table that it is in itself" end
  if not has_own_fields(value) then odd = "an object: " .. errors.words_of(value) end
  if self.depth == DEPTH then odd = ("more than %d tables in each other"):format(DEPTH) end
  self.tables = self.tables + 1
  if self.tables > MOST_TABLES then odd = ("more than %d tables"):format(MOST_TABLES) end
  if odd then return self:fault(path, odd) end
  self.above[value], self.depth = true, self.depth + 1
  local copy = length and self:list(value, length, path) or self:map(value, path)
  self.above[value], self.depth = nil, self.depth - 1
  return copy
end

function Keeping:value(value, path)
  local kind = type(value)
  if kind == "table" then return self:table(value, path) end
  if kind == "string" then
    if is_text(value) then return value end
    return self:fault(path, "bytes that are no text in UTF-8")
  end
  if kind == "number" and (value ~= value or value == math.huge or value == -math.huge) then
    return self:fault(path, value ~= value and "nan" or tostring(value))
  end
  if WORDS[kind] then return self:fault(path, value == core.null and "null" or WORDS[kind]) end
  return value
end

--- Makes a copy that a journal gives back unchanged, without the parts that it cannot keep. Values
--- under names that say secret are hidden.
---@param value any
---@param name string name of the value in messages
---@param most? integer most bytes of the value as JSON
---@return any copy nil: nothing of it can be kept
---@return string[] faults the parts that are left out: "result.v[3]: got a function"
function M.copy(value, name, most)
  local keeping = setmetatable({ faults = {}, above = {}, tables = 0, depth = 0 }, Keeping)
  local usual = type(value) == "table" and journals.usual_copy(value)
  local copy = usual or keeping:value(value, name)
  local has_bytes = most and (type(copy) == "table" or type(copy) == "string")
  local size = has_bytes and #core.encode(copy) or 0
  if not has_bytes or size <= most then return copy, keeping.faults end
  keeping:fault(name, ("%d bytes, which are more than %d"):format(size, most))
  return nil, keeping.faults
end

return M
