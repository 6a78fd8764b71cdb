-- An emulator as a process of its own, and programs that are pointed at it.
local core = require "alicloud.core"
local transport = require "alicloud.transport"

local M = {}

local Emulator = {}
Emulator.__index = Emulator

local LUA = "lua5.4"

local function write_temporary(text, suffix)
  local name = os.tmpname()
  local path = name .. suffix
  os.remove(name)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

-- Its input is a pipe that only this process holds: it ends when we do.
function M.start_emulator(options)
  options = options or {}
  local self = setmetatable({ files = {} }, Emulator)
  local command = ("alicloud-dr emulator --json --until-eof --speed %g %s"):format(
    options.speed or 600, options.arguments or "")
  if options.faults then
    self.files[1] = write_temporary(options.faults, ".lua")
    command = command .. " --faults " .. self.files[1]
  end
  local ready = os.tmpname()
  self.files[#self.files + 1] = ready
  self.pipe = assert(io.popen(command .. " >" .. ready, "w"))
  -- The first line appears when the socket listens; until then the file is empty.
  for _ = 1, 500 do
    local file <close> = assert(io.open(ready))
    local line = file:read "l"
    if line then
      self.start = assert(core.decode(line))
      return self
    end
    core.poll(nil, "r", 0.02)
  end
  error "the emulator did not start"
end

function Emulator:stop()
  self.pipe:close()
  for _, path in ipairs(self.files) do
    os.remove(path)
  end
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function Emulator:environment()
  return ("ALIBABA_CLOUD_ENDPOINT=%s ALIBABA_CLOUD_ACCESS_KEY_ID=%s "
    .. "ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s ALIBABA_CLOUD_REGION_ID=cn-shanghai"):format(
    self.start.endpoint, self.start.access_key_id, self.start.access_key_secret)
end

-- A shell line that runs beside others. Its output must fit into a pipe until it is asked for; it
-- ends after some minutes, whatever it waits for.
local Job = {}
Job.__index = Job

-- Output of both streams and whether it ended well.
function Job:finish()
  local output = self.pipe:read "a"
  local ok = self.pipe:close() == true
  if self.path then os.remove(self.path) end
  return output, ok
end

function Emulator:begin(line, path)
  local pipe = assert(io.popen("env " .. self:environment() .. " timeout 300 sh -c " .. quote(line)
    .. " 2>&1 </dev/null"))
  return setmetatable({ pipe = pipe, path = path }, Job)
end

function Emulator:begin_lua(script)
  local path = write_temporary(script, ".lua")
  return self:begin(LUA .. " " .. path, path)
end

-- Runs a shell line to its end.
function Emulator:shell(line)
  return self:begin(line):finish()
end

function Emulator:run_lua(script)
  return self:begin_lua(script):finish()
end

function Emulator:repl(lines)
  local path = write_temporary(table.concat(lines, "\n") .. "\n", ".txt")
  local output = self:shell("alicloud-dr repl <" .. path)
  os.remove(path)
  return output
end

-- Runs a shell line on this process's own terminal; its exit code.
function Emulator:attached(line)
  local _, _, code = os.execute("env " .. self:environment() .. " sh -c " .. quote(line))
  return code
end

-- The effects that really happened.
function Emulator:ledger()
  local client <close> = transport.new {}
  local op = client:submit { method = "GET", url = self.start.endpoint .. "/_emulator/ledger" }
  while not op:done() do
    core.poll(client:pollfd(), "r", math.min(client:timeout() or 0.2, 0.2))
    client:step()
  end
  return assert(core.decode(op:result().body)).effects
end

-- How many there are.
function Emulator:effects()
  return #self:ledger()
end

return M
