-- `readiness` for machines: a file for the collector of node_exporter, exit codes in every mode.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local run = desks.once

local function world(group)
  return { world = after.world(group) }
end

local function unreachable()
  return { world = after.world(),
    faults = { after.fault("DescribeDiskReplicaGroups", { drop = true }, "before", 99) } }
end

local METRICS = { "readiness", "--format", "prometheus" }

local function metrics(given, ...)
  local words = { ... }
  return run(given, METRICS[1], METRICS[2], METRICS[3], table.unpack(words))
end

local CASES = {
  { world, 0, "ok", "--max-rpo", "20m" },
  { function() return world { status = "stopped" } end, 1, "warn" },
  { world, 2, "fail", "--max-rpo", "5m" },
  { unreachable, 3, "unknown" },
}

describe("alicloud-dr readiness --format prometheus", function()
  it("tells the same with the same exit code, whatever the form", function()
    for _, case in ipairs(CASES) do
      local words, path = { table.unpack(case, 4) }, scratch.path ".prom"
      local as_text = run(case[1](), "readiness", table.unpack(words))
      local as_json = run(case[1](), "readiness", "--json", table.unpack(words))
      local ran = metrics(case[1](), table.unpack(words))
      local filed = metrics(case[1](), "--output", path, table.unpack(words))
      assert.same({ case[2], case[2], case[2], case[2], case[2] },
        { as_text.code, as_json.code, as_json.object.exit, ran.code, filed.code })
      local verdict = ('alicloud_dr_readiness{region="cn-shanghai",verdict="%s"} 1\n')
        :format(case[3])
      assert.is_truthy(ran.out:find(verdict, 1, true), ran.out)
      assert.is_truthy(scratch.read(path):find(verdict, 1, true))
      assert.same({ as_text.out, as_text.err }, { filed.out, filed.err })
      assert.equal(case[2] == 3 and as_text.err or "", ran.err)
    end
  end)

  it("prints one line a group without colours where nobody looks", function()
    local given = world { status = "stopped" }
    given.world.groups[2] = after.world({ id = "pg-two", name = ("long "):rep(50), pairs = 1,
      status = "stopped" }).groups[1]
    local ran = run(given, "readiness")
    local _, lines = ran.out:gsub("\n", "")
    assert.equal(2, lines)
    assert.is_nil(ran.out:find "[\27\r]")
  end)

  it("prints JSON beside the file, and silence where all is well", function()
    local path = scratch.path ".prom"
    assert.equal("ok", metrics(world(), "--output", path, "--json").object.verdict)
    assert.equal("", metrics(world(), "--output", path, "--quiet").out)
  end)

  it("replaces a file in one step, which a group that cannot be read is part of", function()
    local directory = scratch.directory()
    local path = directory .. "/dr.prom"
    scratch.write(path, "old\n")
    assert(os.execute(("ln '%s' '%s/before'"):format(path, directory)))
    local given = unreachable()
    assert.equal(3, metrics(given, "pg-orders", "--output", path).code)
    local text = scratch.read(path)
    assert.matches('alicloud_dr_group_readiness{group="pg%-orders",region="cn%-shanghai",'
      .. 'verdict="unknown"} 1\n', text)
    assert.is_nil(text:find("group_status", 1, true))
    -- Whoever has opened the one before still has it whole, and nothing is left beside it.
    assert.equal("old\n", scratch.read(directory .. "/before"))
    local names = core.list_directory(directory)
    table.sort(names)
    assert.same({ "before", "dr.prom" }, names)
  end)

  it("is no success without its file, but nothing milder than a failure", function()
    local path = scratch.path "/no/such/dr.prom"
    local ran = metrics(world(), "--output", path)
    assert.equal(3, ran.code)
    assert.matches("^alicloud%-dr: the metrics were not written: .*no such file", ran.err)
    assert.equal(2, metrics(world(), "--output", path, "--max-rpo", "5m").code)
    assert.equal(3, metrics(world(), "--output", path, "--json").object.exit)
  end)

  it("has each group once, by whatever it was named", function()
    local ran = metrics(world(), "pg-orders", "name:orders", "pg-orders")
    local seen = {}
    for _, line in ipairs(desks.lines_of(ran.out)) do
      assert.is_nil(seen[line], line)
      seen[line] = true
    end
    assert.matches('readiness{group="pg%-orders"', ran.out)
  end)

  it("refuses what does not go together", function()
    local ran = run(world(), "readiness", "--output", "x.prom")
    assert.equal(2, ran.code)
    assert.matches("%-%-output: is for metrics; allowed: with %-%-format prometheus", ran.err)
    ran = metrics(world(), "--output", "-")
    assert.equal(2, ran.code)
    assert.matches('%-%-output: got "%-"; allowed: a file; without it the metrics are printed',
      ran.err)
    ran = metrics(world(), "--json")
    assert.equal(2, ran.object.exit)
    assert.matches("%-%-format: got prometheus and %-%-json", ran.object.error.message)
  end)
end)

describe("alicloud-dr readiness of many groups", function()
  local function many(given)
    given.world = world().world
    for i = 2, 90 do
      given.world.groups[i] = after.world({ id = ("pg-%02d"):format(i), pairs = 1,
        status = i == 2 and "created" or "normal" }).groups[1]
    end
    return given
  end

  it("shows at a terminal how far it is, and takes the line away", function()
    local ran = run(many { tty = true, columns = 80 }, "readiness")
    local frames = {}
    for frame in ran.out:gmatch "\r\27%[K  %S+ (%d+ of 90 judged[^\r\n]*)" do
      frames[#frames + 1] = frame
    end
    assert.equal("0 of 90 judged", frames[1])
    assert.matches("^%d+ of 90 judged, 1 failed$", frames[#frames])
    -- Once a second and not for each.
    assert.is_true(#frames > 1 and #frames < 20, #frames)
    local _, last = ran.out:find(".*\r\27%[K")
    local _, lines = ran.out:sub(last):gsub("RPO 7m", "")
    assert.equal(90, lines)
  end)

  it("shows nothing of it where nobody looks", function()
    for _, given in ipairs { { tty = false }, { tty = true, json = true } } do
      local ran = run(many(given), "readiness", given.json and "--json" or nil)
      assert.is_nil((ran.out .. ran.err):find("judged", 1, true))
    end
  end)
end)
