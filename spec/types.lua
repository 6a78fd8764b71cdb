--- Declarations for editors, made from the service data: `make types` writes them, a spec fails
--- when they are not what this makes.

local rules = require "alicloud.service.parameters"
local sorted = require "alicloud.base.tables"

local M = {}

M.PRODUCTS = { "ebs", "ecs", "sts" }

local function fields_type(fields)
  local parts = {}
  for _, name in ipairs(sorted.keys(fields)) do
    parts[#parts + 1] = ("%s%s: string"):format(name, fields[name].required and "" or "?")
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function type_of(rule)
  if rule.values and not rule.any_case then
    local words = {}
    for i, value in ipairs(rule.values) do
      words[i] = type(value) == "string" and ('"%s"'):format(value) or tostring(value)
    end
    return table.concat(words, "|")
  end
  if rule.type == "ids" or rule.type == "json_ids" then return "string|string[]" end
  if rule.type == "list" then
    return rule.items.type == "map" and fields_type(rule.items.fields) .. "[]" or "string[]"
  end
  return rule.type
end

local function note_of(rule)
  local note = rule.doc
  if rule.type ~= "boolean" and (not rule.values or rule.any_case) then
    note = note .. "; " .. rules.allowed(rule)
  end
  if rule.unit then note = note .. (" (%s)"):format(rule.unit) end
  if rule.default ~= nil then note = note .. ("; %s if absent"):format(tostring(rule.default)) end
  return note
end

-- The client fills in its own region.
local function is_needed(name, rule)
  return rule.required == true and name ~= "RegionId"
end

-- What numbered pages take and give is declared once, in alicloud.client.pager.
local PAGE_PARAMS = { NextToken = true, PageNumber = true, PageSize = true }
local PAGE = { NextToken = true, PageNumber = true, PageSize = true, TotalCount = true,
  RequestId = true }

local function is_numbered(operation)
  return operation.params.PageNumber ~= nil
end

local function add_params(lines, prefix, operation)
  local numbered = is_numbered(operation)
  lines[#lines + 1] = ("---@class %sParams%s"):format(prefix,
    numbered and ": alicloud.PageParams" or "")
  for _, name in ipairs(sorted.keys(operation.params)) do
    local rule = operation.params[name]
    if not (numbered and PAGE_PARAMS[name]) then
      lines[#lines + 1] = ("---@field %s%s %s %s"):format(name,
        is_needed(name, rule) and "" or "?", type_of(rule), note_of(rule))
    end
  end
  lines[#lines + 1] = ""
end

-- "A.B[].C[]" becomes nodes: { fields, order, list, type, unit }.
local function tree_of(response)
  local root = { fields = {}, order = {} }
  for _, entry in ipairs(response) do
    local node = root
    for name, list in entry[1]:gmatch("([%w]+)(%[?%]?)") do
      if not node.fields[name] then
        node.fields[name] = { fields = {}, order = {}, list = list == "[]" }
        node.order[#node.order + 1] = name
      end
      node = node.fields[name]
    end
    node.type, node.unit = entry[2], entry[3]
  end
  return root
end

-- One class for all that is only acknowledged.
local function result_of(prefix, operation)
  return #operation.response == 1 and "alicloud.Answer" or prefix .. "Result"
end

local function add_result(lines, class, node, top, numbered)
  local own = { "---@class " .. class .. (numbered and ": alicloud.Page" or "") }
  for _, name in ipairs(node.order) do
    local field = node.fields[name]
    if numbered and PAGE[name] then goto continue end
    local kind = field.type
    if not kind then
      kind = class .. "." .. name
      add_result(lines, kind, field)
    end
    local sure = top and (field.list or name == "RequestId")
    own[#own + 1] = ("---@field %s%s %s%s%s"):format(name, sure and "" or "?", kind,
      field.list and "[]" or "", field.unit and " " .. field.unit or "")
    ::continue::
  end
  own[#own + 1] = ""
  table.move(own, 1, #own, #lines + 1, lines)
end

local function add_method(lines, space, name, operation)
  local optional, prefix = "?", space .. "." .. name
  for param, rule in pairs(operation.params) do
    if is_needed(param, rule) then optional = "" end
  end
  lines[#lines + 1] = "---" .. operation.summary
  lines[#lines + 1] = ("---@field %s fun(self: %s.Service, params%s: %sParams, "
    .. "call_options?: alicloud.CallOptions): %s|nil, alicloud.Error?")
    :format(name, space, optional, prefix, result_of(prefix, operation))
end

local function add_alias(lines, name, words)
  lines[#lines + 1] = "---@alias " .. name
  for _, word in ipairs(words) do lines[#lines + 1] = ('---| "%s"'):format(word) end
  lines[#lines + 1] = ""
end

local function begin(what, data)
  return { "---@meta", "",
    ("--- %s of %s %s. Made by `make types` from the service data; change that instead.")
      :format(what, data.product, data.version), "" }
end

local function space_of(data)
  return "alicloud." .. data.product
end

-- By the end of the file's name.
local TEXTS = {}

function TEXTS._shapes(data)
  local lines = begin("Parameters and results of operations", data)
  for _, name in ipairs(sorted.keys(data.operations)) do
    local operation, prefix = data.operations[name], space_of(data) .. "." .. name
    add_params(lines, prefix, operation)
    local result = result_of(prefix, operation)
    if result ~= "alicloud.Answer" then
      add_result(lines, result, tree_of(operation.response), true, is_numbered(operation))
    end
  end
  lines[#lines] = nil
  return table.concat(lines, "\n") .. "\n"
end

TEXTS[""] = function(data)
  local lines, space = begin("The service", data), space_of(data)
  local names, pageable = sorted.keys(data.operations), {}
  for _, name in ipairs(names) do
    if data.operations[name].paging then pageable[#pageable + 1] = name end
  end
  add_alias(lines, space .. ".Pageable", pageable)
  add_alias(lines, space .. ".Waiter", sorted.keys(data.waiters))
  for _, line in ipairs {
    ("---@class %s.Service : alicloud.Service"):format(space),
    ("---@field each fun(self: %s.Service, action: %s.Pageable, params?: table, "
      .. "call_options?: table): fun(): table|nil, table"):format(space, space),
    ("---@field wait fun(self: %s.Service, name: %s.Waiter, params: table, "
      .. "wait_options?: alicloud.waiter.Options): table|nil, alicloud.Error?")
      :format(space, space),
  } do
    lines[#lines + 1] = line
  end
  for _, name in ipairs(names) do add_method(lines, space, name, data.operations[name]) end
  return table.concat(lines, "\n") .. "\n"
end

--- The declarations of a product: its operations, and what they take and give.
---@param product string
---@return table<string, string> texts by their paths from the root of the tree
function M.texts(product)
  local texts = {}
  for ending, text in pairs(TEXTS) do
    texts[("lua/alicloud/service/%s%s.d.lua"):format(product, ending)] =
      text(require("alicloud.service." .. product))
  end
  return texts
end

--- Writes the declarations of all products.
function M.write()
  for _, product in ipairs(M.PRODUCTS) do
    for path, text in pairs(M.texts(product)) do
      local file = assert(io.open(path, "wb"))
      assert(file:write(text))
      assert(file:close())
    end
  end
end

return M
