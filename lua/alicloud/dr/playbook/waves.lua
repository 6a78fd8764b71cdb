--- Orders the jobs of run:each: tier after tier, in each its canaries first, and last those that
--- have failed before, so that they do not hold up the others again.

local pasts = require "alicloud.dr.playbook.past"
local schema = require "alicloud.base.schema"
local steps = require "alicloud.dr.playbook.step"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Job
---@field name string
---@field item any
---@field past "done"|"begun"|"untouched"|"failed" its state from earlier processes; also "failed"
---if a step of it was skipped
---@field tier integer

---@class alicloud.dr.Wave
---@field canaries alicloud.dr.Job[] candidates, in the order in which they are taken
---@field proofs integer how many of them must succeed
---@field named boolean they were named, so they are not replaced by others
---@field others alicloud.dr.Job[]

local RANK = { done = 1, begun = 2, untouched = 3, failed = 4 }

-- The name of the job that a step belongs to; nil: it is not of this branch.
local function job_of(prefix, key)
  return key:sub(1, #prefix) == prefix and key:match("^([^/]*)/", #prefix + 1) or nil
end

local function past_of(step)
  if step.status == "skipped" or step.status == "failed" and not step.went_on then
    return "failed"
  end
  return step.status == "begun" and "begun" or "done"
end

local function worse(past, other)
  return past and RANK[past] > RANK[other] and past or other
end

local function recall(branch, jobs)
  local engine, found = branch.engine, {}
  for _, key in ipairs(engine.state.order) do
    local name = job_of(branch.prefix, key)
    if name then found[name] = worse(found[name], past_of(engine.state.steps[key])) end
  end
  for key in pairs(engine.skips) do
    local name = job_of(branch.prefix, key)
    if name then found[name] = "failed" end
  end
  for _, job in ipairs(jobs) do job.past = found[job.name] or "untouched" end
end

local function name_of(item, number)
  local name = type(item) == "table" and item.id or item
  if type(name) == "number" then name = tostring(name) end
  if not steps.NAME.test(name) then
    error(("playbook: each: item %d: got %s; allowed: a name, or a table with `id`, of %s")
      :format(number, schema.show(name), steps.NAME.allowed), 4)
  end
  return name
end

--- Makes the jobs of a list, each with its past. Registers their names.
---@param branch alicloud.dr.PlaybookRun
---@param list any[]
---@return alicloud.dr.Job[]
function M.jobs(branch, list)
  local jobs = {}
  for i, item in ipairs(list) do
    local name = name_of(item, i)
    steps.claim_name(branch.engine, branch.prefix .. name .. "/", 4)
    jobs[i] = { name = name, item = item }
  end
  recall(branch, jobs)
  return jobs
end

--- Whether a call of a job, in any process, has had an effect, or may have had one.
---@param branch alicloud.dr.PlaybookRun
---@param job alicloud.dr.Job
---@return boolean
function M.has_acted(branch, job)
  local state = branch.engine.state
  for _, key in ipairs(state.order) do
    if job_of(branch.prefix, key) == job.name then
      for _, call in ipairs(state.steps[key].calls) do
        local outcome = call.answer and call.answer.outcome
        if pasts.is_doubtful(call) or outcome == "accepted" then return true end
      end
    end
  end
  return false
end

--- The step in which a job has failed.
---@param branch alicloud.dr.PlaybookRun
---@param name string of the job
---@return string key with "STEP" as the name of the step if none has failed
function M.failed_step(branch, name)
  local state = branch.engine.state
  for _, key in ipairs(state.order) do
    local failed = job_of(branch.prefix, key) == name and state.steps[key].status == "failed"
    if failed then return key end
  end
  return branch.prefix .. name .. "/STEP"
end

local function by_rank(jobs)
  local places = {}
  for i, job in ipairs(jobs) do places[job] = i end
  table.sort(jobs, function(a, b)
    local one, other = RANK[a.past], RANK[b.past]
    if one ~= other then return one < other end
    return places[a] < places[b]
  end)
  return jobs
end

local function failed_last(jobs)
  local list, failed = {}, {}
  for _, job in ipairs(jobs) do
    table.insert(job.past == "failed" and failed or list, job)
  end
  return table.move(failed, 1, #failed, #list + 1, list)
end

local function tiers_of(jobs, tier)
  local by_tier, order = {}, {}
  for _, job in ipairs(jobs) do
    local number = tier and tier(job.item) or 1
    job.tier = number
    if not by_tier[number] then by_tier[number], order[#order + 1] = {}, number end
    table.insert(by_tier[number], job)
  end
  table.sort(order)
  for i, number in ipairs(order) do order[i] = by_tier[number] end
  return order
end

local function named_wave(jobs, wanted)
  local wave = { canaries = {}, others = {}, named = true }
  for _, job in ipairs(failed_last(jobs)) do
    table.insert(wanted[job.name] and wave.canaries or wave.others, job)
  end
  wave.proofs = #wave.canaries
  return wave
end

local function counted_wave(jobs, count)
  if count == 0 then
    return { canaries = {}, proofs = 0, named = false, others = failed_last(jobs) }
  end
  return { canaries = by_rank(jobs), proofs = math.min(count, #jobs), named = false, others = {} }
end

local function check_names(names, jobs)
  local known = tables.index(jobs, "name")
  for _, name in ipairs(names) do
    if not known[name] then
      error(("playbook: each: canary: got %s; allowed: elements of the list%s"):format(
        schema.show(name), schema.did_you_mean(name, known)), 0)
    end
  end
end

-- The first tier with a job that has not failed before.
local function tier_of_canaries(tiers)
  for i, tier in ipairs(tiers) do
    for _, job in ipairs(tier) do
      if job.past ~= "failed" then return i end
    end
  end
  return 1
end

--- Divides jobs into waves: each wave waits for the end of the one before. A number of canaries is
--- for the first wave in which not all jobs have failed before. Named canaries come first in their
--- waves.
---@param jobs alicloud.dr.Job[]
---@param options alicloud.dr.EachOptions
---@return alicloud.dr.Wave[]
function M.divide(jobs, options)
  local canary, wanted, waves = options.canary or 0, {}, {}
  local named = type(canary) == "table"
  if named then
    check_names(canary, jobs)
    for _, name in ipairs(canary) do wanted[name] = true end
  end
  local tiers = tiers_of(jobs, options.tier)
  local proving = tier_of_canaries(tiers)
  for i, tier in ipairs(tiers) do
    waves[i] = named and named_wave(tier, wanted)
      or counted_wave(tier, i == proving and canary or 0)
  end
  return waves
end

--- Makes jobs of a wave canaries, if the waves before had too few that succeeded.
---@param wave alicloud.dr.Wave
---@param count integer how many canaries are missing
function M.prove(wave, count)
  if count == 0 or #wave.canaries > 0 then return end
  wave.canaries, wave.others = by_rank(wave.others), {}
  wave.proofs = math.min(count, #wave.canaries)
end

return M
