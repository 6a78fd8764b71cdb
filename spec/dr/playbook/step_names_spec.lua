-- Names of steps and gates, from the text of a playbook.

local stages = require "spec.dr.playbook.stage"
local step_names = require "alicloud.dr.playbook.step_names"
local tables = require "alicloud.base.tables"

local function of(text, modules)
  local found = step_names.of { text = text, modules = modules or {} }
  return found, table.concat(tables.keys(found.names), " ")
end

describe("the text of a playbook", function()
  it("tells the names of its steps and gates, with those of its modules", function()
    local found, names = of([[
      local parts = require "parts"
      run:step("check", function() end)
      run:gate('go') run:gate("stop", { need = 1 })
      run:verify( "answers", { timeout = run.params.verify }, f)]],
      { parts = 'return function(run) run:step("part", f) end' })
    assert.equal("answers check gate:go gate:stop part", names)
    assert.is_true(found.whole)
    assert.is_true(step_names.has(found, "gate:go"))
    for _, name in ipairs { "go", "gate:check", "pg-1/check", "parts", "check 2" } do
      assert.is_false(step_names.has(found, name), name)
    end
    assert.equal('; did you mean "check"?', step_names.near(found, "chekc"))
    assert.equal('; did you mean "check"?', step_names.near(found, "pg-1/check"))
  end)

  it("tells which of its steps are critical, by their own options", function()
    local found = of [[
      run:step("open", { no_return = true,
        critical = true }, f)
      run:step('shut', { undo = { critical = true } }, f) run:step("look", f)
      run:step("mend", { plan = "a {", critical = false }, f) -- critical = true }
      run:step("clear", { -- critical = true
        timeout = "1m" }, f)
      run:verify("answers", { critical=true }, f)
      run:step("twice", { critical = true }, f) run:step("twice", {}, f)
      run:each(list, {}, function(id, own) own:step("move", { critical = true }, f) end)]]
    local critical = {}
    for _, name in ipairs { "open", "shut", "look", "mend", "clear", "answers", "twice", "move",
      "pg-1/move", "pg-1/look", "other" } do
      if step_names.is_critical(found, name) then critical[#critical + 1] = name end
    end
    assert.equal("open answers move pg-1/move", table.concat(critical, " "))
  end)

  it("tells them of every branch where it has branches", function()
    local found, names = of [[run:each(list, {}, function(id, own) own:step("move", f) end)]]
    assert.equal("GROUP/move move", names)
    assert.is_true(step_names.has(found, "pg-1/move"))
    assert.is_false(step_names.has(found, "pg-1/mvoe"))
    assert.equal('; did you mean "pg-1/move"?', step_names.near(found, "pg-1/mvoe"))
  end)

  it("tells the gate that is meant where its words are swapped", function()
    local found = of [[run:gate("go") run:each(list, {}, function(id, own) own:gate("ok") end)]]
    for wish, meant in pairs { ["pg-1/gate:ok"] = "gate:pg-1/ok",
      ["pg-1/gate:okk"] = "gate:pg-1/ok", ["pg-1/gate:go"] = "gate:pg-1/go" } do
      assert.is_false(step_names.has(found, wish))
      assert.equal(('; did you mean "%s"?'):format(meant), step_names.near(found, wish))
    end
    assert.equal('; did you mean "gate:go"?', step_names.near(of 'run:gate("go")', "pg-1/gate:go"))
  end)

  it("is not all where names are made while it runs", function()
    for _, text in ipairs { 'run:step("wave " .. i, f)', "run:step(name, f)",
      "local step = run.step", 'load(text)', 'require "installed"',
      'require "alicloud.playbooks.common".fence(run, "fence", group)', "require(part)(run)",
      'run["step"](run, "one", f)' } do
      local found = of('run:step("check", f) ' .. text .. ' for _, name in ipairs { "a" } do end')
      assert.is_false(found.whole, text)
      assert.is_true(step_names.has(found, "check"))
      assert.is_true(step_names.has(found, "gate:pg-1/a"))
      assert.is_false(step_names.has(found, "b"))
    end
    assert.is_true((of 'local dr = require "alicloud.dr" run:step("check", f)').whole)
    assert.is_true((of 'local dr = require("alicloud.dr") run: step("check", f)').names.check)
  end)
end)

describe("a wish to leave out a step by the name that it has in many branches", function()
  it("is told at the first of them, and is for the one of that name alone", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      run:step("other", function() return true end)
      run:each({ "a", "b" }, {}, function(id, own)
        own:step("other", function() return stage:did("other " .. id) end)
        own:step("move", function() return stage:did("move " .. id) end)
      end)
    end, { skip = { move = "why", other = "why" } }))
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("other a", stage:done())
    local notes = stage:events "note"
    assert.equal('step "a/move" is not left out: that was asked of a step "move", of no branch',
      notes[1].text)
    assert.matches("^nothing was left out as \"move\"", notes[2].text)
    assert.is_nil(notes[3])
  end)
end)
