-- The contract of a store (alicloud.dr.journal), held against all of them: one body, run over a
-- file, memory, and a shared store over each kind of keys.

local assert = require "luassert"
local busted = require "busted"

local describe, it = busted.describe, busted.it

local M = {}

M.HOLDER = { owner = "ops", host = "here", pid = 4711, since = "2026-11-22T03:19:52Z",
  account = "1234567890123456", region = "cn-shanghai" }

---@class spec.StoreBench
---@field open fun(run?: string): alicloud.dr.Store another process's way to the run ("run")

local function refused(codes, ok, err)
  assert.is_nil(ok)
  assert.equal("journal", err.kind)
  for _, code in ipairs(codes) do
    if err.code == code then return err end
  end
  error(("%s is none of %s"):format(err.code, table.concat(codes, ", ")))
end

local OVERTAKEN = { "Client.JournalConflict", "Client.JournalLost" }

--- A store whose run is leased and whose records are read.
---@param bench spec.StoreBench
---@param holder? table
---@return alicloud.dr.Store
---@return alicloud.dr.Lease
---@return string text
function M.begin(bench, holder)
  local store = assert(bench.open())
  local lease = assert(store:lease("run", holder or M.HOLDER))
  return store, lease, assert(store:load())
end

local function check_records(start)
  it("keeps what was appended, for whoever comes next", function()
    local bench <close> = start()
    local store, _, text = M.begin(bench)
    assert.equal("", text)
    assert.is_true((store:append(1, "one\n", true)))
    assert.is_true((store:append(2, "two\n", false)))
    assert.is_true((store:append(3, "three\n", true)))
    assert.equal("one\ntwo\nthree\n", store:load())
    store:close()
    store, _, text = M.begin(bench)
    assert.equal("one\ntwo\nthree\n", text)
    assert.is_true((store:append(4, "four\n", true)))
    store:close()
  end)

  it("appends only what follows the last record, and is final when it refuses", function()
    local bench <close> = start()
    local store = M.begin(bench)
    assert.is_true((store:append(1, "one\n", true)))
    local err = refused(OVERTAKEN, store:append(3, "three\n", true))
    assert.equal("not_sent", err.outcome)
    local _, again = store:append(2, "two\n", true)
    assert.equal(err, again)
    store:close()
    local later, _, text = M.begin(bench)
    assert.equal("one\n", text)
    later:close()
  end)

  it("refuses whoever was overtaken", function()
    local bench <close> = start()
    local one, lease = M.begin(bench)
    assert.is_true((one:append(1, "first\n", true)))
    lease:release()
    local two, _, text = M.begin(bench)
    assert.equal("first\n", text)
    assert.is_true((two:append(2, "second\n", true)))
    refused(OVERTAKEN, one:append(2, "other\n", true))
    refused(OVERTAKEN, one:append(2, "second\n", true))
    refused(OVERTAKEN, one:append(3, "third\n", true))
    assert.equal("first\nsecond\n", two:load())
    assert.is_true((two:append(3, "third\n", true)))
    one:close()
    two:close()
  end)

  it("has room, or says so beforehand", function()
    local bench <close> = start()
    local store = M.begin(bench)
    assert.is_true((store:reserve(65536)))
    store:close()
  end)
end

