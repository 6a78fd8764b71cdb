--- What the operations of compute share.

local M = {}

M.region = {
  type = "string", format = "region", required = true,
  doc = "region to ask; the endpoint follows it",
}

M.instance = { type = "string", format = "id", required = true, doc = "the instance" }

M.disk = { type = "string", format = "id", required = true, doc = "the disk" }

M.delete_with_instance = {
  type = "boolean", doc = "whether the disk is deleted together with its instance",
}

-- Used as a filter, so tags that only the vendor can set are allowed.
M.tag = {
  type = "list", max_items = 20,
  items = { type = "map", fields = {
    Key = { type = "string", format = "text", doc = "tag key" },
    Value = { type = "string", format = "text", doc = "tag value" },
  } },
  doc = "resources that carry all these tags",
}

--- Adds filters: texts that must be equal, and switches.
---@param params table
---@param texts table<string, string> name to doc
---@param switches table<string, string> name to doc
---@return table params
function M.with_filters(params, texts, switches)
  for name, doc in pairs(texts) do
    params[name] = { type = "string", format = "text", doc = doc }
  end
  for name, doc in pairs(switches) do params[name] = { type = "boolean", doc = doc } end
  params.Tag = M.tag
  params.Filter = {
    type = "list", max_items = 4,
    items = { type = "map", fields = {
      Key = { type = "string", format = "text", doc = "what to compare, e.g. CreationStartTime" },
      Value = { type = "string", format = "text", doc = "with what, e.g. 2026-11-22T03:00Z" },
    } },
    doc = "comparisons of times",
  }
  params.AdditionalAttributes = {
    type = "list", items = { type = "string", format = "text", doc = "an attribute" },
    doc = "attributes to show besides the usual ones",
  }
  return params
end

return M
