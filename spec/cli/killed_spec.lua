-- Real processes, real signals, a real socket: a run that is interrupted, killed or doubled.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local PLAYBOOK = [[
return require("alicloud.dr").playbook("orders", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck() end)
  run:step("promote", { point_of_no_return = true }, function() return orders:failover() end)
  run:verify("open", function() return true end)
end)
]]

-- A playbook in the working directory that is done in its second attempt only.
local AGAIN = [[
cat >again.lua <<'END'
return require("alicloud.dr").playbook("again", function(run)
  run:step("wait", function() return run.attempt > 1 or nil, "not yet" end)
end)
END
]]

-- Begins a run and waits until its failover is under way.
local BEGIN = [[
dir=$(mktemp -d)
export ALICLOUD_DR_JOURNALS=$dir USER=operator
cat >"$dir/orders.lua" <<'END'
]] .. PLAYBOOK .. [[
END
run() { alicloud-dr run --yes "$dir/orders.lua" --region cn-shanghai; }
alicloud-dr run --yes "$dir/orders.lua" --region cn-shanghai >"$dir/out" 2>&1 &
command=$!
until grep -qs 'client token' "$dir/out"; do
  kill -0 $command || break
  sleep 0.02
done
]]

describe("a run", function()
  local emulator

  -- A failover stays under way until its clock is moved, however slow this machine is.
  before_each(function() emulator = process.start_emulator { speed = 0 } end)

  after_each(function() emulator:stop() end)

  -- Begins a run, which is ended in the middle of its failover; that is over when it goes on.
  local function ended_between(ending, going_on)
    local sent, over = scratch.path(), scratch.path()
    local job = emulator:begin(([[%s
      until test -e %s; do sleep 0.02; done
      %s
      touch %s.seen
      until test -e %s; do sleep 0.02; done
      %s]]):format(BEGIN, sent, ending, over, over, going_on))
    process.wait_until("the failover", function() return emulator:effects() > 0 end)
    scratch.write(sent, "")
    process.wait_until("the end of the run", function() return core.look(over .. ".seen") end)
    emulator:advance(600)
    scratch.write(over, "")
    return (job:finish())
  end

  it("that is interrupted says how to go on, and goes on", function()
    local output = ended_between([[
      kill -INT $command
      wait $command
      echo "exit code $?"
      cat "$dir/out"
    ]], [[
      eval "$(sed -n 's/^    go on:  //p' "$dir/out")"
      echo "then $?"
    ]])
    assert.matches("exit code 130\n", output)
    assert.matches("alicloud%-dr: interrupted\n    go on:  alicloud%-dr resume /", output)
    assert.matches("going on, process 2 of this run", output)
    assert.matches("✔ completed, RTO .*\nthen 0\n", output)
    assert.equal(1, emulator:effects())
  end)

  it("that is killed goes on when it is run again", function()
    local output = ended_between([[
      kill -KILL $command
      wait $command
      echo "exit code $?"
      alicloud-dr report "$dir"/orders-*.jsonl
    ]], [[
      run
      echo "then $?"
      alicloud-dr verify "$dir"/orders-*.jsonl
    ]])
    assert.matches("exit code 137\n# ! Interrupted: orders\n", output)
    assert.matches("Resume it with: `alicloud%-dr resume /%S+%.jsonl %-%-endpoint http://%S+`\n",
      output)
    assert.matches("✔ completed, RTO .*\nthen 0\n", output)
    assert.matches("each follows the one before\n.*completed", output)
    assert.equal(1, emulator:effects())
  end)

  it("is resumed from another directory than that in which it was begun", function()
    local output = emulator:shell([[
      dir=$(mktemp -d)
      export ALICLOUD_DR_JOURNALS=$dir USER=operator
      mkdir "$dir/books" && cd "$dir/books"
]] .. AGAIN .. [[
      alicloud-dr run --yes ./again.lua --region cn-shanghai
      echo "exit code $?"
      cd /
      alicloud-dr resume "$dir"/again-*.jsonl
      echo "then $?"
      alicloud-dr report "$dir"/again-*.jsonl
    ]])
    assert.matches("not yet.*exit code 1\n", output)
    assert.matches("✔ completed.*then 0\n", output)
    assert.matches("Playbook file: `/%S+/books/again%.lua`\n", output)
  end)

  it("is resumed from a directory that the journal cannot name, as it was begun there", function()
    local output = emulator:shell([[
      dir=$(mktemp -d)
      export ALICLOUD_DR_JOURNALS=$dir USER=operator
      books=$dir/$(printf 'caf\351')
      mkdir "$books" && cd "$books"
]] .. AGAIN .. [[
      alicloud-dr run --yes ./again.lua --region cn-shanghai
      alicloud-dr resume "$dir"/again-*.jsonl
      echo "then $?"
    ]])
    assert.matches("✔ completed.*then 0\n", output)
  end)

  it("keeps a second process away from its journal and its group", function()
    local seen = scratch.file ""
    local job = emulator:begin(BEGIN .. [[
      journal=$(ls "$dir"/orders-*.jsonl)
      run
      echo "exit code $?"
      alicloud-dr run --yes "$dir/orders.lua" --region cn-shanghai other=1
      echo "exit code $?"
      echo "pid $command"
      alicloud-dr report "$journal"
      alicloud-dr explain "$journal"
      echo seen >]] .. seen .. [[

      wait $command
      echo "then $?"
      ls -l "$dir"/*.jsonl*
    ]])
    process.wait_until("the second process", function() return scratch.read(seen) ~= "" end)
    emulator:advance(600)
    local output = job:finish()
    local pid = output:match "pid (%d+)\n"
    assert.matches("orders%-%x+%-1%.jsonl is held by operator %(pid " .. pid .. " on %g+%) since ",
      output)
    assert.matches("group pg%-orders is held by operator %(pid " .. pid, output)
    assert.matches("# · Still running: orders\n\nIt is still running: process " .. pid
      .. " of operator", output)
    assert.matches("send again   no: it is at work", output)
    local codes = {}
    for code in output:gmatch "exit code (%d+)" do codes[#codes + 1] = code end
    assert.same({ "1", "1" }, codes)
    assert.matches("then 0\n", output)
    for mode in output:gmatch "\n(%S+)%s+%d+ %S+ %S+ +%d+ .-%.jsonl" do
      assert.equal("-rw-------", mode)
    end
    assert.equal(1, emulator:effects())
  end)
end)

describe("a ready playbook", function()
  it("is copied, edited and run by its path, and its drill is cleared after a kill", function()
    local emulator <close> = process.start_emulator { speed = 40 }
    local output = emulator:shell([[
      dir=$(mktemp -d)
      cd "$dir" && export ALICLOUD_DR_JOURNALS=$dir USER=operator
      alicloud-dr playbooks --copy drill && alicloud-dr playbooks --copy drill
      echo "twice $?"
      alicloud-dr run ./drill.lua group=pg-orders region=cn-shanghai \
        check='touch seen; sleep 9' >out 2>&1 &
      command=$!
      until test -e seen; do
        kill -0 $command || break
        sleep 0.02
      done
      kill -KILL $command
      wait $command
      echo "exit code $?"
      alicloud-dr drill list --region cn-shanghai
      sed -i 's/the disks are no good/no good/' drill.lua
      alicloud-dr run ./drill.lua group=pg-orders region=cn-shanghai check='touch seen; sleep 9' \
        --skip 'check the disks=seen by hand'
      echo "refused $?"
      alicloud-dr run ./drill.lua group=pg-orders region=cn-shanghai check='touch seen; sleep 9' \
        --skip 'check the disks=seen by hand' --accept-edit
      echo "then $?"
      alicloud-dr drill list --region cn-shanghai]])
    assert.matches("drill%.lua   run it by its path", output)
    assert.matches("drill%.lua: it exists already\ntwice 2\n", output)
    assert.matches("exit code 137\n.*pay%-as%-you%-go", output)
    assert.matches("last executed with: .* hint: look at it, then: alicloud%-dr resume .* "
      .. "%-%-accept%-edit\nrefused 1\n", output)
    assert.matches("the playbook was edited", output)
    assert.matches("completed with exceptions.*then 0\n", output)
    assert.is_nil(output:match("then 0\n(.*)"):find("pay-as-you-go", 1, true))
    local actions = {}
    for i, effect in ipairs(emulator:ledger()) do actions[i] = effect.action end
    assert.same({ "StartReplicaGroupDrill", "ClearReplicaGroupDrill" }, actions)
  end)
end)
