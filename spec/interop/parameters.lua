-- Parameters that signers disagree about: what needs escaping, what sorts oddly, what nests.

local core = require "alicloud.core"
local helper = require "spec.helper"
local sorted = require "alicloud.base.tables"

local M = {}

local array, null = core.array, core.null

local function numbered(count)
  local list = {}
  for i = 1, count do list[i] = "v" .. i end
  return list
end

local ascii = {}
for byte = 0x20, 0x7e do ascii[#ascii + 1] = string.char(byte) end

--- By name. The parameter names keep to the unreserved characters: for others the vendor's
--- document and its SDKs sign differently.
---@type table<string, table>
M.named = {
  ["nothing"] = {},
  ["one word"] = { Word = "failover" },
  ["an empty text"] = { Empty = "", After = "x" },
  ["a space"] = { A = "a b", B = " lead", C = "trail " },
  ["a plus"] = { A = "a+b", B = "+", C = "1+1=2" },
  ["sub-delimiters"] = { A = "!$&'()*+,;=" },
  ["general delimiters"] = { A = ":/?#[]@" },
  ["unreserved characters"] = { A = "AZaz09-_.~" },
  ["every printable character"] = { A = table.concat(ascii) },
  ["control characters"] = { A = "tab\there", B = "line\nfeed", C = "cr\r", D = "\x01\x1f\x7f" },
  ["what looks escaped"] = { A = "%20", B = "%7E", C = "%zz", D = "100%" },
  ["what looks like a query"] = { A = "b=c&d=e", B = "?x=y#z" },
  ["accents"] = { A = "Größe", B = "naïve café" },
  ["decomposed accents"] = { A = "Gro\u{308}ße" },
  ["CJK"] = { A = "云盘异步复制", B = "災害復旧", C = "재해 복구" },
  ["beyond the basic plane"] = { A = "🚀🧯", B = "\u{10FFFF}\u{10000}" },
  ["right to left"] = { A = "استرداد", B = "\u{202E}" },
  ["zero width"] = { A = "a\u{200B}b\u{FEFF}" },
  ["numbers"] = { A = 1, B = -1, C = 900, D = 1.5, E = 100.0, F = 1e21, G = 1e-7, H = 0.1, I = 0 },
  ["the largest exact number"] = { A = 9007199254740991, B = -9007199254740991 },
  ["booleans"] = { Yes = true, No = false },
  ["nulls"] = { A = null, B = { null, "b" }, C = { Inner = null } },
  ["empty containers"] = { A = array {}, B = { C = array {} }, D = "d" },
  ["a list"] = { ResourceId = { "pg-1", "pg-2" } },
  ["a list of a dozen"] = { I = numbered(12) },
  ["tags"] = { Tag = { { Key = "team", Value = "orders" }, { Key = "größe", Value = "a b" } } },
  ["lists in lists"] = { M = { { "a", "b" }, { "c" }, { { "d" } } } },
  ["maps in maps"] = { A = { B = { C = { D = "deep" } } } },
  ["lists in maps in lists"] = { A = { { B = { "x", { C = "y" } } }, "z" } },
  ["names that share a prefix"] = { A = "1", AA = "2", ["A.1"] = "3", ["A-1"] = "4", A1 = "5" },
  ["names in both cases"] = { a = "1", A = "2", b = "3", B = "4", Z = "5", z = "6" },
  ["names of numbers"] = { ["10"] = "a", ["9"] = "b", ["1"] = "c" },
  ["a long value"] = { A = ("x"):rep(2000), B = ("ü "):rep(300) },
  ["a policy in JSON"] = { Policy = '{"Statement":[{"Effect":"Allow","Action":"ebs:*"}]}' },
}

local ALPHABET = {
  "a", "Z", "0", " ", "+", "*", "~", "%", "&", "=", "/", "'", "(", ")", "!", ",", ";", ":", "@",
  "ü", "ß", "盘", "🚀", "\t", "\n", "-", "_", ".", "|", "\\", '"', "<", ">",
}

local function text_of(random)
  local parts = {}
  for i = 1, math.floor(random() * 24) do
    parts[i] = ALPHABET[1 + math.floor(random() * #ALPHABET)]
  end
  return table.concat(parts)
end

local function value_of(random, depth)
  local dice = random()
  if depth < 3 and dice < 0.15 then
    local list = array {}
    for i = 1, math.floor(random() * 4) do list[i] = value_of(random, depth + 1) end
    return list
  elseif depth < 3 and dice < 0.3 then
    return { Key = value_of(random, depth + 1), Value = value_of(random, depth + 1) }
  elseif dice < 0.4 then
    return math.floor(random() * 1e6)
  end
  return text_of(random)
end

--- Made from a seed.
---@param seed integer
---@return table
function M.made(seed)
  local random = helper.generator(seed)
  local set = {}
  for i = 1, 1 + math.floor(random() * 6) do
    set[("P%s%d"):format(random() < 0.5 and "x" or "X", i)] = value_of(random, 0)
  end
  return set
end

--- The names in a fixed order.
---@return string[]
function M.names()
  return sorted.keys(M.named)
end

return M
