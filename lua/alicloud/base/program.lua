--- Runs a program to its end while the loop goes on. What it writes to standard error is passed on
--- line by line, made safe for a terminal.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local LONGEST = 4000 -- bytes of a line; a longer one goes on in the next
local CHARACTER = 4 -- bytes of one at most
local CARRIAGE_RETURN = 13
-- Reads after the end of a program: more than a pipe holds, so that all output of one that was
-- killed is read; but not for ever, for a daemon that it left behind may never stop writing.
local LAST_READS = 64

---@class alicloud.ProgramOptions
---@field max integer bytes of output, as for core.spawn
---@field timeout? number seconds
---@field say? fun(line: string) gets its lines on standard error; without it they go to the host's
---@field without? string[] patterns of names of variables that the program does not get
---@field overflow? string path of a new file for an output of more than `max`; without one, such a
---program is killed
---@field exceeded? fun(overflow: alicloud.Overflow) is told of such output, however the wait ends
---@field leashed? boolean the program ends with this process, however that ends

---@class alicloud.ProgramEnd
---@field output? alicloud.Secret nil if it was more than `max`
---@field code? integer exit code; if `signal` is nil, too, it is not known how the program ended
---@field signal? integer the signal that ended it
---@field late? boolean it was killed because its time was over
---@field overflow? alicloud.Overflow of an output that was more than `max`

-- Prefixes of variables in which the vendor's programs look for keys.
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

-- Where to break a line that is too long: not within a character, if the text is UTF-8.
local function break_of(text, from)
  local next_one = from + LONGEST
  local character = next_one
  while next_one - character < CHARACTER and text:byte(character) & 0xC0 == 0x80 do
    character = character - 1
  end
  return (next_one - character < CHARACTER and character or next_one) - 1
end

-- Passes whole lines on; one without an end is kept until it is too long. All other tasks wait
-- meanwhile, so bytes in one line must take no longer than the same bytes in many.
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

-- Reads what is there; gives whether there was anything.
function Ear:listen()
  local text = self.say and self.process:errors() or ""
  if text ~= "" then self:tell(text) end
  return text ~= ""
end

-- Ends the program, and passes on what it has written last, however the wait ends.
function Ear:__close()
  if not self.say then return end
  self.process:kill()
  for _ = 1, LAST_READS do
    if not self:listen() then break end
  end
  if self.rest ~= "" then self:tell "\n" end
end

-- The timeout is in the machine's time, whatever clock the loop has. False: the time was over.
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

-- However the wait ends: tells of an overflow, and lets the loop drop the descriptor in time.
local function leave(loop, process, exceeded)
  local overflow = exceeded and process:overflow()
  if overflow then exceeded(overflow) end
  if loop.release then loop.release(process) end
end

--- Runs a program without a shell, and waits for its end. If the wait is cancelled, the program is
--- killed. The wait ends with the program, even if a daemon that it left behind still has its pipe.
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
