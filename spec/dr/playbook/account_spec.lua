-- Whose groups a run moves: known where several machines share a store, and asked for once.

local shared_disk = require "spec.dr.store.shared_disk"
local stages = require "spec.dr.playbook.stage"

local function naming(run)
  run:group("pg-orders", { region = "cn-shanghai" })
end

-- The holders of the locks of groups that a run has taken.
local function run(stage, options)
  local store, holders = shared_disk.open(stage.disk, stage.bench.client), {}
  function store:lease(name, holder)
    if name ~= "run" then holders[#holders + 1] = holder end
    return self.below:lease(name, holder)
  end
  local given = { store = store }
  for name, value in pairs(options or {}) do given[name] = value end
  local result, err = stage:run(naming, given)
  return holders, err, result
end

local function asked(stage)
  return #stage.bench:requests "GetCallerIdentity"
end

-- A runtime whose environment says something.
local function with_environment(stage, env)
  local runtime = {}
  for name, value in pairs(stage.bench.emu.runtime) do runtime[name] = value end
  runtime.getenv = function(name) return env[name] end
  stage.bench.client = stage.bench.client:with { runtime = runtime }
end

describe("the account of a run", function()
  it("is asked for once, and kept in the journal", function()
    local stage = stages.new()
    local holders, err = run(stage)
    assert.is_nil(err)
    local account = stage:events("run")[1].account
    assert.matches("^%d+$", account)
    assert.same({ account, "cn-shanghai" }, { holders[1].account, holders[1].region })
    assert.equal(1, asked(stage))
  end)

  it("is that of the journal for whoever goes on", function()
    local stage = stages.new()
    local _, err = stage:run(function(own) own:step("a", function() error "broken" end) end,
      { store = shared_disk.open(stage.disk, stage.bench.client), account = "1234567890123456" })
    assert.matches("broken", err.message)
    local holders = run(stage)
    assert.equal("1234567890123456", holders[1].account)
    assert.equal(0, asked(stage))
    stage = stages.new()
    stage:run(function(own) own:step("a", function() error "broken" end) end,
      { store = shared_disk.open(stage.disk, stage.bench.client), account = "1234567890123456" })
    holders, err = run(stage, { account = "6543210987654321" })
    assert.same({ 0, "Client.RunChanged" }, { #holders, err.code })
    assert.matches("1234567890123456 in the journal, not 6543210987654321", err.message)
  end)

  it("is given by the option, or by the environment", function()
    local stage = stages.new()
    local holders = run(stage, { account = "1234567890123456" })
    assert.equal("1234567890123456", holders[1].account)
    stage = stages.new()
    with_environment(stage, { ALICLOUD_DR_ACCOUNT = "2234567890123456" })
    holders = run(stage)
    assert.equal("2234567890123456", holders[1].account)
    assert.equal(0, asked(stage))
  end)

  it("says how it is given where it cannot be asked for", function()
    for _, effect in ipairs { { error = { code = "ServiceUnavailable" } }, { drop = true } } do
      local stage = stages.new { faults = { { match = { action = "GetCallerIdentity" },
        effect = effect } } }
      local holders, err = run(stage)
      assert.same({ 0, "Client.AccountUnknown", "not_sent" }, { #holders, err.code, err.outcome })
      assert.matches("ALICLOUD_DR_ACCOUNT=NUMBER", err.hint)
      assert.equal("", stage.disk:text "run")
    end
    local stage = stages.new()
    with_environment(stage, { ALICLOUD_DR_ACCOUNT = "mine" })
    local _, err = run(stage)
    assert.equal("Client.AccountUnknown", err.code)
    assert.matches('ALICLOUD_DR_ACCOUNT: got "mine"', err.message)
    local ok, raised = pcall(run, stages.new(), { account = "mine" })
    assert.is_false(ok)
    assert.matches('option account: got "mine"', raised)
  end)

  it("is no concern of a store of this machine", function()
    local stage = stages.new()
    assert(stage:run(naming))
    assert.equal(0, asked(stage))
    assert.is_nil(stage:events("run")[1].account)
  end)
end)
