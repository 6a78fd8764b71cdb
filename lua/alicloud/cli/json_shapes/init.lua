--- Declares what each command prints with `--json`. The manual's topic `json` is generated from it,
--- and a spec checks the output of the commands against it.

local commands = require "alicloud.cli.commands"
local kinds = require "alicloud.cli.json_shapes.kinds"
local schema = require "alicloud.base.schema"
local shared = require "alicloud.cli.json_shapes.shared"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.cli.JsonOutput what a command may print
---@field [1] alicloud.cli.JsonField[] its fields; an object that has the first one is this output
---@field [2] string when it is printed
---@field open? boolean there may be other fields
---@field goes_on? boolean the command goes on after it, so the object has no exit code

M.SCHEMA_FIELD = { "schema", kinds.integer, "1; another number only where a field changes its "
  .. "meaning or goes" }
M.EXIT_FIELD = { "exit", kinds.integer, "the exit code" }

--- What every command prints where it fails.
M.FAILURE = { { { "error", shared.error, "" } }, "where it failed" }

--- Outputs by command; `fault` takes the first one that fits.
---@type table<string, alicloud.cli.JsonOutput[]>
M.COMMANDS = {}
for _, family in ipairs { "looking", "changing", "runs" } do
  for name, outputs in pairs(require("alicloud.cli.json_shapes." .. family)) do
    M.COMMANDS[name] = outputs
  end
end

--- All fields of an output, with `schema` and, unless the command goes on, `exit`.
---@param output alicloud.cli.JsonOutput
---@return alicloud.cli.JsonField[]
function M.order_of(output)
  local order = tables.copy(output[1])
  order[#order + 1] = M.SCHEMA_FIELD
  if not output.goes_on then order[#order + 1] = M.EXIT_FIELD end
  return order
end

-- The rule of each output that was asked for.
local rules = {}

local function rule_of(output)
  rules[output] = rules[output] or kinds.object(M.order_of(output))
  return rules[output]
end

local FIELD = schema.voice "field"
FIELD.element = "%s[%d]"

local OPEN = tables.merged(FIELD, {})
OPEN.unknown = nil

-- The output that an object is: the first one of whose first field the object has.
local function output_of(outputs, object)
  for _, output in ipairs(outputs) do
    if object[output[1][1][1]:gsub("%?$", "")] ~= nil then return output end
  end
  if object.error ~= nil then return M.FAILURE end
  return outputs[1]
end

--- What is wrong with a JSON object that a command printed; nil if nothing is.
---@param command string its name
---@param object table decoded
---@return string|nil
function M.fault(command, object)
  local output = output_of(M.COMMANDS[command] or {}, object)
  if not output then return ("command %s: nothing is declared of it"):format(command) end
  return schema.fields_fault(rule_of(output).fields, object, "", output.open and OPEN or FIELD)
end

--- The commands that print JSON, in the order of the help.
---@return string[]
function M.names()
  local names = {}
  for _, entry in ipairs(commands.LIST) do
    if M.COMMANDS[entry.name] then names[#names + 1] = entry.name end
  end
  return names
end

return M
