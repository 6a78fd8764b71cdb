--- Renders a report as a JUnit test suite, so that tools that watch builds can watch drills. Every
--- step, gate and verification is a test case; so are the declared targets and the journal's chain.

local core = require "alicloud.core"
local markup = require "alicloud.dr.report.markup"
local plain = require "alicloud.dr.report.plain"
local targets = require "alicloud.dr.report.targets"
local texts = require "alicloud.dr.report.text"
local vouches = require "alicloud.dr.report.vouch"

local element = markup.element

local M = {}

-- A host may have set a locale with a decimal comma.
local function seconds(value)
  return (("%.3f"):format(math.max(0, value or 0)):gsub(",", "."))
end

local FAILED = { failed = true, expired = true, refused = true, unproven = true }
local UNSETTLED = { begun = true, running = true, open = true, undone = true, unchecked = true }

local function outcome(entry)
  if entry.status == "skipped" then
    return "skipped", element("skipped", { message = entry.why })
  elseif FAILED[entry.status] then
    local err = entry.err or {}
    return "failure", element("failure", { type = err.code or entry.status,
      message = err.message or texts.step_status(entry) })
  elseif UNSETTLED[entry.status] then
    return "error", element("error", { type = entry.status, message = texts.step_status(entry) })
  end
  return "passed", nil
end

local function case(suite, name, class, took, kind, verdict, details)
  suite.tests = suite.tests + 1
  suite[kind] = (suite[kind] or 0) + 1
  local lines = {}
  for i, line in ipairs(details or {}) do lines[i] = markup.escape(line) end
  suite.cases[#suite.cases + 1] = element("testcase",
    { name = name, classname = class, time = seconds(took) }, verdict,
    #lines > 0 and element("system-out", nil, markup.raw(table.concat(lines, "\n"))))
end

local function target_case(suite, class, name, target)
  if not target.declared then return end
  local message = ("declared %s, achieved %s"):format(plain.duration(target.declared),
    target.achieved and plain.duration(target.achieved) or "none")
  local verdict = not target.met and element("failure", { type = "target", message = message })
  case(suite, name, class, target.achieved, verdict and "failure" or "passed", verdict or nil,
    { message })
end

local function chain_case(suite, class, chain)
  local text, tone = texts.chain(chain)
  local verdict = tone == "bad" and element("failure", { type = "chain", message = text })
  case(suite, "journal chain", class, 0, verdict and "failure" or "passed", verdict or nil,
    { text })
end

local function signature_case(suite, class, model)
  local forged = vouches.doubts(model.vouching)
  local verdict = #forged > 0 and element("failure", { type = "signature", message = forged[1] })
  local lines = vouches.lines(model.vouching, model.chain.records)
  table.move(forged, 1, #forged, #lines + 1, lines)
  lines[#lines + 1] = vouches.CHAIN
  case(suite, "signatures", class, 0, verdict and "failure" or "passed", verdict or nil, lines)
end

local function ending_case(suite, class, model)
  local ended = model.status == "completed" or model.status == "completed_with_exceptions"
  local verdict = not ended and element("error", { type = model.status,
    message = texts.sentence(model)
      .. (model.resume and " Resume it with: " .. model.resume or "") })
  case(suite, "run", class, model.elapsed, verdict and "error" or "passed", verdict or nil,
    texts.attention(model))
end

local function properties(model)
  local list = {}
  for _, pair in ipairs(texts.about(model)) do
    list[#list + 1] = element("property", { name = pair[1], value = pair[2] })
  end
  for _, fact in ipairs(targets.figures(model)) do
    list[#list + 1] = element("property", { name = fact.label, value = fact.value })
  end
  return element("properties", nil, list)
end

--- Renders a report.
---@param model alicloud.dr.EvidenceModel
---@return string
function M.render(model)
  local suite, class = { tests = 0, cases = {} }, model.playbook.name
  for _, entry in ipairs(model.steps) do
    local kind, verdict = outcome(entry)
    case(suite, entry.step, class, entry.seconds, kind, verdict, texts.details(entry))
  end
  target_case(suite, class, "recovery time", model.rto)
  target_case(suite, class, "recovery point", model.rpo)
  chain_case(suite, class, model.chain)
  signature_case(suite, class, model)
  ending_case(suite, class, model)
  local counts = { name = class, tests = suite.tests, failures = suite.failure or 0,
    errors = suite.error or 0, skipped = suite.skipped or 0, time = seconds(model.elapsed) }
  local all = element("testsuites", counts, element("testsuite", {
    name = class, tests = counts.tests, failures = counts.failures, errors = counts.errors,
    skipped = counts.skipped, time = counts.time,
    timestamp = core.iso8601(math.floor(model.began_at)),
    hostname = model.processes[1] and model.processes[1].host or "unknown",
  }, properties(model), suite.cases))
  return '<?xml version="1.0" encoding="UTF-8"?>\n' .. all.text .. "\n"
end

return M
