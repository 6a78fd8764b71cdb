-- The steps that the ready playbooks are said to have are those that they have.

local fleets = require "spec.playbooks.fleet_lab"
local ready = require "alicloud.playbooks"
local scene = require "spec.playbooks.scene"
local scratch = require "spec.scratch"
local step_names = require "alicloud.dr.playbook.step_names"

local function text_of(name)
  return scratch.read(assert(package.searchpath("alicloud.playbooks." .. name, package.path)))
end

-- Nothing could be done without it.
local NEEDED = { choose = true }

describe("the steps of the ready playbooks", function()
  it("are said for each of them, by names that their text has", function()
    local shared = text_of "common" .. text_of "without_loss" .. text_of "fleet_groups"
    for _, name in ipairs(ready.NAMES) do
      local text = text_of(name) .. shared
      for _, step in ipairs(assert(ready.STEPS[name])) do
        local base = step:gsub("^gate:", ""):gsub("^GROUP/", "")
        assert.is_truthy(text:find('"' .. base .. '"', 1, true), step)
      end
      local said = step_names.of { steps = ready.STEPS[name] }
      for step in pairs(step_names.of({ text = text_of(name), modules = {} }).names) do
        local is_said = step_names.has(said, step) or step_names.has(said, "GROUP/" .. step)
          or step:find "^GROUP/" ~= nil
        assert.is_true(is_said, name .. ": " .. step)
      end
    end
  end)

  it("are all that a run comes to", function()
    local params = { group = "pg-orders", region = "cn-shanghai", attach = "i-new", stop = "true",
      verify = "true", max_rpo = "2h" }
    local drill = { group = "pg-orders", region = "cn-shanghai", check = "true", max_rpo = "2h" }
    local back = { group = "pg-orders", region = "cn-shanghai", attach = "i-old", stop = "true",
      verify = "true" }
    for name, stage in pairs { failover = scene.stage(), planned = scene.stage(),
      drill = scene.stage(), failback = scene.failed_over(false), fleet = fleets.stage(3) } do
      local _, err
      if name == "fleet" then
        _, err = fleets.run(stage)
      else
        _, err = scene.run(name, stage, name == "drill" and drill or name == "failback" and back
          or params)
      end
      assert.is_nil(err, ("%s: %s"):format(name, err))
      local said = step_names.of { steps = ready.STEPS[name] }
      for _, key in ipairs(stage:state().order) do
        assert.is_true(NEEDED[key] or step_names.has(said, key), name .. ": " .. key)
      end
    end
  end)
end)
