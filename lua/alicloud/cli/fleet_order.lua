--- Reads what was typed of a fleet: its store, playbook and items, and the accounts whose keys this
--- machine has.

local accounts = require "alicloud.dr.playbook.account"
local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local group_reads = require "alicloud.dr.read.groups"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local playbook_argument = require "alicloud.cli.playbook_argument"
local run_store = require "alicloud.cli.run_store"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

local M = {}

--- The address of the shared store that holds fleets.
---@param args table
---@param io alicloud.cli.Io
---@return string
function M.store(args, io)
  if args.store then return run_store.store(args.store, "--store") end
  return run_store.named(cli_clients.runtime(io).getenv) or options.refuse(
    "--store: is missing; allowed: the address of a shared store, or set ALICLOUD_DR_STORE")
end

-- Reads accounts and the profiles with their keys: 100001=prod,100002=shop.
local function typed_accounts(text)
  local profiles = {}
  for word in (text .. ","):gmatch "([^,]*)," do
    local account, profile = word:match "^%s*(%w+)=([^%s=]+)%s*$"
    if not accounts.RULE.test(account) or profiles[account] then
      options.refuse(("--accounts: got %s; allowed: ACCOUNT=PROFILE with a comma between, each "
        .. "account once"):format(schema.show(word)))
    end
    profiles[account] = profile
  end
  return profiles
end

-- Asks STS for the account of the client's keys. Locks are named by it, so it must be right.
local function ask_account(client)
  local about, err = client:identity()
  if not about then return nil, err end
  local answer
  answer, err = client:call("sts:GetCallerIdentity", {}, { endpoint = about.sts_endpoint })
  if answer then return answer.AccountId end
  err.hint = ("name the account: --account ID, or set %s"):format(accounts.VARIABLE)
  return nil, err
end

--- Refuses a wrong --accounts before any request is sent.
---@param args table
function M.check_accounts(args)
  if args.accounts then typed_accounts(args.accounts) end
end

---@class alicloud.cli.FleetAccounts
---@field profiles table<string, string|false> by account; false: the keys of this command
---@field open fun(account: string): alicloud.Client|nil

local function open_client(args, io, profile)
  local own = setmetatable({ profile = profile or args.profile }, { __index = args })
  return (cli_clients.open(own, io))
end

-- The account of this command's keys: typed, from the environment, or asked of STS.
local function own_account(args, io, client)
  local field, named = "--account", args.account
  if not named then
    field, named = accounts.VARIABLE, cli_clients.runtime(io).getenv(accounts.VARIABLE)
  end
  if not named or named == "" then return ask_account(client) end
  if accounts.RULE.test(named) then return named end
  return options.refuse(("%s: got %s; allowed: %s"):format(field, schema.show(named),
    accounts.RULE.allowed))
end

--- The accounts whose keys this machine has.
---@param args table
---@param io alicloud.cli.Io
---@return alicloud.cli.FleetAccounts|nil
---@return alicloud.Error? err
function M.accounts(args, io)
  local clients, profiles = {}, args.accounts and typed_accounts(args.accounts)
  if not profiles then
    local client = open_client(args, io)
    local account, err = own_account(args, io, client)
    if not account then return nil, err end
    profiles, clients[account] = { [account] = false }, client
  end
  return { profiles = profiles, open = function(account)
    if profiles[account] == nil then return nil end
    clients[account] = clients[account] or open_client(args, io, profiles[account])
    return clients[account]
  end }
end

