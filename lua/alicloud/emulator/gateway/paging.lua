--- Paging of Describe operations: NextToken with MaxResults, or PageNumber with PageSize.
-- With a NextToken, page numbers are ignored; an empty NextToken, or none, marks the last page.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"

local M = {}

local DEFAULT = 10
local LIMITS = { MaxResults = 500, PageSize = 100, PageNumber = math.maxinteger }

local function bounded(params, name, default, settings)
  local text = params[name]
  if not text or text == "" then return default end
  local value, limit = math.tointeger(tonumber(text)), LIMITS[name]
  if value and value >= 1 and value <= limit and text:match("^%d+$") then return value end
  if value and settings.page_bounds == "clamp" then return math.max(1, math.min(value, limit)) end
  return nil, errors.invalid(name, ("%q is not a whole number from 1 to %d"):format(text, limit))
end

local function encode_token(offset) return core.hex(("after:%d"):format(offset)) end

local function decode_token(text)
  local raw = text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  return math.tointeger(tonumber(raw:match("^after:(%d+)$")))
end

local function by_token(params, settings)
  local limit, refusal = bounded(params, "MaxResults", DEFAULT, settings)
  if not limit then return nil, refusal end
  local token = params.NextToken
  if not token or token == "" then return { offset = 0, limit = limit } end
  local offset = decode_token(token)
  if offset then return { offset = offset, limit = limit } end
  return nil, errors.invalid "NextToken"
end

local function by_number(params, settings)
  local number, refusal = bounded(params, "PageNumber", 1, settings)
  if not number then return nil, refusal end
  local size
  size, refusal = bounded(params, "PageSize", DEFAULT, settings)
  if not size then return nil, refusal end
  return { offset = (number - 1) * size, limit = size, number = number, size = size }
end

--- Reads the paging parameters of a request.
---@param params table<string, string>
---@param settings table<string, any>
---@return table|nil page
---@return alicloud.emulator.Refusal|nil
function M.read(params, settings)
  local has_token = params.NextToken and params.NextToken ~= ""
  if not has_token and (params.PageNumber or params.PageSize) then
    return by_number(params, settings)
  end
  return by_token(params, settings)
end

--- Cuts a page out of a list and writes the paging members of the answer.
---@param list any[]  of the caller; returned itself, not a copy, if the page is the whole list
---@param page table  from `read`
---@param settings table<string, any>  short_list and last_token are applied here
---@return any[] items
---@return table answer  NextToken, PageNumber, PageSize, TotalCount
function M.cut(list, page, settings)
  local total, first = #list, page.offset + 1
  local last = math.min(total, page.offset + page.limit)
  local shown = last - settings.short_list
  local items = list
  if first > 1 or shown < total then items = table.move(list, first, shown, 1, {}) end
  local more = not page.number and last < total
  return items, {
    NextToken = more and encode_token(last) or settings.last_token ~= "absent" and "" or nil,
    PageNumber = page.number or 1,
    PageSize = page.size or page.limit,
    TotalCount = total,
  }
end

return M
