--- What other people tell a run while it goes on: approvals, and that the old side is given up.
--- Each is one JSON line that they leave in the store; the run reads them between steps and while
--- it waits, and writes down what it took. An approval is signed, so anybody may carry it. Any
--- other line is an order, and counts only from somebody whom the store trusts.

local core = require "alicloud.core"

local M = {}

local STRANGE_APPROVALS = 20

---@class alicloud.dr.Mail
local Mail = {}
Mail.__index = Mail

---@param engine alicloud.dr.Engine
---@return alicloud.dr.Mail
function M.new(engine)
  return setmetatable({ engine = engine, read = {}, refused = {}, carried = {},
    approvals = {} }, Mail)
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
    mail = letter.digest, from = letter.who }
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

-- Told once, or strangers could fill the journal.
local function refuse(mail, name, letter)
  if mail.refused[letter.who] then return end
  mail.refused[letter.who] = true
  mail.engine:record { type = "note", text = ("not obeyed: %s was left by %s, in a file that does "
    .. "not give orders to this run: %s"):format(letter.type, letter.who, name) }
end

-- Each that is not taken is told, so a stranger brings some and not any number.
local function carry(mail, letters, letter)
  local count = (mail.carried[letters.who] or 0) + 1
  mail.carried[letters.who] = count
  if letters.trusted or count <= STRANGE_APPROVALS then TAKE.approval(mail, letter) end
end

local function take(mail, letters, line)
  local engine = mail.engine
  local letter = open_letter(engine, line)
  local act = letter and not engine.state.mails[letter.digest] and TAKE[letter.type]
  if not act then return end
  if letter.type == "approval" then return carry(mail, letters, letter) end
  letter.who = letters.who
  if not letters.trusted then return refuse(mail, letters.name, letter) end
  act(mail, letter)
end

--- Reads what has come since the last time. Mail that cannot be read is mail that has not come.
function Mail:poll()
  for _, letters in ipairs(self.engine.store:mail() or {}) do
    for i = (self.read[letters.name] or 0) + 1, #letters.lines do
      self.read[letters.name] = i
      take(self, letters, letters.lines[i])
    end
  end
end

return M
