-- What a shell makes of an unset variable or of a paste: words that are empty or of several lines
-- are a slip of whoever types, and are refused as one.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"

local function refused(desk, ...)
  local ran = desk:run(...)
  local typed = table.concat({ ... }, " ")
  assert.is_true(ran.code == 1 or ran.code == 2, typed .. ": " .. ran.err)
  assert.is_nil(ran.err:find("internal error", 1, true), typed .. ": " .. ran.err)
  return ran.err
end

local MOVE = { "run", "failover", "group=pg-orders", "region=cn-shanghai", "--yes" }

local function moving(...)
  return table.unpack(table.move({ ... }, 1, select("#", ...), #MOVE + 1, { table.unpack(MOVE) }))
end

describe("a word that is empty", function()
  it("is no file, and no journal", function()
    local desk = desks.room(false, { world = after.world() })
    for _, name in ipairs { "resume", "report", "verify", "approve", "unfence", "bugreport" } do
      assert.matches("journal: is empty; allowed: ", refused(desk, name, ""), name)
    end
    refused(desk, "ungraceful", "", "--why", "x")
    refused(desk, "handover", "x", "--to", "")
    refused(desk, "run", "")
    for _, name in ipairs { "--world", "--load", "--faults", "--assume-from" } do
      refused(desk, "emulator", name, "")
    end
    for _, name in ipairs { "--journal", "--approvers", "--sign" } do
      refused(desk, moving(name, ""))
    end
    refused(desk, "explore", "failover", "group=pg-orders", "--region", "cn-shanghai",
      "--exhaustive", "1", "--only", "1", "--progress", "")
    assert.same({}, desk:ledger())
  end)
end)

describe("a word of several lines", function()
  it("is no reason, and no name of a journal", function()
    local desk, _, directory = desks.room(false, { world = after.world(), faults = { {
      match = { action = "FailoverDiskReplicaGroup" }, effect = lab.answer("Forbidden", 403) } } })
    local journal = directory .. "/run.jsonl"
    assert.equal(1, desk:run(moving("--journal", journal)).code)
    local allowed = "allowed: one line, no control characters"
    for _, words in ipairs { { "--skip", "promote=gone\nfor good" },
      { "--accept-loss", "2h", "--why", "gone\nfor good" },
      { "attach=i-new", "--why", "gone\nfor good" } } do
      assert.matches(allowed, refused(desk, "resume", journal, table.unpack(words)))
    end
    assert.matches("%-%-journal: got ", refused(desk, moving("--journal", directory .. "/a\nb")))
  end)
end)
