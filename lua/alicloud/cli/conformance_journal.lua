--- The journal of `conformance`: JSON lines in a file beside the output. Every call is written
--- there before it is sent, so that an interrupted run can be continued.

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"

local M = {}

--- The field `format` of the first line.
M.FORMAT = "alicloud-dr conformance journal 1"

---@class alicloud.cli.ConformanceStart the first line of a journal
---@field format string
---@field tool string
---@field started number unix seconds
---@field region string
---@field tiers string[]
---@field lab table groups, disks and instances that were typed

---@class alicloud.cli.ConformanceJournal
---@field path string
---@field append fun(record: table, lasting: boolean?)
---@field close fun()

-- Writes records; with `lasting` it returns only when the record is on the disk. Raises on failure.
local function writer(path, file)
  local journal = { path = path }

  function journal.append(record, lasting)
    local ok, message = file:append(core.encode(record) .. "\n")
    if ok and lasting then ok, message = file:sync() end
    if not ok then error(("%s: %s"):format(path, message), 0) end
  end

  function journal.close() file:close() end

  return journal
end

--- Begins a journal; an existing file is refused.
---@param path string
---@param start alicloud.cli.ConformanceStart
---@return alicloud.cli.ConformanceJournal|nil
---@return string? message
function M.create(path, start)
  local file, message, code = core.open_file(path, "create")
  if not file then
    return nil, code == "EEXIST" and path .. " is there already; allowed: a new file" or message
  end
  local journal = writer(path, file)
  start.format = M.FORMAT
  journal.append(start, true)
  return journal
end

-- Drops a last line without its newline: a crash has cut it.
local function whole_lines(text)
  return text:match "^(.*\n)[^\n]*$" or ""
end

local function start_problem(start)
  if type(start) ~= "table" or start.format ~= M.FORMAT then
    return ("line 1, field format: got %s; allowed: %s"):format(
      schema.show(type(start) == "table" and start.format or nil), schema.show(M.FORMAT))
  end
  for name, kind in pairs { region = "string", tiers = "table", lab = "table",
    started = "number" } do
    if type(start[name]) ~= kind then
      return ("line 1, field %s: got %s; allowed: a %s"):format(name, schema.show(start[name]),
        kind)
    end
  end
end

local function take(found, line)
  if line.remembered then found.memory[line.remembered.key] = line.remembered.value end
  if line.decided then found.decided[line.decided.name] = line.decided end
  if line.timing then
    local list = found.timings[line.timing.name] or {}
    list[#list + 1] = line.timing.seconds
    found.timings[line.timing.name] = list
  end
  local answer = line.answer
  if type(answer) == "table" and answer.message and answer.code then
    found.messages[answer.code] = { status = answer.status, text = answer.message }
  end
end

---@class alicloud.cli.ConformancePast
---@field start alicloud.cli.ConformanceStart
---@field memory table<string, any>
---@field decided table<string, alicloud.conformance.Decision>
---@field messages table
---@field timings table<string, number[]>

--- Reads what an earlier part of the run wrote.
---@param text string
---@return alicloud.cli.ConformancePast|nil
---@return string? problem
function M.read(text)
  local found, number = { memory = {}, decided = {}, messages = {}, timings = {} }, 0
  for line in whole_lines(text):gmatch "[^\n]+" do
    number = number + 1
    local record, message = core.decode(line)
    if type(record) ~= "table" then
      return nil, ("line %d: %s"):format(number, message or "is no object")
    end
    if number == 1 then
      local problem = start_problem(record)
      if problem then return nil, problem end
      found.start = record
    else
      take(found, record)
    end
  end
  if number == 0 then return nil, "it is empty" end
  return found
end

--- Opens a journal to continue it, and takes its lock.
---@param path string
---@param text string its text, as it was read
---@return alicloud.cli.ConformanceJournal|nil
---@return string? message
function M.reopen(path, text)
  local file, message = core.open_file(path, "append")
  if not file then return nil, message end
  local locked = file:lock(0)
  if not locked then
    file:close()
    return nil, path .. ": another process goes on with this run"
  end
  if #whole_lines(text) < #text then file:truncate(#whole_lines(text)) end
  return writer(path, file)
end

return M
