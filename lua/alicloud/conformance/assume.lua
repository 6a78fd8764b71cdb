--- Reads the file of a conformance run, to set an emulator to what was seen of a service.

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"
local world_schema = require "alicloud.emulator.model.world_schema"

local M = {}

--- The value of the field `format`.
M.FORMAT = "alicloud-dr conformance 1"

---@class alicloud.conformance.File
---@field format string
---@field tool string
---@field account? string a pseudonym
---@field regions string[]
---@field started string
---@field tier string
---@field assume table<string, any> values by name of the switch
---@field messages table<string, { status: integer, text: string }> by error code
---@field timings table<string, number|{ min: number, median: number, max: number }> seconds
---@field unknown string[] names of undecided assumptions
---@field evidence table[] each with name, verdict, value, assumed, reason and calls

---@class alicloud.conformance.Assumed options of an emulator
---@field assume table<string, any>
---@field messages table<string, { status: integer, text: string }>
---@field timings table<string, number> seconds, for the description of its world

local FIELDS = { format = true, tool = true, account = true, regions = true, started = true,
  tier = true, assume = true, messages = true, timings = true, unknown = true, evidence = true }

local function head_problem(file)
  if type(file) ~= "table" or core.is_array(file) then return "it is no JSON object" end
  if file.format ~= M.FORMAT then
    return ("field format: got %s; allowed: %s"):format(schema.show(file.format),
      schema.show(M.FORMAT))
  end
  for _, name in ipairs(tables.keys(file)) do
    if not FIELDS[name] then
      return ("field %s: is not known; allowed: %s"):format(schema.show(name),
        table.concat(tables.keys(FIELDS), ", "))
    end
  end
  for _, name in ipairs { "assume", "messages", "timings" } do
    local value = file[name]
    if value ~= nil and (type(value) ~= "table" or core.is_array(value) and #value > 0) then
      return ("field %s: got %s; allowed: an object"):format(name, schema.show(value))
    end
  end
end

local MOST_TEXT = 2000

local function message_problem(code, message)
  local where = "field messages." .. code
  if type(message) ~= "table" then
    return ("%s: got %s; allowed: an object with status and text"):format(where,
      schema.show(message))
  end
  local status, text = message.status, message.text
  if math.type(status) ~= "integer" or status < 400 or status > 599 then
    return ("%s.status: got %s; allowed: a whole number from 400 to 599"):format(where,
      schema.show(status))
  end
  if type(text) ~= "string" or #text > MOST_TEXT or text:find "%c" then
    return ("%s.text: got %s; allowed: text of one line"):format(where, schema.show(text))
  end
end

local function read_messages(given)
  local all = {}
  for _, code in ipairs(tables.keys(given or {})) do
    local problem = message_problem(code, given[code])
    if problem then return nil, problem end
    all[code] = { status = given[code].status, text = given[code].text }
  end
  return all
end

local function read_timings(given)
  local all = {}
  for _, name in ipairs(tables.keys(given or {})) do
    local value = given[name]
    if type(value) == "table" then value = value.median end
    if not world_schema.TIMINGS[name] then
      return nil, ("field timings.%s: is not known; allowed: %s"):format(name,
        table.concat(tables.keys(world_schema.TIMINGS), ", "))
    end
    if type(value) ~= "number" or value < 0 or value >= math.huge or value ~= value then
      return nil, ("field timings.%s: got %s; allowed: seconds of at least 0"):format(name,
        schema.show(value))
    end
    all[name] = value
  end
  return all
end

--- Puts measured timings into the description of a world.
---@param world table a description
---@param timings table<string, number> seconds
---@return table world a copy
function M.in_world(world, timings)
  return tables.merged(world, { timings = tables.merged(world.timings or {}, timings) })
end

--- Reads the text of the file of a run.
---@param text string
---@return alicloud.conformance.Assumed|nil
---@return string? problem names the field, what was given and what is allowed
function M.read(text)
  local file, problem = core.decode(text)
  problem = problem or head_problem(file)
  if problem then return nil, problem end
  local changes = tables.copy(file.assume or {})
  local settings, wrong = switches.apply({}, changes, "assumed")
  if not settings then return nil, "field assume: " .. wrong end
  local messages, timings
  messages, problem = read_messages(file.messages)
  if not messages then return nil, problem end
  timings, problem = read_timings(file.timings)
  if not timings then return nil, problem end
  return { assume = changes, messages = messages, timings = timings }
end

return M
