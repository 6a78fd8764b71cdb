--- A program that is run to its end while the loop goes on. What it writes to standard error is
--- handed over line by line, made safe for a terminal.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local SLICE = 0.2
-- Between the end of its output and its own end there is nothing to wait for but time.
local PAUSE = 0.01
local LONGEST = 4000 -- bytes of a line; a longer one goes on in the next

---@class alicloud.ProgramOptions
---@field max integer bytes of output, as for core.spawn
---@field timeout? number seconds
---@field say? fun(line: string) takes what it says on standard error, else it goes to the host's
---@field without? string[] patterns of names of variables that it does not get

---@class alicloud.ProgramEnd
---@field output? alicloud.Secret nil if it was more than `max`
---@field code? integer exit code
---@field signal? integer that ended it
---@field late? boolean it was killed because its time was over

-- Names of variables with which this library or the vendor's programs find keys.
local VENDOR = { "ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "ALIYUN_", "OSS_" }

--- Patterns of names of variables that hold keys, tokens or ways to them, for `without`.
M.KEYS = { "ACCESS_KEY*", "SECRET_KEY", "SECURITY_TOKEN", "ALIBABA_CLOUD_CREDENTIALS_URI" }
for _, prefix in ipairs(VENDOR) do
  for _, word in ipairs { "*KEY*", "*SECRET*", "*TOKEN*" } do
    M.KEYS[#M.KEYS + 1] = prefix .. word
  end
end

local Ear = {}
Ear.__index = Ear

-- Whole lines; what has not ended waits for its end, but not for ever.
function Ear:tell(text)
  text = self.rest .. text
  for line in text:gmatch "([^\n]*)\n" do self.say(errors.clean((line:gsub("\r$", "")))) end
  text = text:match "[^\n]*$"
  while #text > LONGEST do
    local last = math.max(utf8.offset(text, 0, LONGEST + 1) - 1, 1)
    self.say(errors.clean(text:sub(1, last)))
    text = text:sub(last + 1)
  end
  self.rest = text
end

-- Takes what is there; whether there was anything.
function Ear:listen()
  local text = self.say and self.process:errors() or ""
  if text ~= "" then self:tell(text) end
  return text ~= ""
end

-- However the program is left, its last words are heard.
function Ear:__close()
  if not self.say then return end
  while self:listen() do end
  if self.rest ~= "" then self:tell "\n" end
end

-- A program lives in the machine's time, whatever clock the loop goes by.
local function wait_for(loop, process, timeout, ear)
  local ends = timeout and core.monotonic() + timeout or math.huge
  while not process:step() do
    local slice = ear:listen() and PAUSE or SLICE
    local left = ends - core.monotonic()
    if left <= 0 then return false end
    if process:pollfd() then
      loop.wait(process, loop.now() + math.min(left, slice))
    else
      loop.sleep(PAUSE)
    end
  end
  return true
end

--- Runs a program without a shell, and waits for its end. Whoever gives the wait up ends it.
---@param loop alicloud.Loop
---@param argv string[]
---@param given alicloud.ProgramOptions
---@return alicloud.ProgramEnd|nil
---@return string? fault why it did not start
function M.run(loop, argv, given)
  local process <close>, fault = core.spawn(argv, given.max,
    { errors = given.say ~= nil, without = given.without })
  if not process then return nil, fault end
  local ear <close> = setmetatable({ process = process, say = given.say, rest = "" }, Ear)
  if not wait_for(loop, process, given.timeout, ear) then return { late = true } end
  local output, code, signal = process:result()
  return { output = output, code = code, signal = signal }
end

return M
