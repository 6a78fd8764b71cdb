-- Several write one journal whose store waits: each record is whole, once, and in its order.

local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"
local runtimes = require "alicloud.base.runtime"
local shared_disk = require "spec.dr.store.shared_disk"
local shared_loops = require "alicloud.loop.shared"

-- A journal on a virtual clock, each of whose records takes a second.
local function new_desk(given)
  local emu = emulator.new { world = { regions = { "cn-hangzhou" }, groups = {} }, seed = 1 }
  local real = emu.runtime
  local desk = { disk = memory.disk() }
  desk.runtime = runtimes.new { time = real.time, monotonic = real.monotonic, sleep = real.sleep,
    interrupted = function() return desk.signal end }
  desk.loop = shared_loops.of_clock(desk.runtime)
  desk.store = shared_disk.open(desk.disk, desk, given or { waits = 1 })
  desk.journal = assert(journals.open(desk.store, desk.loop))
  return desk
end

local function texts(desk)
  local words = {}
  for i, event in ipairs(assert(journals.read(desk.disk:text "run")).events) do
    words[i] = event.text
  end
  return table.concat(words, " ")
end

local function note(desk, text, told)
  return desk.journal:write({ type = "note", text = text }, true, told)
end

describe("a journal whose store waits", function()
  it("takes the records of several in the order in which they come", function()
    local desk, told = new_desk(), {}
    desk.loop.scope(function()
      for i = 1, 5 do
        desk.loop.spawn(function()
          assert(note(desk, "n" .. i, function(kept) told[#told + 1] = kept.text end))
          told[#told + 1] = "back " .. i
        end)
      end
    end)
    assert.equal("n1 n2 n3 n4 n5", texts(desk))
    assert.equal("n1 back 1 n2 back 2 n3 back 3 n4 back 4 n5 back 5", table.concat(told, " "))
    assert.equal(5, desk.journal.seq)
  end)

  it("makes a record when it is its turn", function()
    local desk = new_desk()
    desk.loop.scope(function()
      for _ = 1, 3 do
        desk.loop.spawn(function()
          assert(desk.journal:write(function()
            return { type = "note", text = "n" .. desk.journal.seq + 1 }
          end))
        end)
      end
    end)
    assert.equal("n1 n2 n3", texts(desk))
  end)

  it("takes nothing from who is cancelled before it is his turn", function()
    local desk, raised = new_desk(), nil
    desk.loop.scope(function()
      desk.loop.spawn(note, desk, "first")
      local second = desk.loop.spawn(function()
        local ok
        ok, raised = pcall(note, desk, "second")
        assert(not ok)
      end)
      desk.loop.spawn(note, desk, "third")
      desk.loop.sleep(0.2)
      second:cancel()
    end)
    assert.is_true(guard.is_cancellation(raised))
    assert.equal("first third", texts(desk))
    assert(note(desk, "fourth"))
    assert.equal("first third fourth", texts(desk))
  end)

  it("takes nothing from who is cancelled in the moment of his turn", function()
    local desk = new_desk()
    local second
    desk.loop.scope(function()
      desk.loop.spawn(note, desk, "first", function() second:cancel() end)
      second = desk.loop.spawn(note, desk, "second")
      desk.loop.spawn(note, desk, "third")
    end)
    assert.equal("first third", texts(desk))
  end)

  it("writes to its end what is cancelled in the middle, and knows it", function()
    for _, moment in ipairs { 0.2, 0.5, 0.8 } do
      local desk, came_back = new_desk(), nil
      desk.loop.scope(function()
        local first = desk.loop.spawn(function()
          came_back = note(desk, "first")
          desk.loop.checkpoint()
          came_back = "went on"
        end)
        desk.loop.spawn(note, desk, "second")
        desk.loop.sleep(moment)
        first:cancel()
      end)
      assert.is_true(came_back)
      assert.equal("first second", texts(desk))
      assert.equal(2, desk.journal.seq)
    end
  end)

  it("writes to its end what is interrupted in the middle, in a task and outside", function()
    for _, where in ipairs { "task", "outside" } do
      local desk = new_desk()
      desk.loop.spawn_shared(function()
        desk.loop.scope(function()
          desk.loop.sleep(0.7)
          desk.signal = 2
        end, { shield = true, timeout = 60 })
      end)
      local ok, raised = pcall(function()
        if where == "outside" then return note(desk, "first") and desk.loop.checkpoint() end
        return desk.loop.scope(function()
          desk.loop.spawn(function()
            assert(note(desk, "first"))
            desk.loop.checkpoint()
          end)
          desk.loop.spawn(note, desk, "second")
        end)
      end)
      assert.is_false(ok)
      assert.is_true(guard.is_interrupt(raised), where)
      desk.signal = nil
      assert.equal("first", texts(desk), where)
      assert(note(desk, "next"))
      assert.equal("first next", texts(desk), where)
    end
  end)

  it("fails alike for all who wait when a record cannot be written", function()
    local desk, codes = new_desk(), {}
    desk.disk.fault = function(call) return call.op == "append" and "ENOSPC" end
    desk.loop.scope(function()
      for i = 1, 3 do
        desk.loop.spawn(function() codes[i] = select(2, note(desk, "n" .. i)).code end)
      end
    end)
    assert.same({ "Client.JournalFailed", "Client.JournalFailed", "Client.JournalFailed" }, codes)
    assert.equal("", texts(desk))
  end)

  it("ends where a store finds no end, and takes nothing more", function()
    local desk = new_desk { waits = 7200 }
    local began = desk.loop.now()
    local ok, err = note(desk, "first")
    assert.is_nil(ok)
    assert.equal("Client.JournalFailed", err.code)
    assert.is_true(desk.loop.now() - began < 120)
    assert.equal(err, select(2, note(desk, "second")))
    assert.equal(err, desk.journal.fault)
  end)

  it("lets as many wait as come, however long that takes all together", function()
    local desk = new_desk { waits = 40 }
    desk.loop.scope(function()
      for i = 1, 5 do desk.loop.spawn(function() assert(note(desk, "n" .. i)) end) end
    end)
    assert.equal("n1 n2 n3 n4 n5", texts(desk))
  end)

  it("waits no longer than a turn may take for somebody who does not come back", function()
    local desk = new_desk()
    local lost = desk.journal.turns:new_turn()
    assert(lost:take())
    local began = desk.loop.now()
    local ok, err = note(desk, "n1")
    assert.is_nil(ok)
    assert.matches("not written after 120 s", err.message)
    assert.equal(120, desk.loop.now() - began)
  end)

  it("gives the moment after which nothing may leave", function()
    local desk = new_desk { waits = 1, window = 4 }
    local began = desk.runtime.boottime()
    local ok, send_by = note(desk, "first")
    assert.is_true(ok)
    assert.equal(began + 4, send_by)
    assert.is_nil((select(2, desk.journal:write { type = "note", text = "second" })))
  end)

  it("tells nobody of success once it is ended, though the record stands", function()
    local desk = new_desk()
    local why = errors.new { kind = "journal", code = "Client.JournalLost", message = "lost" }
    desk.loop.scope(function()
      desk.loop.spawn(function()
        local ok, err = note(desk, "first")
        assert.is_nil(ok)
        assert.equal(why, err)
      end)
      desk.loop.spawn(function() assert.equal(why, select(2, note(desk, "second"))) end)
      desk.loop.sleep(0.7)
      desk.journal:end_with(why)
    end)
    assert.equal("first", texts(desk))
    assert.equal(1, desk.journal.seq)
  end)

  it("takes nothing where Lua cannot wait, and goes on", function()
    local desk = new_desk()
    desk.loop.scope(function()
      desk.loop.spawn(function()
        local ok, raised = pcall(string.gsub, "x", "x", function() note(desk, "first") end)
        assert.is_false(ok)
        assert.equal("Client.CannotWait", raised.code)
        assert(note(desk, "second"))
      end)
    end)
    assert.equal("second", texts(desk))
  end)
end)
