-- The journal: what is written is found again, and what was tampered with is found out.

local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"

local function written(count)
  local disk = memory.disk()
  local journal = assert(journals.open(disk:open "run"))
  for i = 1, count or 4 do assert(journal:write({ type = "note", text = "line " .. i }, true)) end
  return disk:text "run", disk, journal
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

local function damage_of(lines)
  local reading, damage = journals.read(table.concat(lines, "\n") .. "\n")
  assert.is_nil(reading)
  return damage
end

describe("a journal", function()
  it("gives back what was written, in order", function()
    local text, disk, journal = written()
    local again = assert(journals.open(disk:open "run"))
    assert.equal(4, #again.events)
    assert.equal("line 3", again.events[3].text)
    assert.equal(journal.head, again.head)
    assert.equal(0, again.torn)
    assert.equal(text, disk:text "run")
    assert(again:write { type = "note", text = "line 5" })
    assert.equal(5, again.seq)
    assert.equal(5, #assert(journals.read(disk:text "run")).events)
  end)

  it("cuts an end that was torn at any byte, and nothing else", function()
    local text = written()
    local whole = #text - #lines_of(text)[4] - 1
    for length = whole, #text - 1 do
      local disk = memory.disk()
      disk:open "run"
      disk:put("run", text:sub(1, length))
      local journal = assert(journals.open(disk:open "run"))
      assert.equal(3, #journal.events, length)
      assert.equal(length - whole, journal.torn)
      assert.equal(text:sub(1, whole), disk:text "run")
      assert(journal:write { type = "note" })
    end
  end)

  it("takes a last line whose pages did not arrive for torn", function()
    local text = written()
    local lines = lines_of(text)
    lines[4] = lines[4]:sub(1, 20) .. ("\0"):rep(20) .. lines[4]:sub(41)
    assert.equal(3, #assert(journals.read(table.concat(lines, "\n") .. "\n")).events)
  end)

  it("refuses any changed byte of a whole line, and names the line", function()
    local text = written(2)
    local first = #lines_of(text)[1]
    for position = 1, #text do
      local byte = text:byte(position)
      local changed = text:sub(1, position - 1) .. string.char(byte ~ 1) .. text:sub(position + 1)
      local reading, damage = journals.read(changed)
      -- Without its end the last line counts as torn.
      if position == #text then
        assert.equal(1, #reading.events)
      elseif position == first + 1 then
        assert.is_nil(reading)
      else
        assert.is_nil(reading, position)
        assert.equal(position <= first and 1 or 2, damage.line)
      end
    end
  end)

  it("finds a line that was cut out, moved, doubled, or written by somebody else", function()
    local lines = lines_of((written()))
    assert.equal(2, damage_of({ lines[1], lines[3], lines[4] }).line)
    assert.equal(2, damage_of({ lines[1], lines[3], lines[2], lines[4] }).line)
    assert.equal(3, damage_of({ lines[1], lines[2], lines[2], lines[3] }).line)
    assert.equal(1, damage_of({ lines[2] }).line)
    local other = journals.line(2, ("f"):rep(64), { type = "note" })
    assert.matches("does not follow", damage_of({ lines[1], (other:gsub("\n", "")) }).reason)
    assert.matches("is not a line", damage_of({ lines[1], "hello", lines[3] }).reason)
  end)

  it("is not opened for writing when it is damaged", function()
    local text, disk = written()
    disk:put("run", (text:gsub("line 2", "line 9")))
    local journal, err = journals.open(disk:open "run")
    assert.is_nil(journal)
    assert.equal("Client.JournalDamaged", err.code)
    assert.equal(2, err.line)
    assert.matches("run: line 2 was changed after it was written", err.message)
  end)

  it("keeps no secret under a name that says so", function()
    local _, disk, journal = written(0)
    assert(journal:write({ type = "note", params = { db_password = "hunter2", AccessKeySecret = "s",
      nested = { { security_token = "t" } }, client_token = "kept" } }))
    local text = disk:text "run"
    assert.is_nil(text:find("hunter2", 1, true))
    assert.equal("[hidden]", journal.last.params.db_password)
    assert.equal("[hidden]", journal.last.params.AccessKeySecret)
    assert.equal("[hidden]", journal.last.params.nested[1].security_token)
    assert.equal("kept", journal.last.params.client_token)
  end)

  it("keeps what JSON cannot carry out of the way", function()
    local loop = {}
    loop.loop = loop
    local kept = journals.plain { f = print, nan = 0 / 0, n = 1, list = { 1, print, 2 },
      bytes = "a\0b\xff", [3] = "three", no = false }
    assert.equal("three", kept["3"])
    assert.is_nil(kept.f)
    assert.is_nil(kept.nan)
    assert.is_false(kept.no)
    assert.equal(3, #kept.list)
    assert.equal("a\u{fffd}b\u{fffd}", kept.bytes)
    assert.is_string(require("alicloud.core").encode(journals.plain(loop)))
  end)

  it("reads back whatever it took", function()
    local _, disk, journal = written(0)
    local list = {}
    for i = 1, 200000 do list[i] = "element " .. i end
    assert(journal:write { type = "note", fields = { list = list, ["a\0b"] = 1, ["\xff"] = 2 } })
    assert.equal(200000, #assert(journals.open(disk:open "run")).events[1].fields.list)
  end)

  it("writes nothing any more after the first failure", function()
    for _, fault in ipairs { "ENOSPC", "EIO", "EROFS", "short" } do
      for _, op in ipairs { "append", "sync" } do
        local broken, syncs = false, 0
        local disk = memory.disk { fault = function(call)
          if call.op == "sync" then syncs = syncs + 1 end
          if broken and call.op == op then return op == "sync" and "EIO" or fault end
        end }
        local journal = assert(journals.open(disk:open "run"))
        assert(journal:write({ type = "note" }, true))
        broken = true
        local ok, err = journal:write({ type = "intent" }, true)
        assert.is_nil(ok)
        assert.equal("Client.JournalFailed", err.code)
        local calls, asked = disk.calls, syncs
        broken = false
        assert.is_nil((journal:write({ type = "note" }, true)))
        assert.equal(err, journal.fault)
        assert.equal(calls, disk.calls, "nothing is tried again")
        assert.equal(asked, syncs)
        disk:restart(1000)
        assert(journals.read(disk:text "run"))
      end
    end
  end)
end)

describe("a simulated disk", function()
  it("forgets what was not synced", function()
    local disk = memory.disk()
    local journal = assert(journals.open(disk:open "run"))
    assert(journal:write({ type = "a" }, true))
    assert(journal:write { type = "b" })
    disk:restart()
    assert.equal(1, #assert(journals.open(disk:open "run")).events)
  end)

  it("stops like a dead machine", function()
    local disk = memory.disk { fault = function(call) return call.op == "sync" and "crash" end }
    local journal = assert(journals.open(disk:open "run"))
    local ok, raised = pcall(journal.write, journal, { type = "a" }, true)
    assert.is_false(ok)
    assert.equal(memory.CRASH, raised)
    assert.is_true(require("alicloud.base.guard").is_interrupt(raised))
    disk.fault = function() end
    assert.has_error(function() disk:open("run"):load() end, memory.CRASH)
    disk:restart()
    assert.equal("", disk:open("run"):load())
  end)

  it("tears a write, and the journal goes on before it", function()
    local disk = memory.disk { fault = function(call) return call.n == 4 and "torn" end }
    local journal = assert(journals.open(disk:open "run"))
    assert(journal:write({ type = "a" }, true))
    assert.has_error(function() journal:write({ type = "b" }, true) end, memory.CRASH)
    disk:restart()
    local again = assert(journals.open(disk:open "run"))
    assert.equal(1, #again.events)
    assert.is_true(again.torn > 0)
  end)
end)
