-- An emulator as a process of its own, and programs that are pointed at it.
local core = require "alicloud.core"
local scratch = require "spec.scratch"
local transport = require "alicloud.transport"

local M = {}

local Emulator = {}
Emulator.__index = Emulator

local LUA = "lua5.4"

-- Seconds for whatever is waited for until it is so: a busy machine may need many of them.
local PATIENCE = 120

--- Waits until something is so.
---@param what string that is waited for
---@param is_so fun(): any
---@return any value that was neither nil nor false
function M.wait_until(what, is_so)
  local limit = core.monotonic() + PATIENCE
  repeat
    local value = is_so()
    if value then return value end
    core.poll(nil, "r", 0.02)
  until core.monotonic() > limit
  error("in vain waited for: " .. what, 2)
end

-- Its input is a pipe that only this process holds: it ends when we do.
function M.start_emulator(options)
  options = options or {}
  local self = setmetatable({}, Emulator)
  local command = ("alicloud-dr emulator --json --until-eof --speed %g %s"):format(
    options.speed or 600, options.arguments or "")
  if options.faults then
    command = command .. " --faults " .. scratch.file(options.faults, ".lua")
  end
  local ready = scratch.file ""
  self.pipe = assert(io.popen(command .. " >" .. ready, "w"))
  -- The first line appears when the socket listens.
  local line = M.wait_until("the start of the emulator", function()
    return scratch.read(ready):match "^[^\n]*\n"
  end)
  self.start = assert(core.decode(line))
  return self
end

function Emulator:stop()
  self.pipe:close()
end

Emulator.__close = Emulator.stop

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function Emulator:environment()
  return ("ALIBABA_CLOUD_ENDPOINT=%s ALIBABA_CLOUD_ACCESS_KEY_ID=%s "
    .. "ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s ALIBABA_CLOUD_REGION_ID=cn-shanghai"):format(
    self.start.endpoint, self.start.access_key_id, self.start.access_key_secret)
end

-- The words before a shell line. What the line makes with mktemp goes with what we have made.
local function before(emulator)
  return ("env %s TMPDIR='%s' "):format(emulator:environment(), scratch.directory())
end

-- A shell line that runs beside others. Its output must fit into a pipe until it is asked for; it
-- ends after some minutes, whatever it waits for.
local Job = {}
Job.__index = Job

-- Output of both streams and whether it ended well.
function Job:finish()
  local output = self.pipe:read "a"
  return output, self.pipe:close() == true
end

function Emulator:begin(line)
  local pipe = assert(io.popen(before(self) .. "timeout 900 sh -c " .. quote(line)
    .. " 2>&1 </dev/null"))
  return setmetatable({ pipe = pipe }, Job)
end

function Emulator:begin_lua(script)
  return self:begin(LUA .. " " .. scratch.file(script, ".lua"))
end

--- Runs a shell line as this process would, with no emulator.
---@param line string
---@return string output of both streams
---@return integer code exit code, or 128 and the number of the signal
function M.sh(line)
  local pipe = assert(io.popen("{ " .. line .. "\n} 2>&1"))
  local text = pipe:read "a"
  local _, how, code = pipe:close()
  return text, how == "exit" and code or 128 + code
end

-- Runs a shell line to its end.
function Emulator:shell(line)
  return self:begin(line):finish()
end

--- Before a command that is interrupted: it ends after 50 seconds, whatever it does. A shell lets
--- what it has in the background ignore SIGINT, and the `timeout` of coreutils 9.10 does not pass
--- on what it ignores.
M.LIMITED = "env --default-signal=INT timeout -s KILL 50 "

-- Interrupts a command once its output has these words, with SIGINT or another signal. What the job
-- gives is the exit code, then the output.
function Emulator:begin_interrupt(command, words, signal)
  return self:begin(([[
    out=$(mktemp)
    %s >"$out" 2>&1 &
    command=$!
    until grep -q %s "$out"; do
      kill -0 $command || break
      sleep 0.02
    done
    kill -%s $command
    wait $command
    echo "exit code $?"
    cat "$out"]]):format(command, quote(words), signal or "INT"))
end

-- The same, to its end.
function Emulator:interrupt(command, words, signal)
  return (self:begin_interrupt(command, words, signal):finish())
end

--- Types at a terminal on which a command runs: each time when what has come since the last typing
--- matches a basic regular expression, in which `$` is the end of all.
---@param command string without single quotes
---@param turns { [1]: string, [2]: string }[] the expression, and what is typed for printf
---@return string output exit code first, without carriage returns
function M.talk(command, turns)
  local typing = {}
  for i, turn in ipairs(turns) do
    typing[i] = ([[
      n=0
      until tail -c +$from "$out" | grep -zq '%s' || [ $((n += 1)) -gt 3000 ]; do sleep 0.02; done
      from=$(($(wc -c <"$out") + 1))
      printf '%s']]):format(turn[1], turn[2])
  end
  -- What ends the input would otherwise be typed before the command has ended.
  local text = M.sh(([[
    out=%s
    (from=1
      %s
      sleep 1) | timeout -s KILL 120 script -qefc '%s' /dev/null >"$out"
    echo "exit code $?"
    cat "$out"]]):format(scratch.file "", table.concat(typing, "\n"), command))
  return (text:gsub("\r", ""))
end

function Emulator:run_lua(script)
  return self:begin_lua(script):finish()
end

function Emulator:repl(lines)
  return (self:shell("alicloud-dr repl <" .. scratch.file(table.concat(lines, "\n") .. "\n")))
end

-- Runs a shell line on this process's own terminal; its exit code.
function Emulator:attached(line)
  local _, _, code = os.execute(before(self) .. "sh -c " .. quote(line))
  return code
end

local function ask(self, method, name, body)
  local client <close> = transport.new {}
  local op = client:submit { method = method, url = self.start.endpoint .. "/_emulator/" .. name,
    body = body and core.encode(body) }
  while not op:done() do
    core.poll(client:pollfd(), "r", math.min(client:timeout() or 0.2, 0.2))
    client:step()
  end
  return assert(core.decode(op:result().body))
end

-- The effects that really happened.
function Emulator:ledger()
  return ask(self, "GET", "ledger").effects
end

-- Moves its clock, which stands at speed 0.
function Emulator:advance(seconds)
  ask(self, "POST", "clock", { advance = seconds })
end

-- How many there are.
function Emulator:effects()
  return #self:ledger()
end

-- How many requests have come, also those that wait for their answer.
function Emulator:asked()
  return ask(self, "GET", "health").requests
end

return M
