-- CPU time around a journal of RECORDS (10000) that the engine wrote: milliseconds for reading and
-- checking it, for a whole resume by a second process, and for its report in HTML.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"

local RECORDS = math.tointeger(tonumber(arg[1] or "10000"))
local STEPS = (RECORDS - 4) // 3

local emu = emulator.new { seed = 1 }
local client = alicloud.client {
  region = "cn-shanghai", transport = emu.transport, runtime = emu.runtime,
  access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
}

local ready = false

local playbook = dr.playbook("many records", function(run)
  for i = 1, STEPS do
    run:step("step " .. i, function()
      run:note("the disk is attached", { instance = "i-" .. i, disk = "d-" .. i })
      return { outcome = "attached", instance = "i-" .. i, disks = { "d-" .. i, "e-" .. i },
        request_id = ("%036d"):format(i), at = emu:now() }
    end)
  end
  run:step("last", function() assert(ready, "the first process stops here") end)
end)

local lines = {}
local shelf = { name = "shelf", reserve = function() return true end, close = function() end }
function shelf.load() return "" end
function shelf.mail() return {} end
function shelf.lease() return { fence = 1, release = function() end } end
function shelf.cut() return true end
function shelf.append(_, seq, line)
  lines[seq] = line
  return true
end
dr.run(playbook, { client = client, store = shelf })
local text = table.concat(lines)
assert(#lines >= RECORDS)

local path = scratch.file(text, ".jsonl", "600")

local function measure(work)
  collectgarbage()
  collectgarbage()
  local before = os.clock()
  work()
  return (os.clock() - before) * 1000
end

ready = true
local read = measure(function() assert(journals.read(assert(files.read(path)))) end)
local resumed = measure(function()
  assert(dr.run(playbook, { client = client, journal = path }).status == "completed")
end)
local reported = measure(function() assert(dr.report(path)):render "html" end)
print(("%.3f %.3f %.3f"):format(read, resumed, reported))
