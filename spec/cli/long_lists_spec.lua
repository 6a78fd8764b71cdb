-- What a thousand groups have in common is not printed a thousand times: the first, how many more
-- there are, and the command that shows them all.

local desks = require "spec.cli.desk"
local view_fleet = require "alicloud.cli.view_fleet"

local function run_of(unready)
  local groups = {}
  for i = 1, unready + 1 do
    groups[i] = { id = ("pg-%02d"):format(i), pairs = 1, recover_point_age = 100,
      status = i > unready and "normal" or "created", source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b" }
  end
  local desk = desks.room(false,
    { world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } })
  return desk:run("run", "fleet", "groups=all", "region=cn-shanghai", "--yes"), desk
end

local function count(text, what)
  return select(2, text:gsub(what, ""))
end

describe("the end of a run", function()
  it("names ten that were left out, and the command that names all", function()
    local ran, desk = run_of(12)
    assert.equal(0, ran.code, ran.err)
    assert.equal(10, count(ran.out, "! pg%-%d+ was left out"))
    local command = ran.out:match "\n    and 2 more: alicloud%-dr (%C+)\n"
    local words = {}
    for word in command:gmatch "%S+" do words[#words + 1] = word end
    local report = desk:run(table.unpack(words))
    assert.equal(0, report.code)
    for i = 1, 12 do
      assert.is_true(count(report.out, ("pg%%-%02d was left out"):format(i)) > 0, i)
    end
  end)

  it("names all where they are not many", function()
    local ran = run_of(10)
    assert.equal(10, count(ran.out, "! pg%-%d+ was left out"))
    assert.is_nil(ran.out:find(" more: ", 1, true))
  end)
end)

describe("how a fleet stands", function()
  it("names twenty of a kind, and the command that names all", function()
    local items, out = {}, {}
    for i = 1, 25 do
      items[i] = { account = "100001", group = ("pg-%02d"):format(i), state = "left_out",
        journal = "j", ending = { outcome = "left_out", code = "Client.NotReady", message = "-" } }
    end
    view_fleet.status({ out = function(text) out[#out + 1] = text end, columns = 80 },
      { name = "night", playbook = "failover", count = 25, done = 0, failed = 0, left_out = 25,
        under_way = 0, open = 0, stage = 1, stages = 1, items = items },
      { name = "night", store = "http://127.0.0.1:2379" })
    local text = table.concat(out)
    assert.equal(20, count(text, "100001/pg%-%d+ +left out"))
    assert.is_truthy(text:find("\n    and 5 more: alicloud-dr fleet night "
      .. "--store http://127.0.0.1:2379 --status --json\n", 1, true), text)
  end)
end)
