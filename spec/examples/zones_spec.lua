-- The manual's page on zones, executed: its world and its command lines, one after the other.

local process = require "spec.process"
local scratch = require "spec.scratch"

local function blocks()
  local list = {}
  for body in scratch.read "lua/alicloud/manual/zones.md":gmatch "\n```text\n(.-)\n```" do
    list[#list + 1] = body
  end
  return list
end

local function script_of(list)
  local lines = { "dir=$(mktemp -d); cd \"$dir\"; export ALICLOUD_DR_JOURNALS=$dir/journals" }
  for i = 2, #list do
    for line in list[i]:gmatch "[^\n]+" do
      lines[#lines + 1] = line .. "; echo \"ended $?\""
    end
  end
  return table.concat(lines, "\n")
end

local function ends_of(output)
  local ends = {}
  for code in output:gmatch "\nended (%d+)" do ends[#ends + 1] = code end
  return table.concat(ends, " ")
end

describe("the manual's page on zones", function()
  it("tells of a night that goes as it says", function()
    local list = blocks()
    local world = scratch.file(list[1], ".lua")
    local emulator <close> = process.start_emulator { arguments = "--world " .. world }
    local output = emulator:shell(script_of(list))
    assert.equal("2 0 0 0 0", ends_of("\n" .. output), output)
    local _, nothing_done = output:gsub("already there, nothing was done", "")
    assert.equal(2, nothing_done, output)
    local count, last = 0, nil
    for _, effect in ipairs(emulator:ledger()) do
      if effect.action == "FailoverDiskReplicaGroup" then count, last = count + 1, effect.to end
    end
    assert.equal(2, count)
    assert.equal("cn-hangzhou/cn-hangzhou-g", last)
    local status = emulator:shell "alicloud-dr status pg-shop --region cn-hangzhou"
    assert.matches("cn%-hangzhou/g → cn%-hangzhou/h", status)
  end)
end)
