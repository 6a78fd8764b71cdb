--- Corrects parameters of a run that has begun, e.g. a typo that is noticed late, for the steps to
--- come. A parameter that a finished step has used is frozen, since its work was done with it. So
--- the record of each step names the parameters that were read for it: in its body, and outside of
--- steps before its end. A parameter that is declared as `revisable` is never frozen.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local params = require "alicloud.dr.playbook.params"
local tables = require "alicloud.base.tables"

local M = {}

--- The option `corrections` of a run.
---@class alicloud.dr.CorrectionWish
---@field values table<string, any> by name, as they would be given to a new run
---@field why string
---@field by? string nil: the requester of the run

---@class alicloud.dr.Correction
---@field name string
---@field old any as the journal has it; nil: it was not given
---@field value any from now on

local function revisable_of(playbook)
  local names = {}
  for _, param in ipairs(playbook.params or {}) do names[param.name] = param.revisable end
  return names
end

local function note_read(branch, name)
  local reads = branch.step_key and branch.step_reads or branch.reads
  reads[name] = true
end

local function read(view, name)
  local held = getmetatable(view)
  local all = held.branch.engine.params
  if all[name] ~= nil and not held.revisable[name] then note_read(held.branch, name) end
  return all[name]
end

local function refuse_change() error("playbook: params: they cannot be changed", 2) end

local function read_all(view)
  local held = getmetatable(view)
  local all = held.branch.engine.params
  for name in pairs(all) do
    if not held.revisable[name] then note_read(held.branch, name) end
  end
  return next, all, nil
end

--- A read-only view of the parameters for a branch, which keeps what is read.
---@param branch alicloud.dr.PlaybookRun
---@return table<string, any>
function M.view(branch)
  local parent = branch.parent and getmetatable(branch.parent.params)
  return setmetatable({}, { __name = "alicloud.dr.Params", __index = read,
    __newindex = refuse_change, __pairs = read_all, branch = branch,
    revisable = parent and parent.revisable or revisable_of(branch.engine.playbook) })
end

--- The parameters that were read for the step in which a branch is.
---@param branch alicloud.dr.PlaybookRun
---@return string[] sorted
function M.used(branch)
  local names = tables.copy(branch.step_reads)
  local level = branch
  while level do
    for name in pairs(level.reads) do names[name] = true end
    level = level.parent
  end
  return tables.keys(names)
end

-- The first finished step that has used a parameter.
local function used_by(state, name)
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    if step.status == "done" and step.used[name] then return key end
  end
  return nil
end

--- The parameters of failed steps that can be corrected.
---@param state alicloud.dr.RunState
---@return string[] sorted
function M.open(state)
  local names = {}
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    for name in pairs(step.status == "failed" and not step.went_on and step.used or {}) do
      names[name] = used_by(state, name) == nil or nil
    end
  end
  return tables.keys(names)
end

local function refuse(code, message, hint)
  return nil, errors.new { kind = "state", code = code, outcome = "not_sent", message = message,
    hint = hint }
end

-- Most bytes of a value that are shown.
local MOST = 100

