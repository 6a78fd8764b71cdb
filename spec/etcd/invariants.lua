--- What must hold after controllers have shared a store, whatever was killed, stopped, lost or
--- restored: judged from a history alone, which can be kept and judged again.
---
---     lua5.4 spec/etcd/invariants.lua build/nemesis/*.jsonl
---
--- Events of a history, each with a `type`:
---
---     item      { run, account, group, region }       what was to be done
---     try       { who, run, first, lines, fence }     a transaction that was to append records
---     record    { run, seq, text }                    what the store has in the end
---     mirror    { who, run, text }                    the copy of a controller's machine
---     ledger    { account, effects }                  what happened in the cloud
---     lock      { key, lease }                        what is locked in the end
---     struck    { who, signal }                       done to a controller, or a `member`
---     exit      { who, code, why }                    as it says itself
---     ended     { who, how, code, said }              as the system says
---     restored  { }                                   the store was put back to an older state
---     incomplete { }                                  not all is asked to be done

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

local FIRST = ("0"):rep(64)

local function new_view()
  return { items = {}, runs = {}, ledgers = {}, mirrors = {}, locks = {}, struck = {}, exits = {},
    ended = {}, tries = {}, counts = {} }
end

local function run_of(view, name)
  local run = view.runs[name] or { records = {}, tries = {} }
  view.runs[name] = run
  return run
end

local READ = {}

function READ.item(view, event) view.items[event.run] = event end

function READ.record(view, event)
  local records, line = run_of(view, event.run).records, core.decode(event.text)
  records[#records + 1] = { seq = event.seq, text = event.text,
    line = type(line) == "table" and line or {} }
end

-- By place and text: the chain makes no two writers write the same.
function READ.try(view, event)
  local tries = run_of(view, event.run).tries
  for i, line in ipairs(event.lines) do
    local key = event.first + i - 1 .. " " .. line
    tries[key] = tries[key] or {}
    tries[key][event.fence or "none"] = event.who
  end
end

function READ.mirror(view, event) view.mirrors[#view.mirrors + 1] = event end
function READ.lock(view, event) view.locks[#view.locks + 1] = event end
function READ.ledger(view, event) view.ledgers[event.account] = event.effects end
function READ.exit(view, event) view.exits[event.who] = event end
function READ.ended(view, event) view.ended[event.who] = event end
function READ.restored(view) view.restored = true end
function READ.incomplete(view) view.incomplete = true end

function READ.struck(view, event)
  if event.signal == "KILL" and event.who then view.struck[event.who] = true end
end

local CHECKS = {}

-- Every record follows the one before it.
function CHECKS.chain(view, say)
  for name, run in pairs(view.runs) do
    local sum = FIRST
    for i, record in ipairs(run.records) do
      local line = record.line
      if record.seq ~= i or line.seq ~= i or line.prev ~= sum then
        say("%s: record %d does not follow", name, i)
        break
      end
      sum = line.sum
    end
  end
end

-- Each record was written by whoever had written the last `attempt`, and no fence comes twice.
function CHECKS.fences(view, say)
  for name, run in pairs(view.runs) do
    local fence
    for _, record in ipairs(run.records) do
      local event = record.line.event or {}
      if event.type == "attempt" then
        if fence and event.fence <= fence then
          say("%s: record %d has the fence %d behind %d", name, record.seq, event.fence, fence)
        end
        fence = event.fence
      end
      local writers = run.tries[record.seq .. " " .. record.text]
      if not writers then
        say("%s: nobody wrote record %d", name, record.seq)
      elseif fence and not writers[tostring(fence)] then
        say("%s: record %d is of %s, not of the fence %d", name, record.seq,
          tostring(select(2, next(writers))), fence)
      end
    end
  end
end

-- A copy has nothing that the store has not, unless that was put back.
function CHECKS.mirrors(view, say)
  if view.restored then return end
  for _, mirror in ipairs(view.mirrors) do
    local lines = {}
    for i, record in ipairs(run_of(view, mirror.run).records) do lines[i] = record.text end
    if table.concat(lines):sub(1, #mirror.text) ~= mirror.text then
      say("%s: the copy of %s is no beginning of it", mirror.run, mirror.who)
    end
  end
end

local function effects_of(view, item)
  local list = {}
  for _, effect in ipairs(view.ledgers[item.account] or {}) do
    if effect.group == item.group then list[#list + 1] = effect end
  end
  return list
end

-- What the records of a run say of each token: whether a call with it may have been done.
local function tokens_of(run)
  local tokens, calls = {}, {}
  for _, record in ipairs(run.records) do
    local event = record.line.event or {}
    if event.type == "call" then
      calls[event.call] = event.client_token
      tokens[event.client_token] = tokens[event.client_token] or { open = 0 }
      tokens[event.client_token].open = tokens[event.client_token].open + 1
    elseif event.type == "answer" and calls[event.call] then
      if event.outcome == "not_sent" or event.outcome == "rejected" then
        local token = tokens[calls[event.call]]
        token.open = token.open - 1
      end
    end
  end
  return tokens
end

-- One effect a group, in its direction, with a token that its journal knows as sent.
function CHECKS.effects(view, say)
  for name, item in pairs(view.items) do
    local effects = effects_of(view, item)
    if #effects > 1 or #effects == 0 and not view.incomplete then
      say("%s: %d effects", name, #effects)
    end
    local tokens = tokens_of(run_of(view, name))
    for _, effect in ipairs(effects) do
      local token = tokens[effect.client_token]
      if not (effect.to or ""):find(item.region, 1, true) then
        say("%s: the effect is towards %s", name, tostring(effect.to))
      end
      if not view.restored and not token then
        say("%s: the journal does not know the token of an effect", name)
      elseif token and token.open == 0 then
        say("%s: an effect is said not to have been sent", name)
      end
    end
  end
end

-- Nothing was done to what nobody asked for.
function CHECKS.strangers(view, say)
  local asked = {}
  for _, item in pairs(view.items) do asked[item.account .. "/" .. item.group] = true end
  for account, effects in pairs(view.ledgers) do
    for _, effect in ipairs(effects) do
      local key = account .. "/" .. tostring(effect.group)
      if not asked[key] then say("%s: %s", key, tostring(effect.action)) end
    end
  end
end

-- Every run has its end, in the words of its own journal.
function CHECKS.done(view, say)
  if view.incomplete then return end
  for name in pairs(view.items) do
    local records = run_of(view, name).records
    local last = records[#records] and records[#records].line.event or {}
    if last.type ~= "finished" then say("%s: ends with %s", name, tostring(last.type)) end
  end
end

-- What is locked is so only as long as somebody lives.
function CHECKS.locks(view, say)
  for _, lock in ipairs(view.locks) do
    if not lock.lease then say("%s is locked for ever", lock.key) end
  end
end

-- Who was not killed has said why he ended.
function CHECKS.exits(view, say)
  for who, ended in pairs(view.ended) do
    local exit = view.exits[who]
    if ended.how == "signal" then
      if not view.struck[who] then say("%s: ended by signal %s", who, tostring(ended.code)) end
    elseif not exit or exit.code ~= ended.code then
      say("%s: exit code %s without a word: %s", who, tostring(ended.code),
        tostring(ended.said))
    elseif exit.code ~= 0 and (not exit.why or exit.code == 99) then
      say("%s: exit code %d: %s", who, exit.code, tostring(exit.why))
    elseif ended.said then
      say("%s: said %s", who, ended.said)
    end
  end
end

--- The names of what is checked, sorted.
M.NAMES = tables.keys(CHECKS)

local function is_run_as_a_program()
  return arg and (arg[0] or ""):find "spec/etcd/invariants%.lua$" ~= nil
end

--- Judges a history.
---@param history table[]
---@return string[] violations
function M.check(history)
  local view, violations = new_view(), {}
  for _, event in ipairs(history) do
    if READ[event.type] then READ[event.type](view, event) end
  end
  for _, run in pairs(view.runs) do
    table.sort(run.records, function(one, other) return one.seq < other.seq end)
  end
  for _, name in ipairs(M.NAMES) do
    CHECKS[name](view, function(form, ...)
      violations[#violations + 1] = name .. ": " .. form:format(...)
    end)
  end
  return violations
end

--- Reads a history that was kept.
---@param path string
---@return table[]
function M.read(path)
  local history = {}
  for line in io.lines(path) do
    history[#history + 1] = assert(core.decode(line, { max_bytes = 64 * 1024 * 1024 }))
  end
  return history
end

if is_run_as_a_program() then
  local failed = 0
  for _, path in ipairs(arg) do
    for _, violation in ipairs(M.check(M.read(path))) do
      failed = failed + 1
      io.write(("%s: %s\n"):format(path, violation))
    end
  end
  os.exit(failed == 0, true)
end

return M
