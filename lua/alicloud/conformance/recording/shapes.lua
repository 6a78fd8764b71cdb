--- Classifies values by their form: an id, an account, a key, an address, which need a pseudonym;
--- or a region, a time, a number, which may be written.

local fields = require "alicloud.conformance.recording.fields"

local M = {}

-- Kinds of ids by the prefix before their first hyphen.
local PREFIX = { pg = "pg", pair = "pair", d = "d", i = "i", drill = "drill", rg = "rg", s = "res",
  m = "res", ic = "res", sp = "res", ds = "res", dh = "res", r = "res", vpc = "net", vsw = "net",
  sg = "net", eni = "net", eip = "net", lb = "net", ngw = "net" }

local ACCOUNT = { least = 15, most = 20 }

local function is_ipv6(text)
  if not text:find "^[%x:%.]+$" then return false end
  local _, colons = text:gsub(":", "")
  return text:find("::", 1, true) ~= nil and colons < 8 or colons == 7
end

local function is_address(text)
  return text:find "^%d%d?%d?%.%d%d?%d?%.%d%d?%d?%.%d%d?%d?$" ~= nil or is_ipv6(text)
end

--- Whether a host is the loopback address of this machine.
---@param text string
---@return boolean
function M.is_loopback(text)
  return text:find "^127%.%d+%.%d+%.%d+$" ~= nil or text == "::1" or text == "[::1]"
    or text == "localhost"
end

--- The kind of a text that looks like an id, an account, a key or an address.
---@param text string
---@return string|nil kind of `pseudonyms.KINDS`; nil: it looks like none of them
function M.kind_of(text)
  local prefix = text:match "^(%l+)%-%w[%w_%-]*$"
  if prefix and PREFIX[prefix] then return PREFIX[prefix] end
  if text:find "^LTAI%w%w%w%w+$" or text:find "^STS%.%w+$" or text:find "^TMP%.%w+$" then
    return "key"
  end
  if text:find "^%d+$" and #text >= ACCOUNT.least and #text <= ACCOUNT.most then return "acct" end
  if text:find "^[%w%.%+_%-]+@[%w%-]+%.[%w%.%-]+$" then return "mail" end
  return is_address(text) and "ip" or nil
end

-- Most capitals in a row, as in RAM or HTTPS; fewer in a word with other letters.
local CAPITALS, CAPITALS_BESIDE = 14, 4
local LONGEST_WORD = 40

--- Whether a text has letters only, in the case of words: lower case, CAPITALS, PascalCase,
--- camelCase. Encoded bytes, such as base64, do not.
---@param text string
---@return boolean
function M.is_written(text)
  if #text > LONGEST_WORD or not text:find "^%a+$" then return false end
  local rest = text:gsub("%u%l+", "")
  return rest:find "^%l*$" ~= nil
    or rest:find "^%u+$" ~= nil and #rest <= (rest == text and CAPITALS or CAPITALS_BESIDE)
end

local KEPT = {}

-- As cn-shanghai, ap-southeast-1, cn-shenzhen-finance-1; but pg-orders is a group.
function KEPT.region(text)
  if #text > 40 or not text:find "^%l%l%-%l" or PREFIX[text:sub(1, 2)] then return false end
  for part in text:sub(4):gmatch "[^%-]+" do
    if not (part:find "^%l+$" or part:find "^%d%d?%d?$") then return false end
  end
  return not text:find "%-%-" and not text:find "%-$"
end

-- A region, or a region and a letter, usually with a hyphen between.
function KEPT.zone(text)
  local region = text:match "^(.-)%-?%l$"
  return KEPT.region(text) or region ~= nil and KEPT.region(region)
end

function KEPT.word(text)
  return M.is_written(text) or #text <= LONGEST_WORD and text:find "^%l[%l_]*$" ~= nil
    or text:find "^%a%a?%d$" ~= nil or fields.is_word(text)
end

function KEPT.code(text)
  if #text > 100 or not text:find "^%u[%a%.]*%a$" then return fields.is_word(text) end
  for part in text:gmatch "[^%.]+" do
    if not M.is_written(part) then return false end
  end
  return true
end

-- As ecs.g7.large, ecs.c7a-nt.xlarge.
function KEPT.model(text)
  return text:find "^ecs%.%l[%l%d%-]*%.?%d?%d?%d?%l*$" ~= nil and #text <= 30
end

function KEPT.device(text) return text:find "^/dev/%l+%d?%d?$" ~= nil and #text <= 16 end

function KEPT.time(text)
  return text:find "^%d%d%d%d%-%d%d%-%d%d[T ]%d%d:%d%d:?%d?%d?%.?%d*Z?$" ~= nil
    or KEPT.version(text) or text:find "^%d+$" ~= nil and #text < ACCOUNT.least
end

function KEPT.version(text) return text:find "^%d%d%d%d%-%d%d%-%d%d$" ~= nil end

-- With a unit behind it, as in "900 s" or "2.5m".
function KEPT.number(text)
  return text:find "^[+%-]?%d+%.?%d*%%?%a?%a?$" ~= nil and #text < ACCOUNT.least
    or text == "true" or text == "false"
end

function KEPT.uuid(text)
  return #text == 36 and text:find "^%x+%-%x+%-%x+%-%x+%-%x+$" ~= nil
end

--- Whether a value looks like what a field of its kind holds.
---@param kind string of fields.KEPT
---@param text string
---@return boolean
function M.fits(kind, text)
  local test = KEPT[kind]
  return test ~= nil and test(text)
end

-- Kinds of values that may be written in any field.
local ANYWHERE = { "number", "time", "version" }

--- Whether a value reveals nothing in any field: a number, a time, a word of the documents.
---@param text string
---@return boolean
function M.is_harmless(text)
  for _, kind in ipairs(ANYWHERE) do
    if KEPT[kind](text) then return true end
  end
  return fields.is_word(text)
end

local HOST_PARTS = { vpc = true, share = true, internal = true, public = true }

local function is_host_label(label)
  if fields.is_word(label) or KEPT.region(label) then return true end
  for part in label:gmatch "[^%-]+" do
    if not (HOST_PARTS[part] or fields.is_word(part)) then return false end
  end
  return true
end

--- Whether a host reveals nothing: this machine's loopback, or a vendor's host made of known words.
---@param host string without a port
---@return boolean
function M.is_public_host(host)
  if M.is_loopback(host) then return true end
  local labels = host:match "^([%l%d%.%-]+)%.aliyuncs%.com$"
    or host:match "^([%l%d%.%-]+)%.alibabacloud%.com$"
  for label in (labels or "?"):gmatch "[^%.]+" do
    if not is_host_label(label) then return false end
  end
  return labels ~= nil
end

return M