-- The first line of a value: a long one from a file would hide who corrected it, and why.
local function show(value)
  if value == nil then return "not given" end
  local text = type(value) == "string" and value or core.encode(value)
  local line = text:match "^[^\r\n]*"
  if #line > MOST then line = line:sub(1, utf8.offset(line, 0, MOST + 1) - 1) end
  return line == text and text or ("%s… (%d bytes)"):format(line, #text)
end

local function is_same(a, b)
  return core.encode { a } == core.encode { b }
end

local function changes_of(state, wish)
  local list, kept = {}, journals.plain(params.written(wish.values))
  for _, name in ipairs(tables.keys(kept)) do
    local old = state.params[name]
    if not is_same(old, kept[name]) then
      list[#list + 1] = { name = name, old = old, value = kept[name] }
    end
  end
  return list
end

--- The reason that is written for revisable parameters that are given anew.
M.ANEW = "given anew"

--- Whether all of some parameters are revisable.
---@param playbook alicloud.dr.Playbook
---@param values table<string, any>
---@return boolean
function M.are_revisable(playbook, values)
  local revisable = revisable_of(playbook)
  for name in pairs(values) do
    if not revisable[name] then return false end
  end
  return true
end

--- The given parameters that differ from those of a run that has begun, if all are revisable.
---@param state alicloud.dr.RunState
---@param playbook alicloud.dr.Playbook
---@param given table<string, any>
---@return table<string, any>|nil values nil: one that differs is not revisable
---@return table<string, any>? params the given ones, with revisable ones as the run has them
function M.revised(state, playbook, given)
  local values = {}
  for _, each in ipairs(changes_of(state, { values = given })) do values[each.name] = each.value end
  if not M.are_revisable(playbook, values) then return nil end
  local known = tables.merged(given)
  for name in pairs(revisable_of(playbook)) do known[name] = state.params[name] end
  return values, known
end

--- Tells how to correct the parameter that an error blames: the argument behind `resume JOURNAL`.
--- A value of several lines came from a file.
---@param err table
---@param given table<string, any> parameters as they were given
---@return string|nil word NAME=VALUE or NAME=@FILE, or with the value that the error tells; nil:
---the error blames no parameter
---@return string why " --why TEXT" where it has to be added, else ""
function M.cure(err, given)
  local name, value = err.parameter, err.parameter_value
  if type(name) ~= "string" then return nil, "" end
  if math.type(value) == "integer" then return ("%s=%d"):format(name, value), "" end
  local is_file = type(given[name]) == "string" and given[name]:find "[\r\n]"
  return name .. (is_file and "=@FILE" or "=VALUE"), " --why TEXT"
end

--- Makes the error for a parameter that cannot be read.
---@param message string as `params.read` gives it; it begins with "parameter NAME"
---@return alicloud.Error
function M.bad(message)
  return errors.new { kind = "state", code = "Client.BadParameter", outcome = "not_sent",
    message = message, parameter = message:match "^parameter ([%w_]+)" }
end

--- Judges corrections, without making them.
---@param state alicloud.dr.RunState
---@param playbook alicloud.dr.Playbook
---@param wish alicloud.dr.CorrectionWish
---@return alicloud.dr.Correction[]|nil
---@return alicloud.Error? err "Client.ParameterFrozen" or "Client.BadParameter"
function M.judge(state, playbook, wish)
  local list = changes_of(state, wish)
  local _, message = params.read(playbook.params, tables.merged(state.params, wish.values))
  if message and not state.is_over then return nil, M.bad(message) end
  for _, each in ipairs(list) do
    local step = used_by(state, each.name)
    if state.is_over then
      return refuse("Client.ParameterFrozen", ("parameter %s stays %s: the run has come to its "
        .. "end"):format(each.name, show(each.old)), "begin a new run with what is right")
    end
    if step then
      return refuse("Client.ParameterFrozen", ("parameter %s stays %s: step %q is finished and was "
        .. "done with it"):format(each.name, show(each.old), step),
        "what is finished is not done again; correct what later steps take, or begin a new run")
    end
  end
  return list
end

--- The records of corrections.
---@param list alicloud.dr.Correction[]
---@param wish alicloud.dr.CorrectionWish
---@param by string
---@return table[] events
function M.events(list, wish, by)
  local events = {}
  for i, each in ipairs(list) do
    events[i] = { type = "correction", name = each.name, old = each.old, new = each.value,
      by = wish.by or by, why = wish.why }
  end
  return events
end

--- A correction in words; the values are not cleaned.
---@param event table
---@return string
function M.words(event)
  local value = event.new
  return ("parameter %s corrected from %s to %s by %s: %s"):format(event.name, show(event.old),
    show(value), event.by, event.why)
end

return M
