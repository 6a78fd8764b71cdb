-- Several write one journal at the same time, on a disk that takes its time for each sync: one is
-- made for all of them, and nobody goes on before his record is safe.

local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"
local runtimes = require "alicloud.base.runtime"
local shared_loops = require "alicloud.loop.shared"

local function new_desk()
  local emu = emulator.new { world = { regions = { "cn-hangzhou" }, groups = {} }, seed = 1 }
  local desk = { syncs = 0, log = {} }
  desk.disk = memory.disk { fault = function(call)
    if call.op ~= "sync" then return nil end
    desk.syncs = desk.syncs + 1
    return desk.syncs == desk.broken and "EIO" or nil
  end }
  desk.loop = shared_loops.of_clock(runtimes.new { time = emu.runtime.time,
    monotonic = emu.runtime.monotonic, sleep = emu.runtime.sleep })
  desk.journal = assert(journals.open(desk.disk:open "run", desk.loop))
  return desk
end

local function note(desk, text)
  return desk.journal:write({ type = "note", text = text }, true)
end

-- So many write at the same time; each says whether its record was safe when it went on.
local function write_at_once(desk, count)
  local answers = {}
  desk.loop.scope(function()
    for i = 1, count do
      desk.loop.spawn(function()
        local ok, err = note(desk, "n" .. i)
        local is_safe = desk.disk:durable("run"):find('"n' .. i .. '"', 1, true) ~= nil
        answers[i] = ok and is_safe and "safe" or err and err.code or "not safe"
        desk.log[#desk.log + 1] = i
      end)
    end
  end)
  return answers
end

describe("a journal that several write at the same time", function()
  it("makes one sync for all, and lets nobody go on before", function()
    local desk = new_desk()
    for i, answer in ipairs(write_at_once(desk, 50)) do assert.equal("safe", answer, i) end
    assert.equal(50, #assert(journals.read(desk.disk:text "run")).events)
    assert.equal(1, desk.syncs)
    for i = 1, 50 do assert.equal(i, desk.log[i], "they go on in their order") end
  end)

  it("makes a sync at once for one who is alone", function()
    local desk = new_desk()
    desk.loop.scope(function() assert(note(desk, "n1")) end)
    assert(note(desk, "n2"))
    assert.equal(2, desk.syncs)
    assert.equal(desk.disk:text "run", desk.disk:durable "run")
  end)

  it("fails all whose record is not known to be safe", function()
    local desk = new_desk()
    desk.broken = 1
    local answers = write_at_once(desk, 9)
    for i = 1, 9 do assert.equal("Client.JournalFailed", answers[i], i) end
    assert.equal("Client.JournalFailed", select(2, note(desk, "later")).code)
    assert.equal(1, desk.syncs, "nothing is tried again")
  end)

  it("makes a record safe though its writer is cancelled meanwhile", function()
    local desk = new_desk()
    local reason = errors.new { kind = "state", code = "Client.Cancelled", message = "enough" }
    local answer
    desk.loop.scope(function()
      local first = desk.loop.spawn(function()
        answer = note(desk, "n1")
        desk.loop.checkpoint()
        answer = "went on"
      end)
      desk.loop.spawn(function()
        first:cancel(reason)
        assert(note(desk, "n2"))
      end)
    end)
    assert.is_true(answer)
    assert.equal(2, #assert(journals.read(desk.disk:durable "run")).events)
  end)
end)
