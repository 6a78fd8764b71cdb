-- Dovecot's authentication (built with Lua 5.4, `passdb { driver = lua }`): nobody logs in while
-- the mail store's replication group is not open on this site. Passwords stay with the passdb
-- after this one.
--
-- `blocking=yes` runs it in a process of its own for each worker, so a call may wait; how long is
-- bounded by `deadline`. When the cloud cannot be asked, the last answer stands for LAST seconds.

local alicloud = require "alicloud"

local GROUP, OPEN = os.getenv "DR_GROUP", "failovered"
local FRESH, LAST = 2, 600 -- seconds

local client, state, read_at

local function look()
  local result = client:call("DescribeDiskReplicaGroups", { GroupIds = GROUP, Site = "backup" })
  local group = result and result.ReplicaGroups and result.ReplicaGroups[1]
  if group then state, read_at = group.Status, client.loop.now() end
end

function script_init()
  client = alicloud.client { deadline = 3, timeout = 2, retries = 1 }
  return 0
end

function script_deinit()
  client:close()
end

function auth_passdb_lookup()
  local now = client.loop.now()
  if not read_at or now - read_at > FRESH then look() end
  if not read_at or now - read_at > LAST then
    return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "nobody knows where the mail store is open"
  end
  if state ~= OPEN then
    return dovecot.auth.PASSDB_RESULT_USER_DISABLED, "the mail store is not open on this site"
  end
  return dovecot.auth.PASSDB_RESULT_NEXT, ""
end

function auth_userdb_lookup()
  return dovecot.auth.USERDB_RESULT_USER_UNKNOWN, ""
end
