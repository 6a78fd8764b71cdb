--- Help for the REPL: what the service data says, as text.

local parameters = require "alicloud.service.parameters"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.Help
---@field text string
local Help = {}

Help.__name = "alicloud.Help"
Help.__index = Help
Help.__tostring = function(help) return help.text end
Help.__len = function(help) return #help.text end
Help.__concat = function(left, right) return tostring(left) .. tostring(right) end

local function page(lines)
  return setmetatable({ text = table.concat(lines, "\n") }, Help)
end

local REGIONS = {
  source = "the region of the primary disks",
  destination = "the region of the secondary disks as they are now",
  group = "the region of the group",
  resource = "the region of the resource",
  either = "any region concerned",
}

-- Adds a text in lines that fit the width; lines after the first are indented.
local function wrap(lines, first, rest, text)
  local line, prefix = first, rest
  local empty = true
  for word in text:gmatch("%S+") do
    if not empty and utf8.len(line) + 1 + utf8.len(word) > 96 then
      lines[#lines + 1] = line
      line, empty = prefix, true
    end
    line = line .. (empty and "" or " ") .. word
    empty = false
  end
  lines[#lines + 1] = line
end

local function rule_text(rule)
  local text = ("%s: %s"):format(rule.doc, parameters.allowed(rule))
  if rule.unit then text = text .. " " .. rule.unit end
  if rule.items then
    local each = rule.items
    if each.type == "map" then
      text = text .. ", each { " .. table.concat(tables.keys(each.fields), " = …, ") .. " = … }"
    else
      text = text .. ", each " .. parameters.allowed(each)
    end
  end
  if rule.default ~= nil then text = text .. ("; %s if absent"):format(tostring(rule.default)) end
  return text
end

local function by_need(params)
  local names = tables.keys(params)
  table.sort(names, function(a, b)
    local first, second = params[a].required == true, params[b].required == true
    if first ~= second then return first end
    return a < b
  end)
  return names
end

local function add_params(lines, operation)
  lines[#lines + 1] = "Parameters (* required)"
  for _, name in ipairs(by_need(operation.params)) do
    local rule = operation.params[name]
    wrap(lines, ("  %s %-20s "):format(rule.required and "*" or " ", name), (" "):rep(25),
      rule_text(rule))
  end
  for _, depend in ipairs(operation.depends or {}) do
    lines[#lines + 1] = ("    with %s = %s: %s"):format(depend.on, tostring(depend.is),
      depend.need and depend.need .. " is required" or depend.refuse .. " is refused")
  end
end

local function add_response(lines, operation)
  lines[#lines + 1] = "Response"
  for _, field in ipairs(operation.response) do
    lines[#lines + 1] = ("    %-42s %s%s"):format(field[1], field[2],
      field[3] and ", " .. field[3] or "")
  end
end

local function add_error(lines, code, entry)
  wrap(lines, ("    %s (%d): "):format(code, entry.status), (" "):rep(6), entry.meaning)
  wrap(lines, "      → ", (" "):rep(8), entry.cure)
end

local function add_errors(lines, data, operation)
  lines[#lines + 1] = "Errors"
  for _, code in ipairs(operation.errors) do add_error(lines, code, data.errors[code]) end
end

local function add_states(lines, operation)
  for _, whose in ipairs(tables.keys(operation.legal_states or {})) do
    wrap(lines, ("Allowed while the %s is "):format((whose:gsub("_", " "))), "  ",
      table.concat(operation.legal_states[whose], ", "))
  end
end

local function about_operation(data, name)
  local operation = data.operations[name]
  local lines = { ("%s:%s"):format(data.product, name), "  " .. operation.summary, "" }
  wrap(lines, "Kind: ", "  ", (operation.mutating and "changes something" or "reads")
    .. (operation.token and "; takes a ClientToken, made when absent" or ""))
  if operation.params.RegionId then
    wrap(lines, "RegionId: ", "  ", REGIONS[operation.region]
      .. "; the client's region when it is absent")
  end
  add_states(lines, operation)
  if operation.ram then
    wrap(lines, "RAM: ", "  ", ("%s on %s%s%s"):format(operation.ram.action, operation.ram.resource,
      operation.ram.also and " or " .. operation.ram.also or "",
      operation.ram.inferred and " (inferred)" or ""))
  end
  if operation.paging then
    lines[#lines + 1] = ('Pages: for item in %s:each("%s", { … }) do … end'):format(data.product,
      name)
  end
  if operation.waiter then
    lines[#lines + 1] = ('Wait for the end with %s:wait("%s", { … })'):format(data.product,
      operation.waiter)
  end
  add_params(lines, operation)
  add_response(lines, operation)
  add_errors(lines, data, operation)
  return page(lines)
end

local function about_waiter(data, name)
  local definition = data.waiters[name]
  local lines = { ('%s:wait("%s", { … }, { timeout =, delay =, stall =, progress = })'):format(
    data.product, name) }
  wrap(lines, "  ", "  ", definition.doc)
  lines[#lines + 1] = ("Reads %s every %g s for at most %g s, with that operation's parameters")
    :format(definition.operation, definition.delay, definition.timeout)
  for _, kind in ipairs { "success", "failure", "transient" } do
    if #definition[kind] > 0 then
      wrap(lines, ("  %-10s "):format(kind), (" "):rep(13), table.concat(definition[kind], ", "))
    end
  end
  local nested = definition.nested
  if nested then
    lines[#lines + 1] = ("  and        %s is %s%s"):format(nested.field,
      table.concat(nested.success, ", "), nested.items and " in all " .. nested.items or "")
  end
  if definition.gone then lines[#lines + 1] = "  success    nothing is listed any more" end
  if definition.positive then
    lines[#lines + 1] = ("  success    %s is there"):format(definition.positive)
  end
  return page(lines)
end

local function about_error(data, code)
  local lines = {}
  add_error(lines, code, data.errors[code])
  local users = {}
  for _, name in ipairs(tables.keys(data.operations)) do
    for _, own in ipairs(data.operations[name].errors) do
      if own == code then users[#users + 1] = name end
    end
  end
  wrap(lines, "  Documented for ", "    ", #users > 0 and table.concat(users, ", ")
    or "no operation by name: it comes from the gateway")
  return page(lines)
end

local function overview(data)
  local lines = { ("%s %s"):format(data.product, data.version), "Operations" }
  for _, name in ipairs(tables.keys(data.operations)) do
    lines[#lines + 1] = ("  %-32s %s"):format(name, data.operations[name].summary)
  end
  lines[#lines + 1] = "Waiters"
  for _, name in ipairs(tables.keys(data.waiters)) do
    lines[#lines + 1] = ("  %-32s %s"):format(name, data.waiters[name].doc)
  end
  lines[#lines + 1] = ('%s:help "Name" tells more about an operation, a waiter or an error code.')
    :format(data.product)
  return page(lines)
end

--- What the data of a service says about a name.
---@param data table service data
---@param name? string operation, waiter or error code; all operations without it
---@return string? message if there is no such name; suggests the nearest one
---@return string? message if there is no such name, with the nearest one
function M.about(data, name)
  if name == nil then return overview(data) end
  if type(name) == "string" then
    if data.operations[name] then return about_operation(data, name) end
    if data.waiters[name] then return about_waiter(data, name) end
    if data.errors[name] then return about_error(data, name) end
  end
  local known = {}
  for _, kind in ipairs { "operations", "waiters", "errors" } do
    for each in pairs(data[kind]) do known[each] = true end
  end
  return nil, ("%s: no help for %s%s"):format(data.product, schema.show(name),
    schema.did_you_mean(name, known))
end

return M
