-- Each call takes a second, as over a bad line from far away: what is read of many groups is asked
-- for at the same time, and not by one call after the other.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local worlds = require "spec.worlds"

local COUNT = 60

-- A client whose calls take a second each; `answer` may give another answer.
local function far_away(answer)
  local emu = emulator.new { world = worlds.of_groups(COUNT), wire = false }
  local desk = { emu = emu, calls = {} }
  desk.client = alicloud.client { region = "cn-shanghai", runtime = emu.runtime,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      desk.calls[request.action] = (desk.calls[request.action] or 0) + 1
      desk.client.loop.sleep(1)
      return answer and answer(request) or emu.transport.perform(request)
    end } }
  return desk
end

local function groups_of(desk)
  local list = {}
  for i = 1, COUNT do list[i] = dr.group(desk.client, ("pg-%02d"):format(i)) end
  return list
end

local function took(desk, act, ...)
  local began = desk.emu.runtime.time()
  local result, err = act(...)
  return desk.emu.runtime.time() - began, result, err
end

describe("calls that take a second each", function()
  it("let a region's drills be read in seconds", function()
    local desk = far_away()
    local seconds, drills = took(desk, dr.drills, desk.client)
    assert.same({}, drills)
    assert.equal(COUNT, desk.calls.DescribeReplicaGroupDrills)
    assert.is_true(seconds <= 10, seconds)
  end)

  it("let many groups be judged in seconds, and what all need is read once", function()
    local desk = far_away()
    local seconds, report = took(desk, dr.readiness, groups_of(desk))
    assert.equal(COUNT, #report.lines)
    assert.equal("pg-07", report.lines[7].group_id)
    assert.is_true(seconds <= 15, seconds)
    assert.is_true((desk.calls.DescribeDiskReplicaPairs or 0) <= 4)
  end)

  it("end the reading of drills at the first that cannot be read", function()
    local desk = far_away(function(request)
      if request.action == "DescribeReplicaGroupDrills" then
        return { status = 403, headers = {},
          body = '{"Code":"Forbidden","Message":"no","RequestId":"r"}' }
      end
    end)
    local _, drills, err = took(desk, dr.drills, desk.client)
    assert.is_nil(drills)
    assert.equal("Forbidden", err.code)
    assert.is_true(desk.calls.DescribeReplicaGroupDrills <= 20)
  end)
end)
