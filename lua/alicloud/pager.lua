--- Going over the items of a paged Describe operation.
--
-- A page is fetched only when the one before is used up. A server that hands out a token twice
-- would keep us for ever, so that is an error; so is a page count nobody can have meant.

local core = require "alicloud.core"
local errors = require "alicloud.error"
local guard = require "alicloud.guard"
local options = require "alicloud.options"

local M = {}

local DEFAULT_MAX_PAGES = 1000
local MAX_PAGES = options.integer(1, 1000000)

--- Takes `max_pages` out of a call's options.
---@param given? table
---@return table|nil call_options
---@return any max_pages
function M.split_options(given)
  if type(given) ~= "table" or given.max_pages == nil then return given, nil end
  local rest = {}
  for name, value in pairs(given) do rest[name] = value end
  rest.max_pages = nil
  return rest, given.max_pages
end

local function fault(scope, code, message)
  return errors.new {
    kind = code == "Client.MalformedPage" and "decode" or "limit",
    code = code,
    message = message,
    product = scope.product,
    action = scope.action,
  }
end

local function first_params(paging, params)
  local copy = {}
  for name, value in pairs(params or {}) do copy[name] = value end
  if paging.limit and copy[paging.limit] == nil then copy[paging.limit] = paging.default end
  return copy
end

local function next_token(paging, page)
  local token = page[paging.output]
  return token ~= nil and token ~= "" and token or nil
end

---@class alicloud.pager.Scope
---@field max_pages? integer default 1000
---@field product? string for messages
---@field action? string

--- Makes the four values of a generic `for`. Errors are raised as error objects.
---@param fetch fun(params: table): table|nil, alicloud.Error?
---@param paging table `items`, `input`, `output`, `limit`, `default` of the service data
---@param params? table
---@param scope? alicloud.pager.Scope
---@return fun(): table|nil, table item and the page it is from
---@return nil
---@return nil
---@return table closing
function M.each(fetch, paging, params, scope)
  scope = scope or {}
  if scope.max_pages ~= nil and not MAX_PAGES.test(scope.max_pages) then
    error(("max_pages: got %s; allowed: %s"):format(options.show(scope.max_pages),
      MAX_PAGES.allowed), 2)
  end
  local max_pages = scope.max_pages or DEFAULT_MAX_PAGES
  local asked, seen, pages = first_params(paging, params), {}, 0
  local page, items, position, finished = nil, {}, 0, false

  local function turn()
    if pages >= max_pages then
      error(fault(scope, "Client.TooManyPages",
        ("gave up after %d pages"):format(max_pages)), 0)
    end
    local err
    page, err = fetch(asked)
    if not page then error(err, 0) end
    items, position, pages = page[paging.items] or {}, 0, pages + 1
    if type(items) ~= "table" then
      error(fault(scope, "Client.MalformedPage", paging.items .. " is not a list"), 0)
    end
    local token = next_token(paging, page)
    if token and seen[token] then
      error(fault(scope, "Client.PageLoop",
        "the service handed out the same " .. paging.output .. " twice"), 0)
    end
    finished = token == nil
    if token then seen[token], asked[paging.input] = true, token end
  end

  local function advance()
    while position >= #items do
      if finished then return nil end
      turn()
    end
    position = position + 1
    return items[position], page
  end

  local closing = setmetatable({}, { __close = function() finished, items = true, {} end })
  return advance, nil, nil, closing
end

--- Reads all pages into one: the last page, with the items of all.
---@param fetch fun(params: table): table|nil, alicloud.Error?
---@param paging table as for M.each
---@param params? table
---@param scope? alicloud.pager.Scope
---@return table|nil page
---@return alicloud.Error? err
function M.all(fetch, paging, params, scope)
  local items, last = core.array {}, nil
  local function remember(page_params)
    local err
    last, err = fetch(page_params)
    return last, err
  end
  local ok, raised = guard.call(function()
    for item in M.each(remember, paging, params, scope) do items[#items + 1] = item end
  end)
  if ok then
    last[paging.items] = items
    return last
  end
  if errors.is_error(raised) then return nil, raised end
  error(raised, 0)
end

return M
