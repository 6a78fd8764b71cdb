--- The outage that a run is about, and the clocks by which it is told. Whoever asks for the run, or
--- goes on with it, may say since when nothing has been written: by the option `outage_at`, or by a
--- parameter of that name and of the type "moment". Every look tells how far the machine's clock is
--- from the server's, and what is so long ago becomes a moment with the first of them.

local moment = require "alicloud.base.moment"

local M = {}

---@class alicloud.dr.DeclaredOutage
---@field said string as it was given
---@field said_at number unix seconds by the clock of the machine on which it was said
---@field by string?
---@field at number? unix seconds; nil as long as nobody has looked

--- How far the server's clock is ahead of that of the machine, in seconds, by looks at groups.
---@class alicloud.dr.RunClocks
---@field now number? of the newest attempt
---@field first number? of the first one that has looked
---@field marks table<string, number> when each finish line was reached

local NAME = "outage_at"

-- Dates of answers have whole seconds, so a difference as small is none.
local NOTICEABLE = 2

local function declared_param(playbook)
  for _, param in ipairs(playbook.params or {}) do
    if param.name == NAME then return param.type == "moment" end
  end
  return false
end

--- What is said of the outage when a process begins with a run.
---@param engine alicloud.dr.Engine
---@return table|nil event nil: nothing that is not known already
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

-- Another process may be on another machine.
function APPLY.attempt(state)
  state.clocks.now = nil
end

function APPLY.look(state, event)
  if not event.read_at then return end
  -- Behind the answer a site that is dark may have been waited for.
  local clocks, offset = state.clocks, event.read_at - (event.heard_at or event.at)
  clocks.now = math.abs(offset) >= NOTICEABLE and offset or 0
  clocks.first = clocks.first or clocks.now
  local outage = state.outage
  if outage and not outage.at then
    outage.at = moment.resolve(outage.said, outage.said_at + clocks.now)
  end
end

function APPLY.mark(state, event)
  -- The first success from outside is the one that counts.
  if event.at == state.marks[event.mark] then state.clocks.marks[event.mark] = state.clocks.now end
end

--- Takes an event of a run into account, behind its state.
---@param state alicloud.dr.RunState
---@param event table
function M.apply(state, event)
  local apply = APPLY[event.type]
  if apply then apply(state, event) end
end

--- Whether the next look has to be written down, whatever it shows.
---@param state alicloud.dr.RunState
---@return boolean
function M.needs_look(state)
  return state.clocks.now == nil
end

--- The outage, for the verbs of a group.
---@param state alicloud.dr.RunState
---@param now number unix seconds by the clock of this machine
---@return number|string|nil a moment
function M.of(state, now)
  local outage = state.outage
  if not outage or outage.at then return outage and outage.at end
  local _, ago = moment.parse(outage.said)
  return ("%ds"):format(math.floor(ago + math.max(0, now - outage.said_at)))
end

return M
