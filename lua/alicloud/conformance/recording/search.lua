--- Finds what must not be in a text, in any encoding: plain, percent-encoded once or twice, in
--- base64 at any offset, in hexadecimal digits, and the latter two percent-encoded. The text is
--- decoded once and then searched, so the cost does not grow with the number of secrets.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"

local M = {}

-- Lengths below which encoded text is too short to hold anything that is searched for.
local SHORTEST_BASE64, SHORTEST_HEX = 6, 8
local BASE64_GROUP = 4
-- Bytes; shorter texts are not taken for secrets.
local SHORTEST_SECRET = 4

local function to_byte(digits) return string.char(tonumber(digits, 16)) end

--- Decodes the percent escapes of a text; a % that begins none stays.
---@param text string
---@return string
function M.percent_decode(text)
  return (text:gsub("%%(%x%x)", to_byte))
end

local URL_SAFE = { ["-"] = "+", ["_"] = "/" }

local function add_base64(views, text)
  for run in text:gmatch "[%w+/_%-]+" do
    if #run >= SHORTEST_BASE64 then
      local standard = run:gsub("[-_]", URL_SAFE)
      for offset = 1, BASE64_GROUP do
        local part = standard:sub(offset)
        local missing = -#part % BASE64_GROUP
        views[#views + 1] = core.unbase64(part .. ("A"):rep(missing))
      end
    end
  end
end

local function add_hex(views, text)
  for run in text:gmatch "%x+" do
    if #run >= SHORTEST_HEX then
      views[#views + 1] = run:gsub("%x%x", to_byte)
      views[#views + 1] = run:sub(2):gsub("%x%x", to_byte)
    end
  end
end

--- A text and its decodings in all supported encodings, joined by line ends.
---@param text string
---@return string
function M.views(text)
  local views, level = { text }, text
  add_base64(views, text)
  add_hex(views, text)
  for _ = 1, 2 do
    local decoded = M.percent_decode(level)
    if decoded == level then break end
    level = decoded
    views[#views + 1] = level
    add_base64(views, level)
    add_hex(views, level)
  end
  return table.concat(views, "\n")
end

-- Whether a secret that is kept in C is in the text: its `mask` replaces it there. A closed secret
-- raises, and counts as absent.
local function holds_sealed(views, secret)
  local ok, masked = guard.call(secret.mask, secret, views)
  return ok and masked ~= views
end

---@class alicloud.recording.Secrets texts that must not occur, and get no pseudonym
---@field list table<any, true> texts and alicloud.Secret
local Secrets = {}
Secrets.__index = Secrets

--- Makes an empty set of secrets.
---@return alicloud.recording.Secrets
function M.secrets()
  return setmetatable({ list = {} }, Secrets)
end

--- Adds a secret; nil and short texts are ignored.
---@param secret string|alicloud.Secret|nil
function Secrets:add(secret)
  if type(secret) == "string" and #secret < SHORTEST_SECRET then return end
  if type(secret) == "string" or type(secret) == "userdata" then self.list[secret] = true end
end

--- Whether one of the secrets is in a text.
---@param views string as `views` gives it
---@return boolean
function Secrets:are_in(views)
  local lower
  for secret in pairs(self.list) do
    if type(secret) == "userdata" then
      if holds_sealed(views, secret) then return true end
    else
      lower = lower or views:lower()
      if lower:find(secret:lower(), 1, true) then return true end
    end
  end
  return false
end

return M
