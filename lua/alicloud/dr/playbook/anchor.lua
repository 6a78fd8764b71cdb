--- Hands the journal's head to a witness outside when an attempt begins, at the point of no return,
--- and at the end. With a noted head it can be proved later that no record before it was changed.
--- The journal gets the answer, or the failure, which does not stop the run.

local adapter = require "alicloud.net.adapter"
local core = require "alicloud.core"
local endpoint = require "alicloud.net.endpoint"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local programs = require "alicloud.dr.playbook.program"
local schema = require "alicloud.base.schema"
local signatures = require "alicloud.dr.playbook.signature"

local M = {}

---@class alicloud.dr.Notice
---@field run string run id
---@field moment "begin"|"no_return"|"end"
---@field records integer how many records the journal has
---@field head string sum of the last of them
---@field at number unix seconds

-- Most seconds for which a run waits for a witness.
local SECONDS = 5
local ANSWER_BYTES = 200

-- Whether the transport will accept the URL: plain HTTP is allowed only to this machine.
local function is_reachable(url)
  local host = url:match "^[Hh][Tt][Tt][Pp]://([^/?#]*)"
  return not host or not endpoint.authority_fault(host) and endpoint.is_loopback(host)
end

M.RULE = schema.rule("a command line for sh, an https URL, an http one of this machine, or a "
  .. "function", function(value)
  return schema.callable.test(value) or schema.text.test(value) and is_reachable(value)
end)

-- Redirects the program's standard output to standard error, which is read here line by line; what
-- it writes to standard error itself is dropped.
local OUTPUT_ALONE = "exec >&2 2>/dev/null\n"

local function run_program(engine, command, notice)
  local answer
  local ended, fault = programs.line(engine.loop, OUTPUT_ALONE .. command, {
    ALICLOUD_DR_RUN = notice.run, ALICLOUD_DR_MOMENT = notice.moment,
    ALICLOUD_DR_RECORDS = notice.records, ALICLOUD_DR_HEAD = notice.head }, { timeout = SECONDS,
    say = function(line) answer = answer or line end })
  if not ended then return false, fault end
  if ended.late then return false, ("no answer within %d s"):format(SECONDS) end
  local code, signal = ended.code, ended.signal
  if signal then return false, ("ended by signal %d"):format(signal) end
  if not code then return false, "how it ended cannot be known" end
  return code == 0, code == 0 and answer
    or ("exit code %d%s"):format(code, (answer or "") ~= "" and ": " .. answer or "")
end

local function post(engine, url, notice)
  local carrier = adapter.builtin(engine.options.anchor_network or {}, engine.loop)
  local _ <close> = setmetatable({}, { __close = carrier.close })
  local answer = carrier.send { method = "POST", url = url, host = url:match "^%a+://([^/?#]*)",
    headers = { ["content-type"] = "application/json" }, body = core.encode(notice),
    timeout = SECONDS, mutating = true, action = "(witness)" }
  if answer.failure then return false, adapter.words(answer) end
  local fine = answer.status >= 200 and answer.status <= 299
  return fine, fine and answer.body or ("HTTP status %d"):format(answer.status)
end

local function ask(engine, notice)
  local to = engine.options.anchor
  if schema.callable.test(to) then
    local answer, why = to(notice)
    return answer ~= nil and answer ~= false, answer or why
  end
  if to:find "^[Hh][Tt][Tt][Pp][Ss]?://" then return post(engine, to, notice) end
  return run_program(engine, to, notice)
end

local function first_line(text)
  return errors.text_of(errors.words_of(text or ""):match "^[^\r\n]*", ANSWER_BYTES)
end

-- The name of the witness for the journal: a URL without its query, which may hold a token.
local function name_of(to)
  if schema.callable.test(to) then return "a function" end
  return (to:gsub("^(%a+://[^?#]*)[?#].*$", "%1?…"))
end

--- Hands the journal's head over, once for each moment of an attempt, if the run has a witness.
---@param engine alicloud.dr.Engine
---@param moment "begin"|"no_return"|"end"
function M.tell(engine, moment)
  local journal = engine.journal
  if not engine.options.anchor or journal.fault or engine.told[moment] then return end
  engine.told[moment] = true
  local notice = { run = engine.state.run.run_id, moment = moment, records = journal.seq,
    head = journal.head, at = engine.runtime.time() }
  local ok, fine, answer = guard.call(ask, engine, notice)
  if not ok then fine, answer = false, fine end
  engine:write({ type = "anchored", moment = moment, records = notice.records, head = notice.head,
    to = name_of(engine.options.anchor), ok = fine, answer = first_line(answer) }, true)
end

local function vouch(engine)
  local signer, journal = engine.options.sign, engine.journal
  if signer and not journal.fault then
    engine:write(function()
      return signatures.sign(signer, engine.state.run.run_id, journal.seq, journal.head,
        engine.runtime.time())
    end, true)
  end
  M.tell(engine, "end")
end

--- Signs the end of an attempt, and hands it to the witness. An interrupt or a cancellation
--- meanwhile is ignored: the run has ended already.
---@param engine alicloud.dr.Engine
function M.seal(engine)
  local ok, raised = pcall(vouch, engine)
  if not ok and not guard.is_stop(raised) then error(raised, 0) end
end

return M
