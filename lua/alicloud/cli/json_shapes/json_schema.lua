--- Turns the declarations of JSON output into a JSON Schema (draft 2020-12).

local core = require "alicloud.core"
local shapes = require "alicloud.cli.json_shapes"

local M = {}

local function key_of(name)
  return (name:gsub(" ", "_"))
end

local of_rule

local function of_order(order, definitions)
  local properties, required = {}, core.array {}
  for _, field in ipairs(order) do
    local name, optional = field[1]:match "^([^?]+)(%??)$"
    properties[name] = of_rule(field[2], definitions)
    if optional == "" then required[#required + 1] = name end
  end
  return { type = "object", properties = properties, required = required }
end

-- An object with a name is defined once and referred to elsewhere.
local function of_named(rule, definitions)
  local key = key_of(rule.named)
  if not definitions[key] then
    definitions[key] = true
    definitions[key] = of_order(rule.order, definitions)
  end
  return { ["$ref"] = "#/$defs/" .. key }
end

function of_rule(rule, definitions)
  if rule.named then return of_named(rule, definitions) end
  if rule.order then return of_order(rule.order, definitions) end
  if rule.each then return { type = "array", items = of_rule(rule.each, definitions) } end
  if rule.map then
    return { type = "object", additionalProperties = of_rule(rule.map, definitions) }
  end
  if rule.values then return { enum = core.array(rule.values) } end
  return rule.type and { type = rule.type } or true
end

--- The whole schema; `#/$defs/command_NAME` describes what the command NAME prints.
---@return table
function M.document()
  local definitions = {}
  local failure = of_order(shapes.order_of(shapes.FAILURE), definitions)
  for _, name in ipairs(shapes.names()) do
    local list = core.array {}
    for i, output in ipairs(shapes.COMMANDS[name]) do
      list[i] = of_order(shapes.order_of(output), definitions)
    end
    list[#list + 1] = failure
    definitions["command_" .. name] = { anyOf = list }
  end
  return { ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
    title = "What alicloud-dr prints with --json", ["$defs"] = definitions }
end

return M
