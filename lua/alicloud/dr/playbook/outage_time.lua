--- Keeps the declared outage of a run, and the offsets of the clocks. The outage is declared by the
--- option `outage_at`, or by a parameter of that name and of the type "moment", at the beginning or
--- for a resume. Every look shows the offset of the machine's clock from the server's; with the
--- first look a duration ("20m ago") becomes a fixed time.

local moment = require "alicloud.base.moment"

local M = {}

---@class alicloud.dr.DeclaredOutage
---@field said string as it was given
---@field said_at number unix seconds by the clock of the machine on which it was given
---@field by string?
---@field at number? unix seconds by the server's clock; nil: a duration, before the first look

--- By how many seconds the server's clock is ahead of the machine's, from looks at groups.
---@class alicloud.dr.RunClocks
---@field now number? in the newest attempt; nil: it has not looked yet
---@field first number? in the first attempt that has looked
---@field marks table<string, number> when each finish line was reached

local NAME = "outage_at"

-- Smaller differences count as 0, since dates of answers have whole seconds.
local NOTICEABLE = 2

local function declared_param(playbook)
  for _, param in ipairs(playbook.params or {}) do
    if param.name == NAME then return param.type == "moment" end
  end
  return false
end

--- The record of the outage that a process declares for its run.
---@param engine alicloud.dr.Engine
---@return table|nil event nil: none is declared, or it is known already
function M.event(engine)
  local said = engine.options.outage_at
    or declared_param(engine.playbook) and engine.params.outage_at or nil
  if said == nil then return nil end
  said = type(said) == "number" and ("%.14g"):format(said) or said
  local known = engine.state.outage
  if known and known.said == said then return nil end
  return { type = "outage", said = said, by = engine.holder and engine.holder.owner }
end

local APPLY = {}

function APPLY.outage(state, event)
  state.outage = { said = event.said, said_at = event.at, by = event.by,
    at = (moment.parse(event.said)) }
end

-- Another process may be on another machine, with another clock.
function APPLY.attempt(state)
  state.clocks.now = nil
end

function APPLY.look(state, event)
  if not event.read_at then return end
  -- `at` may be much later than the answer, if the look also waited for the other site.
  local clocks, offset = state.clocks, event.read_at - (event.heard_at or event.at)
  clocks.now = math.abs(offset) >= NOTICEABLE and offset or 0
  clocks.first = clocks.first or clocks.now
  local outage = state.outage
  if outage and not outage.at then
    outage.at = moment.resolve(outage.said, outage.said_at + clocks.now)
  end
end

function APPLY.mark(state, event)
  -- A later "verified" does not count: the mark keeps its first time.
  if event.at == state.marks[event.mark] then state.clocks.marks[event.mark] = state.clocks.now end
end

--- Applies an event of a run; to be called after the state has applied it.
---@param state alicloud.dr.RunState
---@param event table
function M.apply(state, event)
  local apply = APPLY[event.type]
  if apply then apply(state, event) end
end

--- Whether the next look has to be written even if it shows nothing new, for its clock offset.
---@param state alicloud.dr.RunState
---@return boolean
function M.needs_look(state)
  return state.clocks.now == nil
end

--- The option `outage_at` for the verbs of a group.
---@param state alicloud.dr.RunState
---@param now number unix seconds by the clock of this machine
---@return number|string|nil outage_at a moment; nil: no outage is declared
function M.of(state, now)
  local outage = state.outage
  if not outage or outage.at then return outage and outage.at end
  local _, ago = moment.parse(outage.said)
  return ("%ds"):format(math.floor(ago + math.max(0, now - outage.said_at)))
end

return M
