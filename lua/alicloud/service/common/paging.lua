--- The parameters and the data of paging in Describe operations: by token, or by page number if the
--- caller asks for that.

local M = {}

M.next_token = {
  type = "string", format = "text",
  doc = "from the page before; page numbers are ignored with it",
}

--- Adds the parameters of paging to those of an operation.
---@param params table
---@param max integer the limit of MaxResults
---@return table params
function M.with_params(params, max)
  params.MaxResults = {
    type = "integer", min = 1, max = max, default = 10, doc = "items per page",
  }
  params.NextToken = M.next_token
  params.PageNumber = { type = "integer", min = 1, default = 1, doc = "numbered paging" }
  params.PageSize = {
    type = "integer", min = 1, max = 100, default = 10, doc = "items per numbered page",
  }
  return params
end

--- The data by which the pager reads page after page.
---@param items string path of the items in a response
---@param max integer the limit of MaxResults
---@return table paging
function M.of(items, max)
  return {
    items = items, input = "NextToken", output = "NextToken",
    limit = "MaxResults", max = max, default = 100,
    numbered = { page = "PageNumber", size = "PageSize", max = 100, total = "TotalCount" },
  }
end

return M
