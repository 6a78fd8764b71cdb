--- The throwaway groups and pairs of a conformance run. Their "life" is the sequence of steps that
--- makes them from named blank disks, changes them, looks at them, and deletes them again.
--
-- Each step has a name, under which the run's own journal remembers it: a change before it is sent
-- and when it is answered, a wait when it is over. A killed run is continued by the same program
-- from the start, which skips the steps in the journal; and `cleanup` knows all that may exist.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local metas = require "alicloud.base.meta"
local ownership = require "alicloud.conformance.ownership"

local M = {}

--- Seconds between two looks at something that changes.
M.EVERY = 2

local PREFIX = "adr-"
local stop_mt = { __name = "alicloud.conformance.Stop",
  __tostring = function(stop) return stop.message end }
local CHANGE_TRIES, CHANGE_PAUSE = 6, 5
local LOOK_TRIES = 6
-- The vendor's own provider waits for up to 20 minutes; a first copy may take longer.
local LIMIT = 3600

---@class alicloud.conformance.Place
---@field region string
---@field zone string

---@class alicloud.conformance.LabPlan the part of a lab that the journal keeps
---@field run string
---@field disks { source: string, destination: string }[] three of them
---@field source alicloud.conformance.Place
---@field destination alicloud.conformance.Place
---@field instance_source? string
---@field instance_target? string

---@class alicloud.conformance.Lab: alicloud.conformance.LabPlan
---@field probe alicloud.conformance.Probe
local Lab = {}
Lab.__index = Lab

--- The lab of a run: from the run's journal if there is one in it, else from the plan.
---@param probe alicloud.conformance.Probe
---@param plan? alicloud.conformance.LabPlan
---@return alicloud.conformance.Lab|nil nil: there is neither
function M.new(probe, plan)
  local kept = probe.memory.lab
  if not kept then
    if not plan then return nil end
    probe:remember("lab", plan)
    kept = plan
  end
  local self = { probe = probe, views = {} }
  for name, value in pairs(kept) do self[name] = value end
  return setmetatable(self, Lab)
end

--- The prefix of the names of all groups and pairs that a run makes.
---@return string
function Lab:prefix()
  return PREFIX .. self.run .. "-"
end

--- The name of a group or pair that the run makes.
---@param key string
---@return string
function Lab:name(key)
  return self:prefix() .. key
end

--- The ClientToken of a change; the same in every process that continues the run.
---@param name string
---@return string
function Lab:token(name)
  return core.sha256(self.run .. "\n" .. name):sub(1, 40)
end

--- Runs `work` once and keeps its result, which a continued run gets without running it again.
---@param name string
---@param work fun(): any a value that JSON can hold
---@return any
function Lab:once(name, work)
  local key = "once:" .. name
  local kept = self.probe.memory[key]
  if kept then return kept.value end
  local value = work()
  self.probe:remember(key, { value = value })
  return value
end

--- A text of an answer; nil if it is absent, null or empty.
---@param value any
---@return string|nil
function M.text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

--- The reason for which a life stopped, as text.
---@param raised any
---@return string
function M.reason(raised)
  return getmetatable(raised) == stop_mt and raised.message or errors.text_of(raised)
end

--- Stops the life: later observations could not be told from effects of this failure.
---@param text string
function Lab:stop(text)
  error(setmetatable({ message = text }, stop_mt), 0)
end

local UNSETTLED = { throttle = true, server = true, transport = true, pending = true,
  clock = true, credentials = true, nonce = true }

-- Whether this request was refused for certain, whatever the error says of an earlier one under the
-- same token.
local function is_definite(err)
  local is_refused = err.outcome == "rejected" or errors.TOKEN_REUSED[err.code]
  return is_refused and not UNSETTLED[err.retry_class]
end

---@class alicloud.conformance.Change the outcome of a change
---@field answer table?
---@field code string? of a refusal
---@field message string?
---@field status integer?
---@field request_id string?
---@field at number unix seconds of its answer
---@field doubt boolean an answer to an earlier attempt was lost, so a refusal proves nothing

local function try_until_definite(lab, action, params, region, token, doubt)
  for try = 1, CHANGE_TRIES do
    local answer, err = lab.probe:call(action, params, { region = region, token = token })
    if answer then
      local about = metas.of(answer) or {}
      return { answer = answer, doubt = doubt, status = about.status,
        request_id = about.request_id }
    end
    if is_definite(err) then
      return { code = err.code, message = err.message, doubt = doubt, status = err.status,
        request_id = err.request_id }
    end
    if err.code == "Client.NotSent" or err.code == "Client.NotAllowed" then
      lab:stop(err.message)
    end
    doubt = doubt or err.outcome == "unknown"
    if try == CHANGE_TRIES then lab:stop(("%s: %s"):format(action, errors.text_of(err))) end
    lab.probe:sleep(CHANGE_PAUSE * try)
  end
