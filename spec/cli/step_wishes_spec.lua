-- --skip and --again, held against the steps that there are before anything is begun.

local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local BODY = [[
local dr = require "alicloud.dr"
return dr.playbook("two steps", function(run)
  run:step("look", function() return true end)
  %s
  run:step("mend", function() return nil, "a cable is loose" end)
end)
]]

local function room(more)
  local desk, file, directory = desks.room(BODY:format(more or ""))
  return desk, file, directory
end

local function run(desk, file, ...)
  return desk:run("run", file, "--region", "cn-shanghai", ...)
end

describe("--skip of a step that there is not", function()
  it("is refused before there is a journal, with the steps that there are", function()
    local desk, file = room()
    for name, near in pairs { loko = '; did you mean "look"?', mned = '; did you mean "mend"?',
      ["pg-1/look"] = '; did you mean "look"?', ["gate:look"] = "" } do
      local ran = run(desk, file, "--skip", name .. "=why")
      assert.equal(2, ran.code)
      assert.matches(('alicloud-dr: --skip: got "%s"; allowed: a step or gate of the playbook: '
        .. 'look, mend%s\n'):format(name, near), ran.err, 1, true)
    end
    assert.same({}, desk:run("runs", "--json").object.runs)
    assert.equal(0, run(desk, file, "--skip", "mend=why").code)
  end)

  it("is refused of the ready ones", function()
    local desk = desks.room(false)
    for name, words in pairs {
      failover = { "promot", "group=pg-orders", 'promote' },
      planned = { "aprove", "group=pg-orders", nil },
      drill = { "approve", "group=pg-orders", nil },
      fleet = { "pg-orders/fnece", "groups=pg-orders", "pg-orders/fence" } } do
      local ran = desk:run("run", name, words[2], "region=cn-shanghai", "--yes", "--skip",
        words[1] .. "=why")
      assert.equal(2, ran.code)
      assert.matches(words[3] and ('; did you mean "%s"?'):format(words[3]) or "allowed: a step",
        ran.err, 1, true)
    end
    assert.same({}, desk:ledger())
  end)

  it("is refused with a word that stands for the id of a group", function()
    local desk = desks.room(false)
    for _, name in ipairs { "fence", "GROUP/fence" } do
      local ran = desk:run("run", "fleet", "groups=pg-orders", "region=cn-shanghai", "--yes",
        "--skip", name .. "=why")
      assert.equal(2, ran.code)
      assert.matches("(GROUP: the id of a group)", ran.err, 1, true)
    end
    assert.same({}, desk:run("runs", "--json").object.runs)
  end)

  it("is refused of a critical one before production is stopped for it", function()
    local desk = desks.room(false)
    for name, step in pairs { failover = "promote", drill = "start drill" } do
      local ran = desk:run("run", name, "group=pg-orders", "region=cn-shanghai", "--yes", "--skip",
        step .. "=why")
      assert.equal(2, ran.code)
      assert.matches(('--skip: got "%s"; allowed: a step that is not critical\n'):format(step),
        ran.err, 1, true)
    end
    assert.same({}, desk:ledger())
    assert.same({}, desk:run("runs", "--json").object.runs)
  end)

  it("is refused of a critical one where a run goes on from it", function()
    local desk, file = room [[run:step("open", { critical = true }, function()
      return nil, "shut" end)]]
    assert.equal(1, run(desk, file).code)
    local journal = desk:run("runs", "--json").object.runs[1].journal
    local ran = desk:run("resume", journal, "--skip", "open=why")
    assert.equal(2, ran.code)
    assert.matches("allowed: a step that is not critical", ran.err, 1, true)
  end)

  it("is refused where a run goes on, which is left as it is", function()
    local desk, file = room()
    assert.equal(1, run(desk, file).code)
    local journal = desk:run("runs", "--json").object.runs[1].journal
    local before = scratch.read(journal)
    assert.equal(2, desk:run("resume", journal, "--skip", "mned=why").code)
    assert.equal(before, scratch.read(journal))
    assert.equal(0, desk:run("resume", journal, "--skip", "mend=why").code)
  end)

  it("is warned of at once where names are made while it runs", function()
    local more = [[for _, name in ipairs { "a", "b" } do run:step(name, function() end) end]]
    local desk, file = room(more)
    local ran = run(desk, file, "--skip", "a=why", "--skip", "mned=why", "--skip", "mend=why")
    assert.equal(0, ran.code, ran.err)
    assert.matches('warning: --skip: "mned" is no name in the text of the playbook; did you mean '
      .. '"mend"?; where the run comes to nothing of that name, nothing is left out\n', ran.err, 1,
      true)
    assert.is_nil(ran.err:find('"a"', 1, true))
  end)
end)

describe("--again", function()
  it("is refused of what the run has not begun, with what it has", function()
    local desk, file = room()
    local ran = run(desk, file, "--again", "look")
    assert.equal(2, ran.code)
    assert.matches('--again: got "look"; allowed: a step that the run has begun: there is none yet',
      ran.err, 1, true)
    assert.same({}, desk:run("runs", "--json").object.runs)
    assert.equal(1, run(desk, file).code)
    ran = run(desk, file, "--again", "mned")
    assert.equal(2, ran.code)
    assert.matches('allowed: a step that the run has begun: look, mend; did you mean "mend"?',
      ran.err, 1, true)
    ran = run(desk, file, "--again", "look", "--again", "mend", "--skip", "look=why")
    assert.equal(1, ran.code)
    assert.matches('warning: --again: "look" is done already, and is not done again\n', ran.err, 1,
      true)
    assert.matches('warning: --skip: "look" is done already, so nothing of it is left out\n',
      ran.err, 1, true)
    assert.is_nil(ran.err:find('"mend"', 1, true))
  end)
end)
