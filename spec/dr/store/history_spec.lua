-- Controllers that take turns at one run in a shared store, while calls are late, answers get lost
-- and sessions end: what was acknowledged stays, is there once, and whoever comes next waits long
-- enough.

local benches = require "spec.dr.store.shared_bench"
local helper = require "spec.helper"
local memory_keys = require "alicloud.dr.store.memory_keys"
local stores = require "alicloud.dr.store.shared"

local SECONDS, CONTROLLERS = 300, 3

local HOW = { "lost_answer", "unknown", "unreachable", "late", "late_answer" }

-- A controller that takes the run as often as it can, writes some records, and leaves it.
local Controller = {}
Controller.__index = Controller

local function faults_of(dice)
  return function()
    if not dice.chance(0.08) then return nil end
    return dice.pick(HOW), dice.pick { 0.5, 2, 5, 20 }
  end
end

function Controller:open()
  local bench = self.bench
  local keys = memory_keys.open(bench.world, { name = self.name, loop = bench.loop,
    txn = bench.has.txn, faults = faults_of(self.dice) })
  return bench.open("run", { keys = keys })
end

-- What was written before it was this one's turn must not leave any more when it sends again.
local function check_wait(history, seq, now)
  for before = 1, seq - 1 do
    local record = history[before]
    local wait = stores.SEND_WINDOW + stores.EXCHANGE
    if record and record.send_by and record.turn ~= history[seq].turn then
      assert.is_true(now + wait >= record.send_by + stores.EXCHANGE, "waited too shortly")
    end
  end
end

function Controller:acknowledge(seq, line, send_by)
  local history = self.bench.history
  assert.is_nil(history[seq] and history[seq].line ~= line and seq or nil)
  history[seq] = { line = line, send_by = send_by, turn = self.turn }
end

function Controller:write(store, seq)
  local written = {}
  for _ = 1, self.dice.pick { 1, 3, 10, 30 } do
    self.count, seq = self.count + 1, seq + 1
    local durable = self.dice.chance(0.7)
    local line = ("%s %d\n"):format(self.name, self.count)
    local ok, send_by = store:append(seq, line, durable)
    if not ok then return end
    written[#written + 1] = { seq, line, send_by }
    if durable then
      for _, record in ipairs(written) do self:acknowledge(table.unpack(record)) end
      check_wait(self.bench.history, written[1][1], self.bench.runtime.boottime())
      written = {}
    end
    self.bench.loop.sleep(self.dice.pick { 0, 0, 0.1, 3 })
  end
end

function Controller:take_turns()
  local loop = self.bench.loop
  while loop.now() < self.bench.ends do
    local store = self:open()
    local lease = store:lease("run", { owner = self.name, host = "h", pid = 1, since = "s" })
    local text = lease and store:load()
    if text then
      self.turn = lease.fence
      self:write(store, select(2, text:gsub("\n", "\n")))
    end
    if self.dice.chance(0.8) then store:close() end
    loop.sleep(self.dice.pick { 0.5, 2, 6 })
  end
end

local function play(seed, txn)
  local bench, dice = benches.start { txn = txn }, helper.dice(seed)
  local loop = bench.loop
  bench.history, bench.ends = {}, loop.now() + SECONDS
  loop.scope(function()
    for i = 1, CONTROLLERS do
      loop.spawn(function()
        setmetatable({ bench = bench, name = "c" .. i, dice = helper.dice(seed * 10 + i),
          count = 0 }, Controller):take_turns()
      end)
    end
    while loop.now() < bench.ends do
      loop.sleep(dice.pick { 5, 20, 40 })
      if dice.chance(0.5) then bench.world:expire() end
      if dice.chance(0.2) then bench:freeze(dice.pick { 2, 14, 30 }) end
    end
  end)
  return bench
end

local function judge(bench)
  local lines, seen = {}, {}
  for _, entry in ipairs(bench.world:dump "/dr/v1/runs/run/rec/") do
    lines[#lines + 1] = entry.value
    assert.is_nil(seen[entry.value], "written twice")
    seen[entry.value] = true
  end
  local last = 0
  for seq, record in pairs(bench.history) do
    last = math.max(last, seq)
    assert.equal(record.line, lines[seq])
  end
  return last
end

for _, txn in ipairs { true, false } do
  describe("a run of many turns, transactions " .. tostring(txn), function()
    it("loses nothing that was acknowledged, and has it once", function()
      local most = 0
      for seed = 1, 12 do most = math.max(most, judge(play(seed, txn))) end
      assert.is_true(most > 50)
    end)
  end)
end
