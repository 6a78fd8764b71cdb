--- Makes lists of the fields of responses. A name stands for a text; others are written as
--- { path, type, unit? }.

local M = {}

--- The response of an operation that returns only a request id.
M.accepted = { { "RequestId", "string" } }

local function append(list, prefix, fields)
  for _, field in ipairs(fields) do
    if type(field) == "string" then field = { field, "string" } end
    list[#list + 1] = { prefix .. field[1], field[2], field[3] }
  end
  return list
end

--- The fields of a response.
---@param fields (string|table)[]
---@return table[]
function M.of(fields)
  return append({}, "", fields)
end

--- The fields of a page of items: those of an item, then those of paging.
---@param prefix string path of an item, with its dot
---@param fields (string|table)[] paths within an item
---@return table[]
function M.page(prefix, fields)
  return append(append({}, prefix, fields), "", {
    "NextToken", { "PageNumber", "integer" }, { "PageSize", "integer" },
    { "TotalCount", "integer" }, "RequestId",
  })
end

return M
