-- Which runs a shared store has: what is read of the others.

local benches = require "spec.dr.store.shared_bench"
local contract = require "spec.dr.store.contract"
local core = require "alicloud.core"
local memory_keys = require "alicloud.dr.store.memory_keys"

local function begin(bench, run)
  local store = bench.open(run)
  assert(store:lease("run", contract.HOLDER))
  assert(store:load())
  assert(store:append(1, run .. "\n", true))
end

describe("the runs beside one", function()
  local bench

  before_each(function()
    bench = benches.start()
    for _, run in ipairs { "one", "two", "three" } do begin(bench, run) end
  end)

  it("are looked up once, and each read once", function()
    local asked = {}
    local keys = memory_keys.open(bench.world, { loop = bench.loop, faults = function(call)
      asked[call.op] = (asked[call.op] or 0) + 1
    end })
    local list = bench.open("two", { keys = keys }):others()
    assert.same({ "three\n", "one\n" }, { list[1].text, list[2].text })
    assert.same({ 2, 3, nil }, { #list, asked.list, asked.get })
  end)

  it("are those that can be gone on with here", function()
    local function says(run, about)
      bench.world:put("/dr/v1/index/" .. run, about)
    end
    local mine = core.decode(bench.world:entry("/dr/v1/index/one").value)
    mine.version = 99
    says("one", core.encode(mine))
    assert.equal(1, #bench.open("two"):others())
    says("three", "no JSON")
    assert.same({}, bench.open("two"):others())
    assert.equal(3, #bench.open("two"):runs())
  end)

  it("are none where they cannot be listed", function()
    local store = bench.open "two"
    store.always = "unreachable"
    assert.same({}, store:others())
  end)
end)
