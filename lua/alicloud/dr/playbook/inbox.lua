--- The inbox of a run: lines that other people leave in the store, with approvals, or with the
--- order to give the old side up. The run reads them between steps and while it waits, and writes
--- down which it took. An approval is signed, so anybody may bring it. Any other line is an order,
--- and counts only from somebody whom the store trusts.

local core = require "alicloud.core"
local turns = require "alicloud.dr.journal.turns"

local M = {}

local STRANGE_APPROVALS = 20

---@class alicloud.dr.Inbox
local Inbox = {}
Inbox.__index = Inbox

---@param engine alicloud.dr.Engine
---@return alicloud.dr.Inbox
function M.new(engine)
  return setmetatable({ engine = engine, read = {}, refused = {}, carried = {},
    approvals = {}, turns = turns.new(engine.loop) }, Inbox)
end

local function is_words(value)
  return type(value) == "string" and value ~= "" and #value <= 500 and not value:find("%c")
end

local TAKE = {}

function TAKE.mode(inbox, line)
  local engine = inbox.engine
  local valid = (line.mode == "graceful" or line.mode == "ungraceful")
    and is_words(line.by) and is_words(line.why)
  if not valid or line.mode == engine.state.mode then return end
  local way = engine.playbook.graceful_only
  if way and line.mode == "ungraceful" then
    return engine:record { type = "note", mail = line.digest,
      text = ("%s wishes to give the old side up, but there is no ungraceful way: %s"):format(
        line.by, way) }
  end
  engine:record { type = "mode", mode = line.mode, by = line.by, why = line.why,
    mail = line.digest, from = line.who }
end

function TAKE.approval(inbox, line)
  inbox.approvals[#inbox.approvals + 1] = line
end

--- The line that switches the mode of a run.
---@param run_id string
---@param mode "graceful"|"ungraceful"
---@param by string
---@param why string
---@return string
function M.mode_line(run_id, mode, by, why)
  return core.encode { type = "mode", run = run_id, mode = mode, by = by, why = why }
end

local function read(engine, text)
  local line = core.decode(text)
  if type(line) ~= "table" or line.run ~= engine.state.run.run_id then return nil end
  line.digest = core.sha256(text)
  return line
end

-- Notes an order that is not obeyed, once for each sender, or strangers could fill the journal.
local function refuse(inbox, name, line)
  if inbox.refused[line.who] then return end
  inbox.refused[line.who] = true
  inbox.engine:record { type = "note", text = ("not obeyed: %s was left by %s, in a file that does "
    .. "not give orders to this run: %s"):format(line.type, line.who, name) }
end

-- Keeps an approval for its gate. Each bad one gets a note in the journal, so the number from a
-- stranger is limited.
local function keep_approval(inbox, file, line)
  local count = (inbox.carried[file.who] or 0) + 1
  inbox.carried[file.who] = count
  if file.trusted or count <= STRANGE_APPROVALS then TAKE.approval(inbox, line) end
end

local function take(inbox, file, text)
  local engine = inbox.engine
  local line = read(engine, text)
  local act = line and not engine.state.taken_lines[line.digest] and TAKE[line.type]
  if not act then return end
  if line.type == "approval" then return keep_approval(inbox, file, line) end
  line.who = file.who
  if not file.trusted then return refuse(inbox, file.name, line) end
  act(inbox, line)
end

--- Reads new lines. Files that cannot be read are passed over. Branches take turns, since the
--- effect of a line depends on the lines before it.
function Inbox:poll()
  local turn <close> = self.turns:new_turn()
  if not turn:take() then return end
  for _, file in ipairs(self.engine.store:mail() or {}) do
    for i = (self.read[file.name] or 0) + 1, #file.lines do
      self.read[file.name] = i
      take(self, file, file.lines[i])
    end
  end
end

return M
