-- A canary in every place that may hold a key, looked for in whatever a process says, and in its
-- memory once it has closed its client. The process never learns the canary but from those places.
local core = require "alicloud.core"
local posix = require "spec.posix"
local process = require "spec.process"
local scratch = require "spec.scratch"

-- The emulator knows only its own key. A session token is no canary: every request carries it, and
-- without the key it is of no use.
local CANARY, EMULATED = "canary-5f1d0c77e2", "emulator-secret"

local CHILD = [==[
local path, ways = arg[1], tonumber(arg[2])
local alicloud, credentials = require "alicloud", require "alicloud.credentials"
local function pause(name)
  print(name)
  io.stdout:flush()
  while not io.open(path .. "." .. name) do require "alicloud.core".poll(nil, "r", 0.02) end
end
local specs = {
  credentials.profile { file = path, name = "ak" },
  credentials.profile { file = path, name = "sts" },
  credentials.profile { file = path, name = "role" },
  credentials.profile { file = path, name = "external" },
  credentials.ini { file = path .. ".ini" },
}
do
  local client <close> = alicloud.client { region = "cn-shanghai", credentials = specs[ways],
    retries = 0 }
  print(client)
  for name, value in pairs(assert(client:identity())) do print(name, value) end
  local signed = assert(client:prepare("ebs:DescribeDiskReplicaGroups", {}))
  for name, value in pairs(signed) do print(name, value) end
  print(client:call("ebs:DescribeDiskReplicaGroups", {}))
  pause "open"
end
-- What is broken must not be kept either.
print(alicloud.client { region = "cn-shanghai", credentials = credentials.profile {
  file = path .. ".broken" } }:identity())
print(select(2, pcall(alicloud.client, { access_key_id = "i", profile = "x" })))
collectgarbage()
collectgarbage()
pause "closed"
]==]

local function set_up(root)
  local keys = { mode = "AK", access_key_id = "LTAIimage0img1", access_key_secret = CANARY }
  local function profile(name, mode, fields)
    local entry = { name = name, mode = mode, access_key_id = keys.access_key_id,
      access_key_secret = CANARY }
    for field, value in pairs(fields or {}) do entry[field] = value end
    return entry
  end
  scratch.write(root, core.encode { current = "ak", profiles = core.array {
    profile("ak", "AK"), profile("sts", "StsToken", { sts_token = "token" }),
    profile("role", "RamRoleArn",
      { ram_role_arn = "acs:ram::1000000000000001:role/dr", access_key_id = "emulator",
        access_key_secret = EMULATED }),
    { name = "external", mode = "External", process_command = "cat " .. root .. ".out" },
  } })
  scratch.write(root .. ".out", core.encode(keys))
  scratch.write(root .. ".ini", "[default]\ntype = access_key\naccess_key_id = LTAIimage0img1\n"
    .. "access_key_secret = " .. CANARY .. "\n")
  scratch.write(root .. ".broken", '{"profiles":[{"access_key_secret":"' .. CANARY .. '","x":}')
  assert(os.execute(("chmod 600 '%s'*"):format(root)))
end

local CHUNK = 1024 * 1024
-- What is larger than this is reserved and not used, such as the shadow memory of a sanitizer.
local LARGEST = 256 * CHUNK

local function region_holds(memory, from, to, text)
  local before = ""
  for at = from, to - 1, CHUNK do
    local bytes = memory:seek("set", at) and memory:read(math.min(CHUNK, to - at))
    if bytes and (before .. bytes):find(text, 1, true) then return true end
    before = bytes and bytes:sub(-#text) or ""
  end
  return false
end

-- The writable memory of a process.
local function image_holds(pid, text)
  local memory <close> = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
  memory:setvbuf("no")
  for line in io.lines(("/proc/%d/maps"):format(pid)) do
    local from, to, mode = line:match("^(%x+)-(%x+) (%S+)")
    from, to = tonumber(from, 16), tonumber(to, 16)
    local used = mode:find("^rw") and to - from <= LARGEST
    if used and region_holds(memory, from, to, text) then return true end
  end
  return false
end

local function lines_until(stream, name, said)
  for line in stream:lines() do
    if line == name then return end
    said[#said + 1] = line
  end
  error("the process ended early:\n" .. table.concat(said, "\n"))
end

describe("a key", function()
  local root, script, emulator

  setup(function()
    root, script = scratch.path(), scratch.file(CHILD, ".lua")
    set_up(root)
    emulator = process.start_emulator()
  end)

  teardown(function() emulator:stop() end)

  for way, name in ipairs { "of a profile", "of a session in a profile", "that assumed a role",
    "from a program", "of an ini file" } do
    it("is in no output, and not in the process once it has closed its client: " .. name,
      function()
        if not io.open("/proc/self/maps") then return pending("needs /proc") end
        os.remove(root .. ".open")
        os.remove(root .. ".closed")
        local canary = way == 3 and EMULATED or CANARY
        local pid, stream = posix.spawn { "env",
          "ALIBABA_CLOUD_ENDPOINT=" .. emulator.start.endpoint, "lua5.4", script, root,
          tostring(way) }
        local said = {}
        lines_until(stream, "open", said)
        -- The search finds it while it is in use, in the pages that are made for it.
        assert.is_true(image_holds(pid, canary))
        scratch.write(root .. ".open", "")
        lines_until(stream, "closed", said)
        local found = image_holds(pid, CANARY) or image_holds(pid, EMULATED)
        scratch.write(root .. ".closed", "")
        stream:close()
        posix.wait(pid)
        assert.is_false(found)
        local text = table.concat(said, "\n")
        assert.matches("alicloud.Client { region", text)
        for _, secret in ipairs { CANARY, EMULATED } do
          assert.is_nil(text:find(secret, 1, true))
        end
      end)
  end
end)