local function check_leases(start)
  it("gives the run to one at a time, and names the holder to the other", function()
    local bench <close> = start()
    local one, two = assert(bench.open()), assert(bench.open())
    local lease = assert(one:lease("run", M.HOLDER))
    local err = refused({ "Client.JournalLocked" }, two:lease("run", M.HOLDER))
    assert.matches("is held by ops %(pid 4711 on here%) since 2026%-11%-22T03:19:52Z",
      err.message)
    assert.equal("not_sent", err.outcome)
    assert.same({ "ops", "here", 4711 }, { err.holder.owner, err.holder.host, err.holder.pid })
    lease:release()
    local later = assert(two:lease("run", M.HOLDER))
    assert.is_true(later.fence > lease.fence)
    later:release()
    local last = assert(one:lease("run", M.HOLDER))
    assert.is_true(last.fence > later.fence)
    one:close()
    two:close()
  end)

  it("gives back what it held when it is closed, and twice is once", function()
    local bench <close> = start()
    local one = M.begin(bench)
    assert(one:lease("group pg-orders", M.HOLDER))
    one:close()
    one:close()
    local two = M.begin(bench)
    assert(two:lease("group pg-orders", M.HOLDER))
    two:close()
  end)

  it("gives a group to one run at a time", function()
    local bench <close> = start()
    local one, two = assert(bench.open "run"), assert(bench.open "other")
    assert(one:lease("run", M.HOLDER))
    assert(two:lease("run", M.HOLDER))
    local group = assert(one:lease("group pg-orders", M.HOLDER))
    local err = refused({ "Client.JournalLocked" }, two:lease("group pg-orders", M.HOLDER))
    assert.equal("ops", err.holder.owner)
    assert(two:lease("group pg-payments", M.HOLDER))
    group:release()
    group:release()
    local later = assert(two:lease("group pg-orders", M.HOLDER))
    assert.is_true(later.fence > group.fence)
    one:close()
    two:close()
  end)

  it("leaves another one's lease alone when an old one is released late", function()
    local bench <close> = start()
    local one, lease = M.begin(bench)
    lease:release()
    local two = M.begin(bench)
    lease:release()
    one:close()
    local three = assert(bench.open())
    refused({ "Client.JournalLocked" }, three:lease("run", M.HOLDER))
    two:close()
    three:close()
  end)
end

local function lines_of(store)
  local all = {}
  for _, letters in ipairs(assert(store:mail())) do
    assert.is_true(letters.trusted)
    assert.is_string(letters.who)
    table.move(letters.lines, 1, #letters.lines, #all + 1, all)
  end
  return all
end

local function check_mail(start)
  it("keeps lines that others leave, in their order", function()
    local bench <close> = start()
    local one, two = M.begin(bench), assert(bench.open())
    assert.same({}, lines_of(one))
    for _, line in ipairs { "first", "second", '{"third":"\\n"}' } do
      assert.is_true((two:post(line)))
    end
    assert.same({ "first", "second", '{"third":"\\n"}' }, lines_of(one))
    assert.is_true((one:post "fourth"))
    assert.equal("fourth", lines_of(two)[4])
    one:close()
    two:close()
  end)

  it("keeps the lines of each run apart", function()
    local bench <close> = start()
    local one, two = assert(bench.open "run"), assert(bench.open "other")
    assert.is_true((one:post "mine"))
    assert.same({}, lines_of(two))
    one:close()
    two:close()
  end)

  it("knows the journals that lie beside it", function()
    local bench <close> = start()
    local other = assert(bench.open "other")
    assert(other:lease("run", M.HOLDER))
    assert(other:load())
    assert.is_true((other:append(1, "of the other\n", true)))
    local store = M.begin(bench)
    assert.is_true((store:append(1, "mine\n", true)))
    local list = store:others()
    assert.equal(1, #list)
    assert.matches("other", list[1].name)
    assert.equal("of the other\n", list[1].text)
    store:close()
    other:close()
  end)
end

local function check_cut(start)
  it("cuts, and goes on from there", function()
    local bench <close> = start()
    local store = M.begin(bench)
    assert.is_true((store:append(1, "one\n", true)))
    assert.is_true((store:append(2, "tw", true)))
    store:close()
    store = M.begin(bench)
    assert.is_true((store:cut(4)))
    assert.is_true((store:append(2, "two\n", true)))
    store:close()
    local _, _, text = M.begin(bench)
    assert.equal("one\ntwo\n", text)
  end)
end

--- Holds a store against the contract.
---@param title string
---@param start fun(): spec.StoreBench closed at the end
---@param has? { torn: boolean } whether a record can be written in part
function M.check(title, start, has)
  describe(title, function()
    check_records(start)
    check_leases(start)
    check_mail(start)
    if has and has.torn then check_cut(start) end
  end)
end

return M