end

--- Makes a change once and returns its outcome, also a refusal. The journal has it before it is
--- sent. Stops the life if the outcome stays unknown.
---@param name string of this change, unique in the life
---@param action string "product:Action"
---@param params table
---@param options? { token: string|false?, region: string? } token false: the operation takes none;
--- region: for one that has no RegionId
---@return alicloud.conformance.Change
function Lab:change(name, action, params, options)
  local memory, probe = self.probe.memory, self.probe
  local done = memory["did:" .. name]
  if done then return done end
  local token = options and options.token
  if token == nil then token = self:token(name) end
  local region = options and options.region or params.RegionId
  local tried = memory["try:" .. name] ~= nil
  if not tried then
    probe:remember("try:" .. name, { action = action, params = params, token = token or nil,
      region = region })
  end
  done = try_until_definite(self, action, params, region, token or nil, tried)
  done.at = probe:now()
  local answer = done.answer
  -- Later steps need the ids only.
  done.answer = answer and { ReplicaGroupId = answer.ReplicaGroupId,
    ReplicaPairId = answer.ReplicaPairId }
  probe:remember("did:" .. name, done)
  return done
end

--- Adds earlier changes to the evidence of the current observation.
---@param names string[]
function Lab:cite(names)
  local open, memory = self.probe.open, self.probe.memory
  for _, name in ipairs(open and names or {}) do
    local try, done = memory["try:" .. name], memory["did:" .. name]
    if done then
      open.calls[#open.calls + 1] = { time = core.iso8601(done.at), action = try.action,
        region = try.region, status = done.status, code = done.code,
        request_id = done.request_id }
    end
  end
end

-- Refusals that pass by themselves, by the vendor's provider and the tables of the operations.
local PASSING = {
  ["OperationDenied.InvalidStatus"] = true, ["OperationDenied.GroupStatusCannotAddPair"] = true,
  ["OperationDenied.PairStatusCannotAddToGroup"] = true, ["OperationDenied.GroupHasPair"] = true,
  ["OperationDenied.PairInitializing"] = true, ["OperationDenied.NoPairInGroup"] = true,
  ["OperationDenied.PairStatusCannotRemoveFromGroup"] = true,
  ["OperationDenied.GroupStatusCannotRemovePair"] = true,
  ["OperationDenied.PairNotInGroup"] = true, ["IncorrectDiskStatus"] = true,
  ["InvalidDisk.AlreadyDetached"] = true,
  ["OperationDenied.PairGroupStatusConflict"] = true,
}
local MUST_TRIES, MUST_PAUSE = 20, 15

--- Makes a change without which the life cannot go on. A refusal that may pass is tried again after
--- a pause, under a new token, since the service may keep a token with its refusal. Any other
--- refusal stops the life.
---@param name string
---@param action string
---@param params table
---@param options? { passing: string?, token: string|false?, region: string? } passing: a code
---that passes here, too
---@return alicloud.conformance.Change
function Lab:must(name, action, params, options)
  local change
  local function passes(code)
    return PASSING[code] or options ~= nil and options.passing == code
  end
  for try = 1, MUST_TRIES do
    local own = try == 1 and name or ("%s#%d"):format(name, try)
    change = self:change(own, action, params, options)
    -- After a lost answer the change may be done already; the wait that follows finds out.
    if not change.code or change.doubt and PASSING[change.code] then return change end
    if not passes(change.code) then break end
    self:once(own .. ":pause", function() self.probe:sleep(MUST_PAUSE) return true end)
  end
  return self:stop(("%s (%s) was refused: %s"):format(action, name, change.code))
end

local KINDS = {
  group = { action = "ebs:DescribeDiskReplicaGroups", ids = "GroupIds", list = "ReplicaGroups",
    id = "ReplicaGroupId" },
  pair = { action = "ebs:DescribeDiskReplicaPairs", ids = "PairIds", list = "ReplicaPairs",
    id = "ReplicaPairId" },
}
M.KINDS = KINDS