local function words_of(value)
  local list = {}
  for _, text in ipairs(type(value) == "table" and value or { value }) do
    for word in (text .. ","):gmatch "%s*([^,]-)%s*," do
      if word ~= "" then list[#list + 1] = word end
    end
  end
  return list
end

local function name_of(entry)
  return schema.text.test(entry.name) and entry.name or nil
end

-- All groups of all accounts that fail over to the region.
local function all_items(known, region)
  local items = {}
  for _, account in ipairs(tables.keys(known.profiles)) do
    local list, err = group_reads.named(known.open(account),
      { region = region, site = "backup", lone_pairs = true })
    if not list then return nil, err end
    for _, entry in ipairs(list) do
      items[#items + 1] = { account = account, group = entry.id, name = name_of(entry),
        region = region }
    end
  end
  return items
end

local function named_items(known, region, words)
  local items, names = {}, tables.keys(known.profiles)
  for i, word in ipairs(words) do
    local account, group = word:match "^(%w+)/(.+)$"
    if not account and #names > 1 then
      options.refuse(("groups: got %s of %d accounts; allowed: ACCOUNT/GROUP, or all"):format(
        schema.show(word), #names))
    end
    account, group = account or names[1], group or word
    if known.profiles[account] == nil then
      options.refuse(("groups: got %s, and %s is no account of this command%s"):format(
        schema.show(word), account, schema.did_you_mean(account, known.profiles)))
    end
    items[i] = { account = account, group = options.group_id(group, "groups"), region = region }
  end
  return items
end

-- Adds names, since patterns of tiers match names, too. A group that is not listed gets none; its
-- own run reports later that it is missing.
local function add_names(known, region, items)
  local names = {}
  for _, item in ipairs(items) do
    local own = names[item.account]
    if not own then
      own = {}
      local list, err = group_reads.named(known.open(item.account),
        { region = region, lone_pairs = true })
      if not list then return nil, err end
      for _, entry in ipairs(list) do own[entry.id] = name_of(entry) end
      names[item.account] = own
    end
    item.name = own[item.group]
  end
  return items
end

local function items_of(known, region, groups, tier)
  local words = words_of(groups)
  if #words == 0 then
    options.refuse "groups: is missing; allowed: all, or ids with a comma between"
  end
  if tables.set(words).all then
    if #words == 1 then return all_items(known, region) end
    options.refuse "groups: got all beside names; allowed: all, or ids with a comma between"
  end
  local items = named_items(known, region, words)
  if not tier then return items end
  return add_names(known, region, items)
end

--- The parameters of a fleet that is to begin; a typed `region` becomes that of the command.
---@param args table with param
---@param io alicloud.cli.Io
---@return table params as they were typed, `groups` and `region` among them
function M.params(args, io)
  local params = playbook_argument.read_params(args, orders.reader(args, io))
  args.region = args.region or params.region
  return params
end

-- Parameters of the ready playbook `fleet` that are options of this command.
local SETTINGS = { "canary", "max_errors", "tier" }

local function check_params(params, playbook)
  local declared = {}
  for _, param in ipairs(playbook.params) do declared[param.name] = true end
  for _, name in ipairs(SETTINGS) do
    if params[name] ~= nil and not declared[name] then
      options.refuse(("%s: is no parameter of the playbook %s, but an option here: %s"):format(
        name, playbook.name, shell.option("--" .. name:gsub("_", "-"), tostring(params[name]))))
    end
  end
end

--- The options of dr.fleet for a fleet that is to begin.
---@param params table result of `params`
---@param args table
---@param io alicloud.cli.Io
---@param known alicloud.cli.FleetAccounts
---@param playbook alicloud.dr.Playbook
---@return table|nil given options of dr.fleet
---@return alicloud.Error? err
function M.wish(params, args, io, known, playbook)
  check_params(params, playbook)
  local region = options.region(args, cli_clients.runtime(io).getenv)
  local items, err = items_of(known, region, params.groups, args.tier)
  if not items then return nil, err end
  if #items == 0 then
    options.refuse(("groups: %s lists none that fails over to it"):format(region))
  end
  local own = tables.copy(params)
  own.groups, own.region = nil, nil
  return { items = items, params = own, playbook = playbook, canary = args.canary,
    max_errors = args.max_errors, tier = args.tier,
    words = { groups = words_of(params.groups), region = region,
      accounts = tables.keys(known.profiles) } }
end

--- Loads the playbook that was typed.
---@param name string
---@param args table
---@param io alicloud.cli.Io
---@return alicloud.dr.Playbook
function M.playbook(name, args, io)
  return playbook_argument.load(playbook_argument.read(name, io, orders.reader(args, io)))
end

local KEPT = { "workers", "region", "endpoint", "profile", "accounts", "account", "playbook",
  "incident", "failed_region", "wait_for_cloud", "requester", "yes", "trust_file", "events",
  "on_event" }

--- A printed command about the fleet.
---@param args table with name and store
---@param more? string[] further options
---@return string
function M.command(args, more)
  local all = { shell.option("--store", args.store) }
  return shell.command("fleet", { args.name }, table.move(more or {}, 1, #(more or {}), 2, all))
end

--- The command that joins the fleet and takes its items.
---@param args table
---@return string
function M.join_command(args)
  local all = options.typed(args, KEPT)
  table.move(network.typed(args), 1, 100, #all + 1, all)
  return M.command(args, all)
end

-- The file of the playbook: it may lie elsewhere on this machine than where the fleet was begun.
local function playbook_file(args, meta)
  if args.playbook then return args.playbook end
  local file = meta.file
  if file and (playbook_argument.is_ready(file) or core.look(file)) then return file end
  local why = file and ("was begun with %s, which is not there"):format(terminal.clean(file))
    or "does not name its file"
  return options.refuse(("--playbook: is missing; the fleet %s: %s --playbook PATH"):format(why,
    M.join_command(args)))
end

--- Loads the playbook of a fleet that is joined. Its digest is compared before it is executed.
---@param args table
---@param io alicloud.cli.Io
---@param meta alicloud.dr.FleetMeta
---@return alicloud.dr.Playbook
function M.joined_playbook(args, io, meta)
  local file = playbook_file(args, meta)
  local source = playbook_argument.read(file, io, orders.reader(args, io))
  if source.digest ~= meta.digest then
    options.refuse(("playbook: %s is another text than the fleet was begun with; allowed: the same "
      .. "at every controller"):format(file))
  end
  return playbook_argument.load(source)
end

return M
