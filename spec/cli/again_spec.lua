-- A change of which no look tells whether it was done: the last lines have the command for it.

local desks = require "spec.cli.desk"

local LOST = { faults = { { match = { action = "FailoverDiskReplicaGroup", before = 600 },
  effect = { drop = true } } } }

describe("a run that stops in doubt", function()
  it("names the command that does the step once more, and it ends with one effect", function()
    local desk, file = desks.room(nil, LOST)
    local ran = desk:run("run", file, "max_rpo=2h", "--region", "cn-shanghai", "--yes")
    assert.is_true(ran.code ~= 0)
    local words = ran.err:match "if it was never done:  alicloud%-dr ([^\n]+)"
    assert.matches("^resume %S+ .*%-%-again promote$", words, ran.err)
    desk.bench.emu:advance(600)
    local given = {}
    for word in words:gmatch "%S+" do given[#given + 1] = word end
    given[#given + 1] = "--yes"
    ran = desk:run(table.unpack(given))
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, #desk:ledger())
  end)

  it("is listed and explained with that command", function()
    local desk, file, directory = desks.room(nil, LOST)
    local journal = directory .. "/j.jsonl"
    desk:run("run", file, "max_rpo=2h", "--region", "cn-shanghai", "--yes", "--journal", journal)
    local wanted = ("alicloud-dr resume %s --again promote"):format(journal)
    assert.is_truthy(desk:run("explain", journal).out:find("never done?  " .. wanted, 1, true))
    local ran = desk:run("runs", directory)
    assert.is_truthy(ran.out:find("if it was never done:  " .. wanted, 1, true), ran.out)
  end)

  it("tells programs the step too", function()
    local desk, file = desks.room(nil, LOST)
    local ran = desk:run("run", file, "max_rpo=2h", "--region", "cn-shanghai", "--yes", "--json")
    assert.equal("promote", ran.object.again)
  end)

  it("is not told of it where the step can be sent again as it is", function()
    local desk, file = desks.room(nil, { faults = { { match = {
      action = "FailoverDiskReplicaGroup", count = 1 },
      effect = { error = { code = "Forbidden", status = 403 } } } } })
    local ran = desk:run("run", file, "max_rpo=2h", "--region", "cn-shanghai", "--yes")
    assert.is_nil(ran.err:find("--again", 1, true))
    assert.matches("go on:  alicloud%-dr resume", ran.err)
  end)
end)
