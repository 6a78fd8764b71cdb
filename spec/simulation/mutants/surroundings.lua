-- Mistakes about what is around a run and not as usual, and about looks that show what was or do
-- not know everything yet.

local make = require "spec.simulation.mutants.make"

local ATTACHMENT, NEIGHBOURS = "alicloud.dr.read.attachment", "alicloud.dr.read.neighbours"
local PAIR_SET, READING = "alicloud.dr.model.pair_set", "alicloud.dr.model.reading"
local SITES, SNAPSHOT = "alicloud.dr.read.sites", "alicloud.dr.model.snapshot"
local SETTLED = "alicloud.dr.read.settled"
local edit, lie, of, FALSE, NIL = make.edit, make.lie, make.of, make.FALSE, make.NIL

-- What only a move that stops production first can notice.
local function planned(names, made)
  made.playbook = "lua/alicloud/playbooks/planned.lua"
  return of(names, made)
end

-- What only a group whose sides lie in one region can notice.
local function zones(names, made) return of(names, make.of_zones(made)) end

return {
  planned("E", lie("blips", "a side that does not answer holds up the other one", 163, edit(SITES,
    "M.read", [[function(group)
      local sites, err = original(group)
      if sites and sites.unreachable then return nil, sites.unreachable end
      return sites, err
    end]]))),
  zones("S3", lie("old_record", "one look at what was open is enough", 1807, edit(SETTLED,
    "needs_another", FALSE))),
  of("S3", lie("membership", "a group that does not know a pair yet is a small one", 222,
    edit(PAIR_SET, "count_own", "function() return 0 end"))),
  planned("E", lie("membership", "lists that lag are not waited for", 137,
    edit(SITES, "M.LAG", "0"))),
  of("N3", lie("recover_point_as", "no recovery point is one of now", 10, edit(READING, "M.moment",
    [[function(value, read_at)
      local moment, doubt = original(value, read_at)
      if moment or doubt or not read_at then return moment, doubt end
      return whole(read_at)
    end]]))),
  of("N3", lie("recover_point_as", "a recovery point in the future is one of now", 295,
    edit(READING, "M.moment", [[function(value, read_at)
      local moment, doubt = original(value, read_at)
      if not (doubt and doubt:find "lies in the future" and read_at) then return moment, doubt end
      return whole(read_at)
    end]]))),
  planned("E", lie("compute", "a disk that is being created is in somebody's hands", 66,
    edit(ATTACHMENT, "M.is_free_soon", [[function(disk) return disk.status == "Detaching" end]]))),
  planned("P12", lie("neighbours", "who else lies on a machine is not looked for", 48,
    edit(NEIGHBOURS, "M.shared", NIL))),
  of("S13", lie("places", "between two zones the destination is meant", 5, edit(SNAPSHOT,
    "role_of", [[function(...)
      local role = original(...)
      return role == "both" and "secondary" or role
    end]]))),
}