--- The four views of a record: from each region, with each value of Site.
---@return { region: string, site: string }[]
function Lab:all_views()
  local views = {}
  for _, region in ipairs { self.source.region, self.destination.region } do
    for _, site in ipairs { "production", "backup" } do
      views[#views + 1] = { region = region, site = site }
    end
  end
  return views
end

-- Returns the list and its answer, or nil and the code of a definite refusal.
local function list_once(lab, kind, params)
  local about = KINDS[kind]
  for try = 1, LOOK_TRIES do
    local answer, err = lab.probe:call(about.action, params, { region = params.RegionId })
    if answer then return answer[about.list] or {}, nil, answer end
    if is_definite(err) then return nil, err.code end
    if try == LOOK_TRIES then lab:stop(("%s: %s"):format(about.action, errors.text_of(err))) end
    lab.probe:sleep(CHANGE_PAUSE * try)
  end
end

--- One record as one region shows it for a site.
---@param kind "group"|"pair"
---@param id string
---@param region string
---@param site string
---@return table|nil record
---@return string? code of a refusal; nil: the record is not in the list
function Lab:view(kind, id, region, site)
  local about = KINDS[kind]
  local list, code = list_once(self, kind, { RegionId = region, Site = site, [about.ids] = id })
  for _, record in ipairs(list or {}) do
    if record[about.id] == id then return record end
  end
  return nil, code
end

--- Looks for a record in both regions and with both values of Site, first where it was found last.
---@param kind "group"|"pair"
---@param id string
---@return table|nil record
---@return string? code of the last refusal other than NoSuchResource
function Lab:look(kind, id)
  local last, refusal = self.views[id]
  if last then
    local record = self:view(kind, id, last.region, last.site)
    if record then return record end
  end
  for _, view in ipairs(self:all_views()) do
    local record, code = self:view(kind, id, view.region, view.site)
    if record then
      self.views[id] = view
      return record
    end
    refusal = code ~= "NoSuchResource" and code or refusal
  end
  return nil, refusal
end

--- All groups or pairs of the account, by id, from both regions and with both values of Site.
---@param kind "group"|"pair"
---@return table<string, table>
function Lab:list(kind)
  local about, found = KINDS[kind], {}
  for _, view in ipairs(self:all_views()) do
    local token
    repeat
      local list, code, answer = list_once(self, kind, { RegionId = view.region,
        Site = view.site, MaxResults = 100, NextToken = token })
      if not list then self:stop(("%s was refused: %s"):format(about.action, code)) end
      for _, record in ipairs(list) do found[record[about.id]] = record end
      token = M.text(answer.NextToken)
    until not token
  end
  return found
end

--- All groups or pairs that this run has made and that still exist, by id. They are filtered here,
--- by `ownership`, and not by a filter of the service.
---@param kind "group"|"pair"
---@return table<string, table>
function Lab:own(kind)
  local own = {}
  for id, record in pairs(self:list(kind)) do
    if ownership.is_own(self, kind, id, record) then own[id] = record end
  end
  return own
end

local FAILED = { create_failed = true, stop_failed = true, failover_failed = true,
  reprotect_failed = true, delete_failed = true, invalid = true }

local function seen_once(lab, kind, id, watch)
  local record = lab:look(kind, id)
  if not record then lab:stop(("%s %s is gone"):format(kind, id)) end
  if watch then watch(record) end
  return record
end

---@class alicloud.conformance.Waited
---@field status string
---@field seconds number since the change
---@field exact boolean the looks were frequent enough to use `seconds` as a measurement

-- Looks until a record has one of the wanted statuses.
local function poll(lab, kind, id, wanted, since, options)
  local probe, every = lab.probe, options.every or M.EVERY
  local before = since
  while true do
    local record = seen_once(lab, kind, id, options.watch)
    local now = probe:now()
    if wanted[record.Status] and (not options.also or options.also(record)) then
      return { status = record.Status, seconds = now - since, exact = now - before <= 3 * every }
    end
    if FAILED[record.Status] and not options.failed_too then
      lab:stop(("%s %s is %s"):format(kind, id, record.Status))
    end
    if now - since > LIMIT then
      lab:stop(("%s %s is still %s"):format(kind, id, record.Status))
    end
    before = now
    probe:sleep(every)
  end
end

--- Waits until a record has a status, and measures how long that takes. Stops the life at a status
--- that is a failure, when the record is gone, and after an hour.
---@param name string
---@param kind "group"|"pair"
---@param id string
---@param wanted string|table<string, boolean>
---@param options? { since: number?, timing: string?, every: number?, failed_too: boolean?,
--- watch: fun(record: table)?, also: (fun(record: table): boolean)? }
---@return alicloud.conformance.Waited
function Lab:wait(name, kind, id, wanted, options)
  options = options or {}
  if type(wanted) == "string" then wanted = { [wanted] = true } end
  local waited = self:once("wait:" .. name, function()
    return poll(self, kind, id, wanted, options.since or self.probe:now(), options)
  end)
  if options.timing and waited.exact then self:sample(name, options.timing, waited.seconds) end
  return waited
end

--- Adds a measured duration to the timings of the run, once.
---@param name string of the wait
---@param timing string its name in the timings of the emulator's world
---@param seconds number
function Lab:sample(name, timing, seconds)
  self:once("timed:" .. name, function()
    self.probe:time(timing, seconds)
    return true
  end)
end

return M
