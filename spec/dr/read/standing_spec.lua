-- Whether a group stands at a side already: looks in a row have to agree, either way.

local snapshots = require "alicloud.dr.model.snapshot"
local standing = require "alicloud.dr.read.standing"

local HERE, THERE = "cn-shanghai", "cn-hangzhou"

local function look_of(status, from, to, count)
  local pair = { ReplicaPairId = "pair-1", Status = status, SourceRegion = from,
    DestinationRegion = to, LastRecoverPoint = 900 }
  return snapshots.new({ ReplicaGroupId = "pg-1", Status = status, SourceRegionId = from,
    DestinationRegionId = to, PairNumber = count or 1, LastRecoverPoint = 900 },
    { pair }, { region = HERE, site = from == HERE and "production" or "backup", read_at = 1000 })
end

local ELSEWHERE, SOURCE = look_of("normal", THERE, HERE), look_of("normal", HERE, THERE)
local OPEN = look_of("failovered", THERE, HERE)

-- Shows one look after the other, the last one for ever.
local function read(...)
  local looks, count, slept = { ... }, 0, 0
  local group = { id = "pg-1", observe = function()
    count = count + 1
    return looks[math.min(count, #looks)]
  end, client = { loop = { now = function() return slept end,
    sleep = function(seconds) slept = slept + seconds end } } }
  return assert(standing.read(group)), count, slept
end

describe("the standing of a group", function()
  it("is believed where three looks over some seconds agree", function()
    for snapshot, open in pairs { [SOURCE] = false, [OPEN] = true } do
      local found, count, slept = read(snapshot)
      assert.same({ "already_there", open, 3, 4 }, { found.outcome, found.open, count, slept })
    end
  end)

  it("is elsewhere where two looks at once agree", function()
    local found, count, slept = read(ELSEWHERE)
    assert.same({ "elsewhere", false, 2, 0 }, { found.outcome, found.open, count, slept })
  end)

  it("follows from no single look that shows another one, whichever it is", function()
    for odd = 1, 4 do
      for _, worlds in ipairs { { SOURCE, ELSEWHERE }, { ELSEWHERE, SOURCE }, { OPEN, SOURCE } } do
        local looks = { worlds[1], worlds[1], worlds[1], worlds[1], worlds[1] }
        looks[odd] = worlds[2]
        local found = read(table.unpack(looks))
        assert.equal(worlds[1] == ELSEWHERE and "elsewhere" or "already_there", found.outcome)
        assert.equal(worlds[1] == OPEN, found.open)
      end
    end
  end)

  it("is waited for while a pair is not known everywhere, for less than a minute", function()
    for snapshot, lagging in pairs { [SOURCE] = look_of("normal", HERE, THERE, 2),
      [OPEN] = look_of("failovered", THERE, HERE, 2) } do
      local found, count, slept = read(lagging, lagging, lagging, snapshot)
      assert.same({ "already_there", 6, 19 }, { found.outcome, count, slept })
      found, count, slept = read(lagging)
      assert.same({ "elsewhere", 10, 40 }, { found.outcome, count, slept })
      assert.is_true(found.unclear)
    end
    local found, count, slept = read(look_of("normal", THERE, HERE, 2))
    assert.same({ 2, 0 }, { count, slept })
    assert.is_nil(found.unclear)
  end)

  it("is left to whoever goes on where looks never agree", function()
    local looks = {}
    for n = 1, 20 do looks[n] = n % 2 == 0 and SOURCE or ELSEWHERE end
    local found, count = read(table.unpack(looks))
    assert.same({ "elsewhere", false, 9 }, { found.outcome, found.open, count })
  end)
end)
