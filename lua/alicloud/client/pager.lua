--- Goes over the items of a paged Describe operation.
--
-- A page is fetched only when the one before is used up. It is an error if a page token comes twice
-- or another page than the one asked for, which would go on for ever, and more than `max_pages`.

local errors = require "alicloud.base.error"
local fields = require "alicloud.base.fields"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.PageParams
---@field NextToken? string from the page before; page numbers are ignored with it; text without
---control characters
---@field PageNumber? integer numbered paging; an integer of at least 1; 1 if absent
---@field PageSize? integer items per numbered page; an integer from 1 to 100; 10 if absent

---@class alicloud.Answer
---@field RequestId string

---@class alicloud.Page: alicloud.Answer
---@field NextToken? string
---@field PageNumber? integer
---@field PageSize? integer
---@field TotalCount? integer

local DEFAULT_MAX_PAGES = 1000
local MAX_PAGES = schema.integer(1, 1000000)

--- Takes `max_pages` out of a call's options.
---@param given? table
---@return table|nil call_options
---@return any max_pages
function M.split_options(given)
  if type(given) ~= "table" or given.max_pages == nil then return given, nil end
  local rest = tables.copy(given)
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

--- Goes on by token: every page names the next one. Gives whether the page was the last.
local function by_token(walk, page)
  local paging = walk.paging
  local given = page[paging.output]
  if given == nil or given == "" then return true end
  local token = fields.text(given)
  if not token then
    return nil, fault(walk.scope, "Client.MalformedPage", paging.output .. " is not text")
  end
  if walk.seen[token] then
    return nil, fault(walk.scope, "Client.PageLoop",
      "the service handed out the same " .. paging.output .. " twice")
  end
  walk.seen[token], walk.asked[paging.input] = true, token
  return false
end

--- Goes on by number: the total tells the last page, or without a total the first that is not full.
local function by_number(walk, page, count)
  local keys, asked = walk.paging.numbered, walk.asked
  local number, size = tonumber(asked[keys.page]), tonumber(asked[keys.size])
  local answered = page[keys.page]
  if answered ~= nil and fields.number(answered) ~= number then
    return nil, fault(walk.scope, "Client.PageLoop",
      ("the service answered page %s instead of %d"):format(answered, number))
  end
  local total = fields.count(page[keys.total])
  if count == 0 or number * size >= (total or math.huge) or not total and count < size then
    return true
  end
  asked[keys.page] = number + 1
  return false
end

-- Whether pages are numbered: if a number or a size is given, and no token, which takes precedence.
local function wants_numbers(paging, params)
  local keys = paging.numbered
  if not keys or params[paging.input] ~= nil or params[paging.limit] ~= nil then return false end
  return params[keys.page] ~= nil or params[keys.size] ~= nil
end

local function begin(fetch, paging, params, scope)
  local asked = tables.copy(params or {})
  local walk = {
    fetch = fetch, paging = paging, scope = scope, asked = asked, seen = {}, pages = 0,
  }
  if wants_numbers(paging, asked) then
    walk.follow = by_number
    asked[paging.numbered.page] = asked[paging.numbered.page] or 1
    asked[paging.numbered.size] = asked[paging.numbered.size] or paging.numbered.max
  else
    walk.follow = by_token
    if paging.limit and asked[paging.limit] == nil then asked[paging.limit] = paging.default end
  end
  return walk
end

--- Fetches the next page and finds out whether it is the last one.
local function turn(walk)
  local limit = walk.scope.max_pages or DEFAULT_MAX_PAGES
  if walk.pages >= limit then
    return nil, fault(walk.scope, "Client.TooManyPages", ("gave up after %d pages"):format(limit))
  end
  local page, err = walk.fetch(walk.asked)
  if not page then return nil, err end
  walk.pages = walk.pages + 1
  local items = tables.at(page, walk.paging.items) or {}
  if type(items) ~= "table" or not tables.list_length(items) then
    return nil, fault(walk.scope, "Client.MalformedPage", walk.paging.items .. " is not a list")
  end
  walk.finished, err = walk.follow(walk, page, #items)
  if walk.finished == nil then return nil, err end
  return page, items
end

---@class alicloud.pager.Scope
---@field max_pages? integer default 1000
---@field product? string for messages
---@field action? string

--- Makes the four values of a generic `for`. Errors are raised as error objects. A page number or a
--- page size among the parameters asks for numbered pages.
---@param fetch fun(params: table): table|nil, alicloud.Error?
---@param paging table of the service data: `items`, `input`, `output`, `limit`, `numbered`, …
---@param params? table
---@param scope? alicloud.pager.Scope
---@return fun(): table|nil, table item and the page it is from
---@return nil
---@return nil
---@return table closing
function M.each(fetch, paging, params, scope)
  scope = scope or {}
  if scope.max_pages ~= nil and not MAX_PAGES.test(scope.max_pages) then
    error(("max_pages: got %s; allowed: %s"):format(schema.show(scope.max_pages),
      MAX_PAGES.allowed), 2)
  end
  local walk = begin(fetch, paging, params, scope)
  local page, items, position = nil, {}, 0

  local function advance()
    while position >= #items do
      if walk.finished then return nil end
      local found
      page, found = turn(walk)
      if not page then error(found, 0) end
      items, position = found, 0
    end
    position = position + 1
    return items[position], page
  end

  local closing = setmetatable({}, {
    __close = function() walk.finished, items = true, {} end,
  })
  return advance, nil, nil, closing
end

--- Reads all pages into the first one.
---@param fetch fun(params: table): table|nil, alicloud.Error?
---@param paging table of the service data
---@param params? table
---@param scope? alicloud.pager.Scope
---@return table|nil page the first response, its list holding the items of all
---@return alicloud.Error? err
function M.all(fetch, paging, params, scope)
  local walk = begin(fetch, paging, params, scope or {})
  local first, all = turn(walk)
  if not first then return nil, all end
  if not (walk.finished or tables.at(first, paging.items)) then
    return nil, fault(walk.scope, "Client.MalformedPage", paging.items .. " is missing")
  end
  local count = #all
  while not walk.finished do
    local page, items = turn(walk)
    if not page then return nil, items end
    table.move(items, 1, #items, count + 1, all)
    count = count + #items
    -- The result gets the token of the last page: it must not look as if there were more to fetch.
    if paging.output then first[paging.output] = page[paging.output] end
  end
  return first
end

return M
