-- What the pre-check says of the recovery point of a group that is open already.

local lab = require "spec.dr.lab"

local function rpo(group, options)
  local report = assert(lab.new({ group = group }):group():precheck(options))
  for _, finding in ipairs(report.findings) do
    if finding.id == "rpo" then return finding, report end
  end
end

describe("the age of a recovery point", function()
  it("does not count where every pair is open: another failover loses nothing", function()
    for _, outage_at in ipairs { "1h", "3h" } do
      local finding, report = rpo({ status = "failovered", recover_point_age = 9000 },
        { max_rpo = "20m", outage_at = outage_at })
      assert.equal("ok", finding.verdict)
      assert.matches("open already", finding.fact)
      assert.is_true(report.ok)
    end
  end)

  it("counts where a failover has stopped half way", function()
    local finding = rpo({ status = "failover_failed", recover_point_age = 9000 },
      { max_rpo = "20m" })
    assert.equal("block", finding.verdict)
  end)

  it("is no reason to take an outage that has not begun", function()
    local finding = rpo({ status = "failovered" }, { outage_at = "2099-01-01T00:00:00Z" })
    assert.equal("Client.OutageInFuture", finding.code)
  end)
end)
