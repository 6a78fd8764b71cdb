--- What other people tell a run while it goes on: approvals, and that the old side is given up.
--- Each is one JSON line that they leave in the store; the run reads them between steps and while
--- it waits, and writes down what it took.

local core = require "alicloud.core"

local M = {}

---@class alicloud.dr.Mail
local Mail = {}
Mail.__index = Mail

---@param engine alicloud.dr.Engine
---@return alicloud.dr.Mail
function M.new(engine)
  return setmetatable({ engine = engine, read = 0, approvals = {} }, Mail)
end

local function is_words(value)
  return type(value) == "string" and value ~= "" and #value <= 500 and not value:find("%c")
end

local TAKE = {}

function TAKE.mode(mail, letter)
  local engine = mail.engine
  local valid = (letter.mode == "graceful" or letter.mode == "ungraceful")
    and is_words(letter.by) and is_words(letter.why)
  if not valid or letter.mode == engine.state.mode then return end
  local way = engine.playbook.graceful_only
  if way and letter.mode == "ungraceful" then
    return engine:record { type = "note", mail = letter.digest,
      text = ("%s wishes to give the old side up, but there is no ungraceful way: %s"):format(
        letter.by, way) }
  end
  engine:record { type = "mode", mode = letter.mode, by = letter.by, why = letter.why,
    mail = letter.digest }
end

function TAKE.approval(mail, letter)
  mail.approvals[#mail.approvals + 1] = letter
end

--- The line that switches a run.
---@param run_id string
---@param mode "graceful"|"ungraceful"
---@param by string
---@param why string
---@return string
function M.mode_line(run_id, mode, by, why)
  return core.encode { type = "mode", run = run_id, mode = mode, by = by, why = why }
end

local function open_letter(engine, line)
  local letter = core.decode(line)
  if type(letter) ~= "table" or letter.run ~= engine.state.run.run_id then return nil end
  letter.digest = core.sha256(line)
  return letter
end

--- Reads what has come since the last time. Mail that cannot be read is mail that has not come.
function Mail:poll()
  local engine = self.engine
  local lines = engine.store:mail() or {}
  for i = self.read + 1, #lines do
    self.read = i
    local letter = open_letter(engine, lines[i])
    local known = letter and engine.state.mails[letter.digest]
    local take = letter and not known and TAKE[letter.type]
    if take then take(self, letter) end
  end
end

return M
