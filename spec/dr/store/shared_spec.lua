-- A store that several machines reach, over keys in memory: what only such a store promises.

local benches = require "spec.dr.store.shared_bench"
local contract = require "spec.dr.store.contract"
local errors = require "alicloud.base.error"
local memory_keys = require "alicloud.dr.store.memory_keys"

local RECORDS = "/dr/v1/runs/run/rec/"

for _, txn in ipairs { true, false } do
  local function start() return benches.start { txn = txn } end

  contract.check("a shared store, transactions " .. tostring(txn), start)

  describe("a shared store, transactions " .. tostring(txn), function()
    local bench, store

    before_each(function()
      bench = start()
      store = contract.begin(bench)
    end)

    it("says until when what a record announces may leave", function()
      local now = bench.runtime.boottime()
      local ok, send_by = store:append(1, "one\n", true)
      assert.is_true(ok)
      assert.equal(now + 4, send_by)
      assert.is_true(store.shared)
      assert.equal(34, store.takeover_wait)
    end)

    it("counts that time from the first try, and never beyond its session", function()
      local now = bench.runtime.boottime()
      store.next = { op = txn and "txn" or "create", fault = "late_answer", seconds = 2 }
      local _, send_by = store:append(1, "one\n", true)
      assert.equal(now + 4, send_by)
      bench:freeze(10)
      _, send_by = store:append(2, "two\n", true)
      assert.equal(store.session.held_until, send_by)
    end)

    it("lets what need not be safe at once ride with the next record that must", function()
      local ok, send_by = store:append(1, "one\n", false)
      assert.is_true(ok)
      assert.is_nil(send_by)
      assert.same({}, bench:dump(RECORDS))
      assert(store:append(2, "two\n", true))
      assert.same({ ["0000000001"] = "one\n", ["0000000002"] = "two\n" }, bench:dump(RECORDS))
      assert(store:append(3, "three\n", false))
      store:close()
      assert.equal("three\n", bench:dump(RECORDS)["0000000003"])
    end)

    it("writes what waits before it becomes too much for one transaction", function()
      for seq = 1, 200 do assert(store:append(seq, seq .. "\n", false)) end
      local count = 0
      for _ in pairs(bench:dump(RECORDS)) do count = count + 1 end
      assert.is_true(count >= 128)
      assert(store:append(201, "201\n", true))
      assert.equal("201\n", bench:dump(RECORDS)["0000000201"])
    end)

    it("refuses a record that no store takes, before it is sent", function()
      local asked = store.asked
      local ok, err = store:append(1, ("x"):rep(1100000) .. "\n", true)
      assert.is_nil(ok)
      assert.equal("not_sent", err.outcome)
      assert.equal(asked, store.asked)
    end)

    it("keeps its locks as long as it lives", function()
      bench:pass(300)
      local other = bench.open()
      local none, err = other:lease("run", contract.HOLDER)
      assert.is_nil(none)
      assert.equal("Client.JournalLocked", err.code)
      assert.is_true((store:append(1, "one\n", true)))
    end)

    it("tells whoever finds a lock taken to stand by for a run, and not for a group", function()
      local other = bench.open()
      local _, err = other:lease("run", contract.HOLDER)
      assert.matches("^wait for it with %-%-standby, or end that process;", err.hint)
      assert(store:lease("group pg-orders", contract.HOLDER))
      _, err = bench.open("other"):lease("group pg-orders", contract.HOLDER)
      assert.matches("^group pg%-orders is held by ops .*, journal ", err.message)
      assert.matches("^wait for it, or end that process;", err.hint)
    end)

    it("leaves its locks to the next one, at once when it is closed, in time when it is killed",
      function()
        store:close()
        local second = contract.begin(bench)
        bench:kill(second)
        bench:pass(10)
        local third = bench.open()
        assert.is_nil((third:lease("run", contract.HOLDER)))
        bench:pass(6)
        assert(third:lease("run", contract.HOLDER))
      end)

    it("writes nothing more once its lock is gone, though nobody else has come", function()
      assert(store:append(1, "one\n", true))
      bench:expire(store)
      local told = {}
      store:on_lost(function(err) told[#told + 1] = err.code end)
      local ok, err = store:append(2, "two\n", true)
      assert.is_nil(ok)
      assert.equal("Client.JournalLost", err.code)
      assert.equal(err, store:lost())
      assert.same({ "Client.JournalLost" }, told)
      assert.same({ ["0000000001"] = "one\n" }, bench:dump(RECORDS))
    end)

    it("names whoever has taken it over", function()
      bench:expire(store)
      local holder = { owner = "night", host = "there", pid = 815, since = "2026-11-22T03:30:00Z" }
      local two = contract.begin(bench, holder)
      assert(two:append(1, "two\n", true))
      local _, err = store:append(1, "one\n", true)
      assert.equal("Client.JournalLost", err.code)
      assert.matches("night %(pid 815 on there%) since 2026%-11%-22T03:30:00Z", err.message)
      assert.equal("night", err.holder.owner)
      assert.equal("two\n", two:load())
    end)

    it("hears of its end by the renewal, if it writes nothing", function()
      local told
      store:on_lost(function(err) told = err end)
      bench:expire(store)
      bench:pass(5)
      assert.equal("Client.JournalLost", told.code)
      assert.equal("Client.JournalLost", store:lost().code)
    end)

    it("is lost by its own clock when the store cannot be reached", function()
      local told
      store:on_lost(function(err) told = err end)
      store.always = "unreachable"
      bench:pass(13)
      assert.is_nil(store:lost())
      bench:pass(2)
      assert.equal("Client.JournalLost", told.code)
      store.always = nil
      local asked = store.asked
      local ok, err = store:append(1, "one\n", true)
      assert.is_nil(ok)
      assert.equal("Client.JournalLost", err.code)
      assert.equal(asked, store.asked)
    end)

    it("is lost when the machine has slept, before it asks anybody", function()
      bench:freeze(20)
      local asked = store.asked
      assert.equal("Client.JournalLost", store:lost().code)
      assert.is_nil((store:append(1, "one\n", true)))
      assert.equal(asked, store.asked)
    end)

    it("is final when nobody can tell until its session ends", function()
      store.always = "unknown"
      local ok, err = store:append(1, "one\n", true)
      assert.is_nil(ok)
      assert.is_truthy(err.code == "Client.JournalFailed" or err.code == "Client.JournalLost")
      store.always = nil
      local none, again = store:append(1, "one\n", true)
      assert.is_nil(none)
      assert.equal(err, again)
      assert.same({}, bench:dump(RECORDS))
    end)

    it("tells once what it is waiting for, if that takes long", function()
      store.next = { fault = "unknown" }
      assert(store:append(1, "one\n", true))
      assert.same({}, bench.warnings)
      store.always = "unreachable"
      assert.is_nil((store:append(2, "two\n", true)))
      assert.equal(1, #bench.warnings)
      assert.matches("it is tried for %d+ s more$", bench.warnings[1])
    end)

    it("says how a full store is mended, and does not hold what it can write no more", function()
      store.always = "full"
      local none, why = store:reserve(1)
      assert.is_nil(none)
      assert.matches("compact", why.hint)
      local ok, err = store:append(1, "one\n", true)
      assert.is_nil(ok)
      assert.equal("Client.JournalFailed", err.code)
      store:close()
      local other = bench.open()
      assert(other:lease("run", contract.HOLDER))
    end)

    it("tells who holds it, and for how long at least", function()
      local looker = bench.open()
      bench:freeze(3)
      local hold = looker:hold()
      assert.is_true(hold.held)
      assert.equal("ops", hold.holder.owner)
      assert.equal(12, hold.left)
      store:close()
      assert.is_false(looker:hold().held)
      looker.always = "unreachable"
      hold = looker:hold()
      assert.is_nil(hold.held)
      assert.is_string(hold.why)
    end)

    it("tells groups of one name in two accounts apart", function()
      local other = bench.open "other"
      assert(other:lease("run", contract.HOLDER))
      assert(store:lease("group pg-orders", { owner = "a", account = "1", region = "cn-a" }))
      assert(other:lease("group pg-orders", { owner = "b", account = "2", region = "cn-a" }))
      local third = bench.open "third"
      assert.is_nil((third:lease("group pg-orders", { owner = "c", account = "1",
        region = "cn-b" })))
    end)

    it("gives a group to one store of a session, whoever's answer comes first", function()
      local session = store.session
      local answers_late = memory_keys.open(bench.world, { loop = bench.loop, txn = txn,
        faults = function(call) return call.op == "create" and "late_answer", 3 end })
      local one = bench.open("one", { session = session, keys = answers_late })
      local two = bench.open("two", { session = session })
      local holder = { owner = "ops", host = "here", pid = 1, since = "now", account = "1" }
      local first = bench.loop.spawn(function() return one:lease("group g", holder) end)
      bench:pass(1)
      local none, err = two:lease("group g", holder)
      assert.is_nil(none)
      assert.equal("Client.JournalLocked", err.code)
      local lease = assert(first:result())
      assert.is_nil((two:lease("group g", holder)))
      lease:release()
      assert(two:lease("group g", holder))
      two:close()
      one:close()
      assert.is_nil(store:lost())
      assert.same({}, bench:dump "/dr/v1/locks/")
    end)

    it("is lost to whom the store lets in no more", function()
      local told, real = nil, store.keys
      store:on_lost(function(err) told = err end)
      store.keys = setmetatable({ list = function()
        return nil, errors.new { kind = "journal", code = "Client.JournalFailed",
          outcome = "rejected", message = "permission denied" }
      end }, { __index = real })
      assert.is_nil((store:mail()))
      assert.equal("Client.JournalLost", told.code)
      assert.matches("lets this process in no more: permission denied", told.message)
      assert.equal(told, store:lost())
      local ok, err = store:append(1, "one\n", true)
      assert.is_nil(ok)
      assert.equal("Client.JournalLost", err.code)
      store.keys = real
      store:close()
      assert.same({}, bench:dump "/dr/v1/runs/run/lock")
    end)

    it("goes on where what was left cannot be read for now", function()
      store.always = "unreachable"
      assert.is_nil((store:mail()))
      store.always = nil
      assert.is_nil(store:lost())
      assert.is_true((store:append(1, "one\n", true)))
    end)

    it("gives a group back before another store of its session has it", function()
      local session, fails = store.session, 2
      local slow = memory_keys.open(bench.world, { loop = bench.loop, txn = txn,
        faults = function(call)
          if call.op ~= "drop" then return nil end
          fails = fails - 1
          if fails >= 0 then return "unreachable" end
          return "late", 3
        end })
      local one = bench.open("one", { session = session, keys = slow })
      local two = bench.open("two", { session = session })
      local holder = { owner = "ops", host = "here", pid = 1, since = "now", account = "1" }
      local lease = assert(one:lease("group g", holder))
      local release = bench.loop.spawn(function() lease:release() end)
      bench:pass(1)
      local none, err = two:lease("group g", holder)
      assert.is_nil(none)
      assert.equal("Client.JournalLocked", err.code)
      release:result()
      assert.same({}, bench:dump "/dr/v1/locks/")
      assert(two:lease("group g", holder))
      bench:pass(5)
      assert.is_string(bench:dump("/dr/v1/locks/")["1/g"])
    end)

    it("leaves its parent's locks alone in a child that is forked", function()
      local child = require "spec.child"
      assert.equal(0, child.run(function()
        store:close()
        return bench.open():lease("run", contract.HOLDER) and 1 or 0
      end))
      assert.is_true((store:append(1, "one\n", true)))
    end)

    it("refuses to go on in another store behind the same address", function()
      store:close()
      bench.world.cluster = "another"
      local other = bench.open()
      local none, err = other:lease("run", contract.HOLDER)
      assert.is_nil(none)
      assert.equal("Client.OtherCluster", err.code)
      local text, why = bench.open():load()
      assert.is_nil(text)
      assert.equal("Client.OtherCluster", why.code)
    end)

    it("finds a record that is missing in the middle", function()
      for seq = 1, 3 do assert(store:append(seq, seq .. "\n", true)) end
      store:close()
      bench.world:remove(RECORDS .. "0000000002")
      local text, err = bench.open():load()
      assert.is_nil(text)
      assert.equal("Client.JournalDamaged", err.code)
    end)

    it("loads more records than a page holds", function()
      local lines = {}
      for seq = 1, 1203 do
        lines[seq] = seq .. "\n"
        assert(store:append(seq, lines[seq], seq == 1203))
      end
      store:close()
      assert.equal(table.concat(lines), bench.open():load())
    end)
  end)
end

-- Every call of a process that can be repeated is, and none is done twice.
describe("a shared store whose answers get lost", function()
  local FAULTS = { "lost_answer", "unknown", "unreachable" }

  local function act(store)
    assert(store:lease("run", contract.HOLDER))
    assert.equal("", store:load())
    assert(store:reserve(1))
    assert(store:lease("group pg-orders", contract.HOLDER))
    assert(store:append(1, "one\n", true))
    assert(store:append(2, "two\n", false))
    assert(store:append(3, "three\n", true))
    assert(store:post "hello")
    -- Whoever waits for mail looks again anyway.
    local mail = store:mail() or assert(store:mail())
    assert.same({ 1, "hello" }, { #mail, mail[1].lines[1] })
    assert.equal("one\ntwo\nthree\n", store:load())
    assert.equal("of the other\n", store:others()[1].text)
  end

  local function begin_other(bench)
    local other = bench.open "other"
    assert(other:lease("run", contract.HOLDER))
    assert(other:load())
    assert(other:append(1, "of the other\n", true))
    other:close()
  end

  for _, txn in ipairs { true, false } do
    for _, fault in ipairs(FAULTS) do
      it(("goes on after %s, at any call, transactions %s"):format(fault, tostring(txn)), function()
        local n, calls = 0, 0
        repeat
          n = n + 1
          local bench = benches.start { txn = txn }
          begin_other(bench)
          local keys = memory_keys.open(bench.world, { loop = bench.loop, txn = txn,
            faults = function()
              calls = calls + 1
              return calls == n and fault
            end })
          calls = 0
          local store = bench.open("run", { keys = keys })
          act(store)
          assert.same({ ["0000000001"] = "one\n", ["0000000002"] = "two\n",
            ["0000000003"] = "three\n" }, bench:dump(RECORDS))
          store:close()
          -- A session whose end was not heard of ends by itself.
          bench:pass(16)
          local other = bench.open()
          assert(other:lease("run", contract.HOLDER))
          assert.is_nil(bench:dump("/dr/v1/locks/")["1234567890123456/pg-orders"])
        until n > calls
      end)
    end
  end
end)
