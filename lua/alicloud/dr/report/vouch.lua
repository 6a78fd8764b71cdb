--- Says in words who vouches for the records of a journal: signed approvals, signed ends and
--- witnesses; and which records nobody vouches for.

local core = require "alicloud.core"
local decisions = require "alicloud.dr.playbook.decision"
local plain = require "alicloud.dr.report.plain"
local tables = require "alicloud.base.tables"

local M = {}

--- What the chain of a journal alone does and does not prove.
M.LIMITS = {
  "The chain shows order, and completeness only to whoever kept a head (--head).",
  "It does not show who wrote it: whoever can write the file can make all sums anew.",
}

M.CHAIN = table.concat(M.LIMITS, " ")

---@class alicloud.dr.Vouching
---@field ends alicloud.dr.ProofOfEnd[]
---@field anchors { moment: string, records: integer, head: string, to: string, ok: boolean,
---answer: string?, at: number }[]
---@field vouched integer the last record that a good signature covers; 0: none
---@field forged { line: integer, text: string }[]
---@field unproven { line: integer, text: string }[] gates that the reader's own keys do not prove
---@field limits string[] what the chain itself does not show

--- The part of a proof that belongs to the whole run; the proofs of approvals are with the steps.
---@param proof alicloud.dr.Proof
---@return alicloud.dr.Vouching
function M.of(proof)
  local anchors = core.array {}
  for i, event in ipairs(proof.anchors) do
    anchors[i] = { moment = event.moment, records = event.records, head = event.head,
      to = event.to, ok = event.ok, answer = event.answer, at = event.at }
  end
  return { ends = core.array(proof.ends), anchors = anchors, vouched = proof.vouched,
    forged = core.array(proof.forged), unproven = core.array(proof.unproven),
    limits = core.array(tables.copy(M.LIMITS)) }
end

--- The beginning of a public key, for people.
---@param key string
---@return string
function M.key(key)
  return plain.clean(key:sub(1, decisions.KEY_DIGITS):lower()) .. "…"
end

-- Who a key belongs to, by the reader's keys: a journal cannot show that; nil: there are none.
local function owner(known, name)
  if known then return "by the key at hand" end
  if known == false then return ("no key of %s is at hand"):format(plain.clean(name)) end
  return nil
end

-- Where a key comes from, as the journal itself says.
local function source(from)
  if from == "playbook" then return "which says that the playbook holds it" end
  local where = from and from ~= "requester" and ": " .. plain.clean(from) or ""
  return "which says that whoever ran it gave it, not the playbook" .. where
end

--- One approval in words.
---@param approval table by, at, verdict, why, key, from, known
---@return string
function M.approval(approval)
  local by = plain.clean(approval.by)
  if approval.verdict == "forged" then
    return ("forged: an approval by %s does not count: %s"):format(by, plain.clean(approval.why))
  elseif approval.verdict ~= "checked" then
    return ("not verified: an approval by %s: %s"):format(by, plain.clean(approval.why))
  end
  local known = owner(approval.known, approval.by)
  return ("approved by %s, %s (key %s, signature checked %s)"):format(by, plain.time(approval.at),
    M.key(approval.key), known or "against the key in the journal, " .. source(approval.from))
end

local function of_end(ending)
  local by = ("%s, key %s"):format(plain.clean(ending.by), M.key(ending.key))
  if ending.verdict == "forged" then
    return ("forged: the signature of %s over records 1 to %d does not count: %s"):format(by,
      ending.records, plain.clean(ending.why))
  end
  return ("records 1 to %d are signed by %s, %s; %s"):format(ending.records, by,
    plain.time(ending.at), owner(ending.known, ending.by)
    or "whose key that is, the journal does not show")
end

local MOMENT = { begin = "the beginning", no_return = "the point of no return",
  ["end"] = "the end" }

local function of_anchor(anchor)
  local answer = anchor.answer and anchor.answer ~= ""
    and (": " .. plain.clean(anchor.answer)) or ""
  return ("the sum of record %d, %s…, was handed to %s at %s%s%s"):format(anchor.records,
    plain.clean(anchor.head:sub(1, 16)), plain.clean(anchor.to),
    MOMENT[anchor.moment] or plain.clean(anchor.moment),
    anchor.ok and ", which answered" or ", which failed", answer)
end

local function rest(vouching, records)
  if vouching.vouched == 0 then
    return "no key vouches for any record: none is signed by whoever ran it"
  end
  -- The record after the signed ones is the signature itself.
  local first = vouching.vouched + 2
  if first > records then return nil end
  if first == records then return ("no key vouches for record %d"):format(first) end
  return ("no key vouches for records %d to %d"):format(first, records)
end

--- Who vouches for which records, and for which nobody does.
---@param vouching alicloud.dr.Vouching
---@param records integer how many records the journal has
---@return string[]
function M.lines(vouching, records)
  local lines = {}
  for _, ending in ipairs(vouching.ends) do lines[#lines + 1] = of_end(ending) end
  for _, anchor in ipairs(vouching.anchors) do lines[#lines + 1] = of_anchor(anchor) end
  lines[#lines + 1] = rest(vouching, records)
  return lines
end

--- The records that are forged, or not proven by the reader's own keys, with their lines.
---@param vouching alicloud.dr.Vouching
---@return string[]
function M.doubts(vouching)
  local lines = {}
  for i, each in ipairs(vouching.forged) do
    lines[i] = ("forged: line %d: %s"):format(each.line, plain.clean(each.text))
  end
  for _, each in ipairs(vouching.unproven) do
    lines[#lines + 1] = ("line %d: %s"):format(each.line, plain.clean(each.text))
  end
  return lines
end

-- Records that vouch for an end stand behind it.
local BEHIND = { signed = true, anchored = true }

--- Why records are not proven to be written by the holder of one of some keys, or nil. A signature
--- proves only the records before it: those behind it may be anybody's.
---@param vouching alicloud.dr.Vouching
---@param events table[]
---@param wanted table<string, boolean> public keys in lower case
---@return string|nil
function M.not_signed_by(vouching, events, wanted)
  local up_to
  for _, ending in ipairs(vouching.ends) do
    if ending.verdict == "checked" and wanted[ending.key:lower()] then up_to = ending.records end
  end
  if not up_to then return "no end is signed by the key at hand, so anybody may have written it" end
  for i = up_to + 1, #events do
    if not BEHIND[events[i].type] then
      return ("the key at hand vouches for records 1 to %d; record %d and those behind it may be "
        .. "anybody's"):format(up_to, i)
    end
  end
  return nil
end

--- Says that records of a newer version are not shown; nil if there are none.
---@param chain alicloud.dr.Chain
---@return string|nil
function M.newer(chain)
  local newer = chain.newer
  return newer and ("line %d: %s are of a newer version, and are not told here"):format(newer.line,
    plain.clean(newer.what)) or nil
end

return M
