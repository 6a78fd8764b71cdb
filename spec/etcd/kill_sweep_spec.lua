-- A controller that is killed at any of its appends is taken over by another one.

local kill_sweep = require "spec.etcd.kill_sweep"
local stages = require "spec.etcd.stage"

-- A failover of one group announces and tells so often.
local APPENDS = 14

local it_in_etcd = stages.missing() and pending or it

describe("a controller that is killed", function()
  it_in_etcd("before or after any append is taken over by the one that waits, with one effect",
    function()
      local stage <close> = stages.start()
      local sweep = kill_sweep.run(stage)
      assert.same({}, sweep.violations)
      assert.is_true(sweep.killed >= 2 * APPENDS, sweep.killed .. " killed")
    end)
end)
