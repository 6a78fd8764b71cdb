-- Mistakes about what looks show, and what is made of it.

local make = require "spec.simulation.mutants.make"

local DIRECTION, FAILOVER = "alicloud.dr.model.direction", "alicloud.dr.actions.failover"
local POLLER, GROUPS = "alicloud.dr.change.poller", "alicloud.dr.read.groups"
local SNAPSHOT, PAIR_SET = "alicloud.dr.model.snapshot", "alicloud.dr.model.pair_set"
local PHASE, PRECHECK = "alicloud.dr.model.phase", "alicloud.dr.model.precheck"
local FIELDS = "alicloud.base.fields"
local READING, SETTLED = "alicloud.dr.model.reading", "alicloud.dr.read.settled"
local edit, mutant, lie, of, of_zones = make.edit, make.mutant, make.lie, make.of, make.of_zones
local takes_for, FALSE, NIL = make.takes_for, make.FALSE, make.NIL

return {
  -- Success.
  mutant("success when the call is accepted", 1, edit(POLLER, "Poller:conclusion",
    [[function() return "completed" end]])),
  lie("group_ahead", "success on the group alone", 31, edit(PHASE, "phase_of",
    [[function(transition, intent, snapshot)
      if stage_of_group(transition, intent, snapshot) == "done" then return "completed" end
      return original(transition, intent, snapshot)
    end]])),
  lie("short_list", "cut pair lists are whole", 185, edit(SNAPSHOT, "M.pair_set_fault", NIL)),
  mutant("the frozen pair set is not compared", 651, edit(PHASE, "M.of_shape",
    [[function(...)
      local phase, reason = original(...)
      if phase ~= "conflict" then return phase, reason end
    end]])),
  lie("empty_list", "a group that both lists leave out has arrived", 56,
    edit(GROUPS, "read_groups", [[function(client, region, site, ...)
      local records, err, meta = original(client, region, site, ...)
      M.left_out = records ~= nil and (site == "backup" or M.left_out)
      return records, err, meta
    end]]),
    edit(PHASE, "M.of_shape", [[function(transition, intent, snapshot)
      if snapshot.role == "absent" and require "alicloud.dr.read.groups".left_out then
        return "completed", "gone"
      end
      return original(transition, intent, snapshot)
    end]])),
  lie("unknown_status", "an unknown word means done", 497,
    edit(PHASE, "phase_of", takes_for("unknown", "completed"))),
  mutant("a failover in part is success", 75,
    edit(PHASE, "phase_of", takes_for("failed", "completed")),
    edit(PHASE, "phase_of", takes_for("partially_failed", "completed"))),
  mutant("under way is as good as there", 1,
    edit(PHASE, "phase_of", takes_for("in_progress", "completed"))),
  mutant("a failover under way is called done", 2273, edit(FAILOVER, "look",
    [[function(change)
      local snapshot, err, route, report = original(change)
      return snapshot, err, route == "join" and "done" or route, report
    end]])),

  -- Odd looks.
  of("N3", mutant("a recovery point in the future is one", 508,
    edit(READING, "is_ahead", FALSE))),
  of("E", mutant("one odd look after the call ends a run", 318, edit(POLLER, "Poller:conclusion",
    [[function(self, phase, evidence)
      if phase == "direction_changed" then return "superseded" end
      return original(self, phase, evidence)
    end]]))),
  of("E", mutant("what passes is not waited for", 212, edit(SETTLED, "M.PATIENCE", "0"))),
  of("E", mutant("a count that lags outvotes names and list", 42,
    edit(PAIR_SET, "believe_two", NIL))),
  of("E", mutant("no names are a statement", 77, edit(PAIR_SET, "M.believe",
    [[function(count, names, members)
      if names and #names == 0 then return { count = count, names = names, members = members } end
      return original(count, names, members)
    end]]))),
  of("E", mutant("digits in quotes are no number", 43, edit(FIELDS, "M.number",
    [[function(value) return type(value) == "number" and value or nil end]]))),
  of("E", mutant("the pairs cannot stand in for their group", 200,
    edit(SNAPSHOT, "all_have_points", FALSE))),

  -- Direction and place.
  of("S2", lie("permissive", "no check of the direction", 20, edit(PRECHECK, "check_direction",
    [[function(snapshot)
      if snapshot.role == "primary" then return ok "whatever" end
      return original(snapshot)
    end]]))),
  of("S13", of_zones(mutant("the zone that was asked for is ignored", 2, edit(DIRECTION, "role_of",
    [[function(look) return look.to.region == look.region and "secondary" or "primary" end]])))),
  of("S13", of_zones(mutant("the source is taken for the side that was asked for", 2,
    edit(DIRECTION, "role_of", [[function(...)
      local role = original(...)
      return role == "primary" and "secondary" or role
    end]])))),
  mutant("the other region is asked meanwhile", 1, edit(FAILOVER, "target_of",
    [[function(change, intent)
      local target, group = original(change, intent), change.group
      local read = target.read
      function target.read(options)
        group.client:call("DescribeDiskReplicaGroups",
          { RegionId = intent.from.region, GroupIds = group.id })
        return read(options)
      end
      return target
    end]])),
}
