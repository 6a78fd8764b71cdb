--- Observes guesses of the code that have no switch, and the texts of all refusals of the tier.

local ask = require "alicloud.conformance.ask"
local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local tables = require "alicloud.base.tables"

local LIST = "ebs:DescribeDiskReplicaGroups"

local function request_id_header(probe, lab)
  local exchange = ask.raw(probe, LIST, { RegionId = lab.region })
  local header = exchange.headers["x-acs-request-id"]
  if not exchange.request_id then return nil, "the answer has no RequestId" end
  if not header then return "absent", "no header x-acs-request-id" end
  return header == exchange.request_id and "same" or "other", "the header and the body's RequestId"
end

local function bad_next_token(probe, lab)
  local _, exchange = ask.groups(probe, lab.region, { NextToken = "x" })
  local code = exchange.code or tostring(exchange.status)
  return code:find "^InvalidParameter" and "InvalidParameter" or code, "NextToken=x gives " .. code
end

local function recover_point_unit(_, lab)
  local point = lab.group.LastRecoverPoint
  if point == nil or point == core.null then return nil, "the group has no recovery point yet" end
  if type(point) ~= "number" then return type(point), "LastRecoverPoint is no number" end
  return point > 1e11 and "milliseconds" or "seconds", "LastRecoverPoint by its magnitude"
end

local function pair_ids_form(_, lab)
  local group
  for _, list in ipairs(lab.listings) do
    for _, candidate in ipairs(list) do
      if (candidate.PairNumber or 0) > 1 then group = group or candidate end
    end
  end
  if not group then return nil, "no group with two pairs is listed" end
  local ids = group.PairIds or {}
  if #ids == 1 and tostring(ids[1]):find(",", 1, true) then
    return "comma", "one element with commas"
  end
  return #ids == group.PairNumber and "elements" or "other",
    ("%d elements for %d pairs"):format(#ids, group.PairNumber)
end

local function nonce(probe, lab)
  local once = probe.client.runtime.random_hex(16)
  local first = ask.raw(probe, LIST, { RegionId = lab.region }, { nonce = once })
  if first.status ~= 200 then return nil, "the first use gave " .. ask.word(first) end
  local second = ask.raw(probe, LIST, { RegionId = lab.region }, { nonce = once })
  return second.code == "SignatureNonceUsed" and "once" or ask.word(second),
    "a nonce that comes again gives " .. ask.word(second)
end

-- Codes whose text names the parameter of the request, and cannot be compared.
local OWN_WORDS = { MissingParameter = true, InvalidParameter = true }

local function messages(probe)
  local other, count = {}, 0
  for _, code in ipairs(tables.keys(probe.messages)) do
    local seen, known = probe.messages[code], errors.catalogue[code] ~= nil
    if known and not OWN_WORDS[code] then
      count = count + 1
      if not errors.is_said(code, seen.text) then other[#other + 1] = code end
    elseif not known then
      other[#other + 1] = code .. " (not known)"
    end
  end
  if count == 0 and #other == 0 then return nil, "no refusal was met" end
  if #other == 0 then return "fixed", ("%d texts of refusals are the same"):format(count) end
  return "others", "other texts: " .. table.concat(other, ", ")
end

local function guess(name, assumed, values, look, needs)
  return { name = name, needs = needs, look = look, guess = { assumed = assumed, values = values } }
end

return {
  guess("request_id_header", "same", { "absent", "other" }, request_id_header),
  guess("bad_next_token", "InvalidParameter", {}, bad_next_token),
  guess("recover_point_unit", "seconds", { "milliseconds" }, recover_point_unit, { "group" }),
  guess("pair_ids_form", "elements", { "comma" }, pair_ids_form),
  guess("nonce", "once", { "200" }, nonce),
  { name = "messages", look = messages },
}
