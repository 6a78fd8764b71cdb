--- The figures at the top of a report: declared and achieved RTO and RPO, and from when to when
--- they are counted.

local plain = require "alicloud.dr.report.plain"

local M = {}

local function judged(target)
  if target.met == nil then return "plain", nil end
  return target.met and "good" or "bad", target.met and "met" or "missed"
end

---@class alicloud.dr.EvidenceFact
---@field label string
---@field value string
---@field detail string?
---@field tone alicloud.dr.Tone

local FROM = { outage = "from the outage at %s",
  incident = "from the first run of the incident at %s", run = "from the start of this run at %s" }
local TO = { verified = " to the first answer from outside", data_ready = " to the open data" }
local TO_DRILL = { verified = " to the check that passed",
  data_ready = " to the disks of the drill" }
local WHY = { already = "already failovered, nothing was left to do",
  found_open = "it was found open, and nothing tells since when",
  joined = "it was begun by others, and nothing tells when" }

-- From when to when the RTO is counted, or why there is none.
local function time_basis(rto, kind)
  if rto.why then return WHY[rto.why] end
  if not rto.from then return nil end
  local to = kind == "drill" and TO_DRILL or TO
  return FROM[rto.from]:format(plain.time(rto.from_at)) .. to[rto.basis]
end

local COUNTED = { outage = "the outage", accepted = "the accepted call",
  observed = "the first look at it under way, so at most", stop = "the stop of the old side" }

-- Up to when the RPO is counted.
local function loss_basis(rpo)
  if not COUNTED[rpo.basis] then return nil end
  local at = rpo.to and " at " .. plain.time(rpo.to) or ""
  local point = rpo.recover_point and ("recovery point %s, "):format(
    plain.time(rpo.recover_point)) or ""
  local after = rpo.basis == "outage" and rpo.to and rpo.recover_point
    and rpo.recover_point - rpo.to or 0
  return ("%scounted to %s%s%s"):format(point, COUNTED[rpo.basis], at, after > 0
    and "; something was copied after it, so see whether the time is right" or "")
end

local function target_fact(label, target, basis)
  local tone, word = judged(target)
  local detail = target.declared
    and ("declared %s%s"):format(plain.duration(target.declared), word and ": " .. word or "")
    or "none declared"
  if basis then detail = detail .. "; " .. basis end
  if target.declared and not target.achieved then tone = "warn" end
  return { label = label, tone = tone, detail = detail,
    value = target.achieved and plain.duration(target.achieved) or "not reached" }
end

local function line_fact(model, label, at, missing)
  if not at then
    return { label = label, value = "not reached", tone = "warn", detail = missing }
  end
  return { label = label, value = "+" .. plain.duration(at - model.began_at), tone = "good",
    detail = plain.time(at) }
end

local OPEN_BEFORE = { already = true, found_open = true }

--- The figures at the top of a report.
---@param model alicloud.dr.EvidenceModel
---@return alicloud.dr.EvidenceFact[]
function M.figures(model)
  local rpo = target_fact("Recovery point (RPO)", model.rpo, loss_basis(model.rpo))
  if not model.rpo.achieved then rpo.value = "not known" end
  local rto = target_fact("Recovery time (RTO)", model.rto, time_basis(model.rto, model.run.kind))
  if model.rto.why then rto.value = model.rto.why == "already" and "none" or "not known" end
  local ready = line_fact(model, "Data ready", model.finish.data_ready, "no group was opened")
  if OPEN_BEFORE[model.rto.why] then ready.value = "found open" end
  return {
    rto, rpo, ready,
    line_fact(model, "Old side fenced", model.finish.old_side_fenced,
      "nothing says that the old side is shut"),
  }
end

return M
