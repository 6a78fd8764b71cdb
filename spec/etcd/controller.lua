-- One controller of a spec, as a process: it runs each of its items, a group of an account, as a
-- run of its own in etcd, and waits for those that another controller has, until all are done.
-- Arguments: a file of settings, JSON. Exit code: 0 all are done, 1 its time was over, 3 some items
-- ended in a way that no waiting mends. All that it does goes into its history, a line each.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local etcd = require "alicloud.dr.store.etcd"
local sessions = require "alicloud.dr.store.session"
local shared = require "alicloud.dr.store.shared"
local watched_keys = require "spec.etcd.watched_keys"

---@class spec.ControllerSettings
---@field who string its name
---@field members string[] client URLs of etcd
---@field prefix string
---@field user? string
---@field password? string
---@field endpoint string of the emulator
---@field region string
---@field items { run: string, account: string, group: string }[] `account`: a number, and the
---key by which the emulator knows it
---@field ttl integer
---@field send_window number
---@field exchange number
---@field mirrors string directory
---@field history string path
---@field seed integer
---@field at_once integer items
---@field patience number seconds after which it gives up
---@field standby? boolean whether it waits within each run, and not between tries
---@field trap? spec.Trap

local PLAYBOOK = dr.playbook("move", { params = { { name = "group", type = "id" },
  { name = "region", type = "region" } } }, function(run)
  local group = run:group(run.params.group, { region = run.params.region })
  run:step("check", function() return group:precheck() end)
  run:step("promote", { point_of_no_return = true }, function()
    return group:failover { poll = 0.1 }
  end)
  run:verify("open", function() return true end)
end)

-- Who has it, or that the store did not answer: later it may be otherwise.
local PASSING = { ["Client.JournalLocked"] = true, ["Client.JournalLost"] = true,
  ["Client.JournalFailed"] = true, ["Client.JournalConflict"] = true,
  ["Client.Interrupted"] = true }

local function read_settings(path)
  local file <close> = assert(io.open(path))
  return assert(core.decode(file:read "a"))
end

local settings = read_settings(arg[1])
local history = assert(io.open(settings.history, "a"))
history:setvbuf("full", 1024 * 1024)

local function tell(event)
  event.who, event.at = settings.who, event.at or core.boottime()
  history:write(core.encode(event), "\n")
  history:flush()
end

local clients = {}
local function client_of(account)
  clients[account] = clients[account] or alicloud.client {
    region = settings.region, endpoint = settings.endpoint, access_key_id = account,
    access_key_secret = account .. "-secret", write_timeout = settings.exchange,
  }
  return clients[account]
end

local first = client_of(settings.items[1].account)
local loop, runtime = first.loop, first.runtime
local ends_at = core.boottime() + settings.patience

local keys = watched_keys.new(etcd.open { name = "etcd", members = settings.members, loop = loop,
  user = settings.user, password = settings.password }, tell, settings.trap)

-- One session for all items, and a new one when it is lost.
local session
local function current_session()
  if session and not session:lost() then return session end
  local err
  session, err = sessions.open(keys, { loop = loop, runtime = runtime, ttl = settings.ttl })
  if session then
    tell { type = "session", id = session.id }
    session:on_lost(function(lost) tell { type = "lost", message = lost.message } end)
  end
  return session, err
end

local function open(item)
  local held, err = current_session()
  if not held then return nil, err end
  return shared.open { keys = keys, run = item.run, name = "etcd#" .. item.run,
    prefix = settings.prefix, loop = loop, runtime = runtime, session = held,
    mirror = ("%s/%s.jsonl"):format(settings.mirrors, item.run),
    send_window = settings.send_window, exchange = settings.exchange }
end

-- One try of an item: whether it has ended, well or for good.
local function attempt(item)
  local store, err = open(item)
  local result
  if store then
    result, err = dr.run(PLAYBOOK, { client = client_of(item.account), store = store,
      account = item.account, requester = settings.who, standby = settings.standby,
      params = { group = item.group, region = settings.region } })
  end
  if result then
    tell { type = "done", run = item.run, status = result.status }
    return true
  end
  if err.code ~= item.last then
    tell { type = "stopped", run = item.run, code = err.code, message = err.message,
      outcome = err.outcome, hint = err.hint }
  end
  item.last = err.code
  return false, not PASSING[err.code] and err
end

local function shuffled(list)
  math.randomseed(settings.seed)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

local open_items, failed = shuffled(settings.items), {}

local function work()
  while core.boottime() < ends_at do
    local item = table.remove(open_items, 1)
    if not item then return end
    local ended, err = attempt(item)
    if err then
      failed[#failed + 1] = ("%s: %s"):format(item.run, tostring(err))
    elseif not ended then
      open_items[#open_items + 1] = item
      loop.sleep(0.1)
    end
  end
end

tell { type = "begun", pid = core.process().pid }
local ok, raised = pcall(loop.scope, function(scope)
  for _ = 1, settings.at_once do scope:spawn(work) end
end)
if session then session:close() end
keys:close()

-- What it says as it ends.
local code, why = 0, nil
if not ok then
  code, why = 99, tostring(raised)
elseif open_items[1] then
  code, why = 1, ("%d items are open"):format(#open_items)
elseif failed[1] then
  code, why = 3, table.concat(failed, "\n")
end
tell { type = "exit", code = code, why = why }
os.exit(code, true)
