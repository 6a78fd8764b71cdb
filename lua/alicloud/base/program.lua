--- A program that is run to its end while the loop goes on. What it writes to standard error is
--- handed over line by line, made safe for a terminal.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local LONGEST = 4000 -- bytes of a line; a longer one goes on in the next
local CHARACTER = 4 -- bytes of one at most
local CARRIAGE_RETURN = 13
-- More than a pipe holds, so that all of it is heard of one that was killed, and no more of a
-- daemon that it left behind and that never stops.
local LAST_READS = 64

---@class alicloud.ProgramOptions
---@field max integer bytes of output, as for core.spawn
---@field timeout? number seconds
---@field say? fun(line: string) takes what it says on standard error, else it goes to the host's
---@field without? string[] patterns of names of variables that it does not get
---@field overflow? string path of a file, new, for an output of more than `max`; without one such a
---program is killed
---@field exceeded? fun(overflow: alicloud.Overflow) is told of that, however the program is left
---@field leashed? boolean it ends with this process, however that ends

---@class alicloud.ProgramEnd
---@field output? alicloud.Secret nil if it was more than `max`
---@field code? integer exit code; nil with no signal either: nobody can know
---@field signal? integer that ended it
---@field late? boolean it was killed because its time was over
---@field overflow? alicloud.Overflow of an output that was more than `max`

-- Names of variables with which the vendor's programs find keys.
local VENDOR = { "ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "ALIYUN_", "OSS_" }

--- Patterns of names of variables that hold keys, tokens or ways to them, for `without`.
M.KEYS = { "ACCESS_KEY*", "SECRET_KEY", "SECURITY_TOKEN", "ALIBABA_CLOUD_CREDENTIALS_URI",
  "ALICLOUD_DR_STORE_PASSWORD" }
for _, prefix in ipairs(VENDOR) do
  for _, word in ipairs { "*KEY*", "*SECRET*", "*TOKEN*" } do
    M.KEYS[#M.KEYS + 1] = prefix .. word
  end
end

local Ear = {}
Ear.__index = Ear

-- Where to break what is longer than a line: not within a character, if it consists of such.
local function break_of(text, from)
  local next_one = from + LONGEST
  local character = next_one
  while next_one - character < CHARACTER and text:byte(character) & 0xC0 == 0x80 do
    character = character - 1
  end
  return (next_one - character < CHARACTER and character or next_one) - 1
end

-- Whole lines; what has not ended waits for its end, but not for ever. All siblings wait meanwhile,
-- so that it must take no longer for bytes in one line than for those in many.
function Ear:tell(text)
  text = self.rest .. text
  local from, last = 1, text:find("\n", 1, true)
  while last do
    local ends = text:byte(last - 1) == CARRIAGE_RETURN and last - 2 or last - 1
    self.say(errors.clean(text:sub(from, ends)))
    from = last + 1
    last = text:find("\n", from, true)
  end
  while #text - from >= LONGEST do
    last = break_of(text, from)
    self.say(errors.clean(text:sub(from, last)))
    from = last + 1
  end
  self.rest = text:sub(from)
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
  self.process:kill()
  for _ = 1, LAST_READS do
    if not self:listen() then break end
  end
  if self.rest ~= "" then self:tell "\n" end
end

-- A program lives in the machine's time, whatever clock the loop goes by.
local function wait_for(loop, process, timeout, ear)
  local ends = timeout and core.monotonic() + timeout or math.huge
  while not process:step() do
    ear:listen()
    local left = ends - core.monotonic()
    if left <= 0 then return false end
    loop.wait(process, loop.now() + left)
  end
  return true
end

-- However it is left: loops forget a descriptor before it is closed.
local function leave(loop, process, exceeded)
  local overflow = exceeded and process:overflow()
  if overflow then exceeded(overflow) end
  if loop.release then loop.release(process) end
end

--- Runs a program without a shell, and waits for its end. Whoever gives the wait up ends it. It is
--- over when it has ended itself, also where a daemon that it left behind still has its pipe.
---@param loop alicloud.Loop
---@param argv string[]
---@param given alicloud.ProgramOptions
---@return alicloud.ProgramEnd|nil
---@return string? fault why it did not start
function M.run(loop, argv, given)
  local process <close>, fault = core.spawn(argv, given.max, { errors = given.say ~= nil,
    without = given.without, overflow = given.overflow, leashed = given.leashed })
  if not process then return nil, fault end
  local _ <close> = setmetatable({}, { __close = function()
    leave(loop, process, given.exceeded)
  end })
  local ear <close> = setmetatable({ process = process, say = given.say, rest = "" }, Ear)
  if not wait_for(loop, process, given.timeout, ear) then
    return { late = true, overflow = process:overflow() }
  end
  local output, code, signal = process:result()
  return { output = output, code = code, signal = signal, overflow = process:overflow() }
end

return M
