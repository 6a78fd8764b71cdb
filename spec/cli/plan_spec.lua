-- `alicloud-dr plan` at a desk: what a run would do, and that nothing of it is done.

local desks = require "spec.cli.desk"
local width = require "alicloud.cli.width"

local room = desks.room

describe("alicloud-dr plan", function()
  it("shows steps, calls, regions and tokens, and changes nothing", function()
    local desk, file, directory = room()
    local ran = desk:run("plan", file, "--region", "cn-shanghai", "--incident", "INC-1")
    assert.equal(0, ran.code, ran.err)
    assert.matches("· step check\n", ran.out)
    assert.matches("! step promote  %(point of no return%)\n      ebs:FailoverDiskReplicaGroup "
      .. "pg%-orders in cn%-shanghai, token %x%x%x%x%x%x%x%x…", ran.out)
    assert.matches("%- verify shop answers", ran.out)
    assert.matches("%d+ calls that read, 1 that change; at 100 a minute they take", ran.out)
    assert.same({}, desk:sends())
    assert.same({}, desk:ledger())
    assert.is_nil(io.open(directory .. "/journals"))
    local object = desk:run("plan", file, "--region", "cn-shanghai", "--json",
      "--incident", "INC-1").object
    local token = object.steps[2].calls[1].token
    desk:run("run", "-y", file, "--region", "cn-shanghai", "--incident", "INC-1")
    assert.equal(token, desk:ledger()[1].client_token:sub(1, 8))
  end)

  it("fits the columns that there are", function()
    local desk, file = room([[
      local dr = require "alicloud.dr"
      return dr.playbook("x", function(run)
        run:step("odd", function() return { 1, x = 2 } end)
      end)]],
      { tty = true, columns = 80 })
    local ran = desk:run("plan", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("got a list that has names, too; allowed: .* up to 20 deep %? the plan ends",
      (ran.out:gsub("\n +", " ")))
    for line in ran.out:gmatch "[^\n]+" do assert.is_true(width.of(line) <= 80, line) end
  end)

  it("names what would keep the thread, also in steps that it does not enter", function()
    local desk, file = room [[
      local dr = require "alicloud.dr"
      return dr.playbook("x", function(run)
        -- os.execute would block
        run:step("stop", { plan = false }, function() os.execute "systemctl stop shop" end)
        run:step("look", { plan = false }, function() return io.popen("true"):read "a" end)
      end)]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("line 4: os%.execute\n", ran.out)
    assert.matches("line 5: io%.popen\n    keeps the thread", ran.out)
    assert.not_matches("line 3", ran.out)
    local object = desk:run("plan", file, "--region", "cn-shanghai", "--json").object
    assert.equal(2, #object.blocking)
  end)

  it("says which step would be refused", function()
    local desk, file = room(nil, { group = { recover_point_age = 3000 } })
    local ran = desk:run("plan", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(1, ran.code)
    assert.matches("✘ step check\n", ran.out)
    assert.matches('the plan ends here: step "check" would be refused', ran.out)
  end)

  it("gives out no client that could change something", function()
    local desk, file, directory = room [[
      local alicloud, dr = require "alicloud", require "alicloud.dr"
      local function stop(client)
        return client:call("StopDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
      end
      return dr.playbook("x", function(run)
        local own = alicloud.client { region = "cn-shanghai", access_key_id = "emulator",
          access_key_secret = "emulator-secret" }
        run:step("near", function() return stop(run.client:with { timeout = 5 }) end)
        run:step("own", { on_error = "continue" },
          function() return stop(own:with { mode = "normal" }) end)
        run:step("with", { on_error = "continue" },
          function() return stop(run.client:with { mode = "normal" }) end)
        run:step("inside", { on_error = "continue" },
          function() return stop(run.engine.options.client) end)
        run:step("walk", { on_error = "continue" }, function()
          dr.walk(dr.playbook("y", function() end), { client = own,
            journal = run.params.dir .. "/touched" }):next()
        end)
        run:step("strings", { on_error = "continue" }, function()
          getmetatable("").__index.format = nil
        end)
      end)]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai", "dir=" .. directory)
    assert.matches("! step near\n      ebs:StopDiskReplicaGroup pg%-orders in cn%-shanghai\n",
      ran.out)
    assert.matches("%? step own .-a client that only observes", ran.out)
    assert.matches("! step with", ran.out)
    assert.matches("%? step inside", ran.out)
    assert.matches("%? step walk .-dr.walk is not done while planning", ran.out)
    assert.is_function(string.format)
    assert.is_nil(io.open(directory .. "/touched"))
    assert.same({}, desk:ledger())
  end)

  it("starts no program, writes no file, and stops where it cannot know", function()
    local desk, file, directory = room [[
      local alicloud = require "alicloud"
      return require("alicloud.dr").playbook("x", function(run)
        run:step("shell", { on_error = "continue" }, function()
          os.execute("touch " .. run.params.dir .. "/touched")
        end)
        run:step("file", { on_error = "continue" }, function()
          io.open(run.params.dir .. "/touched", "w"):close()
        end)
        run:step("module", { on_error = "continue" }, function()
          return require("socket").tcp()
        end)
        run:step("elsewhere", { plan = function() return { instance = "i-1" } end }, function()
          os.execute "true"
        end)
        run:step("own client", function()
          local client = alicloud.client { region = "cn-shanghai", access_key_id = "emulator",
            access_key_secret = "emulator-secret" }
          return client:call("StopDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
        end)
        local answer = run:step("raw", function()
          return run.client:call("DeleteDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
        end)
        run:note(answer.RequestId)
      end)]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai", "dir=" .. directory)
    assert.equal(1, ran.code)
    assert.matches("%? step shell .-os.execute is not done while planning", ran.out)
    assert.matches("%? step file .-io.open is not done while planning", ran.out)
    assert.matches("%? step module .-socket.core.%w+ is not done while planning", ran.out)
    assert.matches("· step elsewhere\n", ran.out)
    assert.matches("! step own client\n", ran.out)
    assert.matches("! step raw\n      ebs:DeleteDiskReplicaGroup pg%-orders in cn%-shanghai\n",
      ran.out)
    assert.matches("the plan ends here: the playbook needs what a change would have answered",
      ran.out)
    assert.is_nil(io.open(directory .. "/touched"))
    assert.same({}, desk:ledger())
  end)

  local function planned(body)
    local desk, file = room(([[
      return require("alicloud.dr").playbook("x", function(run) %s end)]]):format(body))
    return desk:run("plan", file, "--region", "cn-shanghai")
  end

  it("says of a program and of a loop what a step gives a plan instead", function()
    local ran = planned [[
      run:step("program", { on_error = "continue" }, function(own) return own:program "id" end)
      run:step("function", function(own) return own:program(function() return true end) end)
      run:step("loop", function() while true do end end)]]
    assert.equal(1, ran.code)
    assert.matches("%? step program .-  a program is not started while planning.-: id\n",
      ran.out)
    assert.matches("· step function\n", ran.out)
    assert.matches("StepFailed: it computes for longer than a plan waits %(100 million", ran.out)
  end)

  it("finds nothing against a program of a step, nor what a run knows of a group", function()
    local ran = planned [[
      local orders = run:group("pg-orders")
      run:step("look", function() return orders:precheck {} end)
      run:step("probe", function(own)
        return own:program("true", { from = own.direction.from, since = own.recovery_point })
      end)]]
    assert.equal(0, ran.code, ran.out)
    assert.matches("%? step probe\n      a program is not started while planning", ran.out)
  end)

  it("counts the steps that it does not enter, and names what a pre-check minds", function()
    local ran = planned [[run:step("far", { plan = false }, function() end)]]
    assert.equal(0, ran.code, ran.err)
    assert.matches("not counted: what the step calls that was not entered %(%-%)\n",
      ran.out)
    ran = planned [[run:step("check", function()
      return run:group("pg-orders"):precheck { max_rpo = 1 } end)]]
    assert.matches("its pre%-check stands against it: Client.RecoveryPointTooOld: ", ran.out)
  end)

  it("refuses a gate as a run does, and blames no answer for it", function()
    local ran = planned [[run:gate("go", { need = 1, of = { dba = "ed25519:AAAA" } })]]
    assert.equal(1, ran.code)
    assert.matches('the plan ends here: [^\n]*gate "go": option of: key of dba: got "ed25519:AAAA"'
      .. "; allowed: 64 hexadecimal digits", ran.out)
    assert.not_matches("what a change would have answered", ran.out)
  end)
end)
