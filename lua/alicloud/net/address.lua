--- Addresses as text: IPv4 (RFC 6943 section 3.1.1, strict), IPv6 (RFC 4291 section 2.2) and
--- networks in CIDR form.

local M = {}

local function ipv4(text)
  local bytes = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  if #bytes ~= 4 then return nil end
  for i, digits in ipairs(bytes) do
    -- Some resolvers read a leading zero as octal.
    if #digits > 3 or digits:find("^0%d") or tonumber(digits) > 255 then return nil end
    bytes[i] = math.tointeger(tonumber(digits))
  end
  return bytes
end

-- The bytes of colon-separated groups; nil if one of them is not 1 to 4 hex digits.
local function groups(text)
  local bytes = {}
  if text == "" then return bytes end
  for group in (text .. ":"):gmatch("(.-):") do
    if not group:find("^%x%x?%x?%x?$") then return nil end
    local value = tonumber(group, 16)
    bytes[#bytes + 1], bytes[#bytes + 2] = value >> 8, value & 255
  end
  return bytes
end

local function ipv6(text)
  local front, dotted = text:match("^(.*:)([%d%.]+)$")
  local tail = dotted and dotted:find(".", 1, true) and ipv4(dotted)
  if tail then
    text = ("%s%x:%x"):format(front, tail[1] << 8 | tail[2], tail[3] << 8 | tail[4])
  end
  local left, right = text:match("^(.-)::(.*)$")
  local bytes = groups(left or text)
  if not left then return bytes and #bytes == 16 and bytes or nil end
  local rest = groups(right)
  if not bytes or not rest or #bytes + #rest > 14 then return nil end
  for _ = 1, 16 - #bytes - #rest do bytes[#bytes + 1] = 0 end
  return table.move(rest, 1, #rest, #bytes + 1, bytes)
end

--- The bytes of an address, 4 or 16; nil if it is not an address.
---@param text string without brackets or zone
---@return integer[]|nil
function M.parse(text)
  if text:find(":", 1, true) then return ipv6(text) end
  return ipv4(text)
end

--- Whether an address lies in a network such as 10.0.0.0/8; a network may also be a single address,
--- which then must be equal.
---@param address integer[] as returned by `parse`
---@param network string
---@return boolean
function M.within(address, network)
  local prefix, digits = network:match("^([^/]*)/(%d%d?%d?)$")
  local base = M.parse(prefix or network)
  local bits = prefix and math.tointeger(tonumber(digits)) or #address * 8
  if not base or #base ~= #address or not bits or bits > #address * 8 then return false end
  for i, byte in ipairs(address) do
    local left = math.max(0, math.min(8, bits - (i - 1) * 8))
    local mask = 255 << (8 - left) & 255
    if byte & mask ~= base[i] & mask then return false end
  end
  return true
end

return M
