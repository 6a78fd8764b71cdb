--- Lists the commands with their summaries, in the order of the help. The module of a command is
--- loaded only when it is needed.

local M = {}

---@class alicloud.cli.CommandEntry
---@field name string as it is typed; also the name of its module in this folder
---@field summary string the help of the program shows its first sentence

---@class alicloud.cli.Command
---@field configure fun(command: table) declares arguments and options, with argparse
---@field run fun(args: table, io: alicloud.cli.Io): integer returns the exit code

---@type alicloud.cli.CommandEntry[]
M.LIST = {
  { name = "status", summary = "Show groups: direction, status, pairs, recovery point." },
  { name = "readiness", summary = "Tell, for cron, which groups could be failed over now." },
  { name = "precheck", summary = "Check groups before a failover, without changing anything." },
  { name = "failover", summary = "Fail a group over to its secondary site." },
  { name = "fence", summary = "Stop the instances of the old side and detach its disks." },
  { name = "serve", summary = "Attach the opened disks and start the instances that take over." },
  { name = "start", summary = "Start replication of a group, or synchronize it once." },
  { name = "stop", summary = "Stop replication of a group." },
  { name = "reprotect", summary = "Protect a group again after its failover." },
  { name = "drill", summary = "Start, clear or list drills of a group." },
  { name = "playbooks", summary = "List playbooks and what they take." },
  { name = "plan", summary = "Show what a playbook would do. Reads only." },
  { name = "run", summary = "Run a playbook; run again it goes on where it ended." },
  { name = "runs", summary = "List runs, how each stands, and the command that goes on." },
  { name = "resume", summary = "Go on with a run from its journal." },
  { name = "fleet", summary = "Move many groups, in many accounts, from several machines." },
  { name = "unfence", summary = "Bring back what a run has stopped at the old side." },
  { name = "handover", summary = "Let a colleague go on with a run, or move its journal." },
  { name = "approve", summary = "Approve a gate of a run, or make a key for that." },
  { name = "ungraceful", summary = "Tell a running playbook that the old side is given up." },
  { name = "verify",
    summary = "Find an edited, cut or reordered line of a journal, and a forged signature." },
  { name = "report", summary = "Tell what a run did, for an auditor, a ticket or a CI." },
  { name = "policy", summary = "Print the least RAM policy that a playbook needs." },
  { name = "explore",
    summary = "Rehearse a playbook under thousands of random troubles, on this machine." },
  { name = "conformance", summary = "Hold what the emulator assumes against a service." },
  { name = "record", summary = "Turn a recording of --record into HAR, which browsers open." },
  { name = "call", summary = "Send one signed call and print its answer." },
  { name = "dependencies",
    summary = "List every host that a run needs, and the region in which it lies." },
  { name = "whoami", summary = "Show whose credentials are used, and where they are from." },
  { name = "explain",
    summary = "Say what a code means or where a run stands, and whether sending again is safe." },
  { name = "bugreport",
    summary = "Write what somebody needs who is to look into a fault, into one file." },
  { name = "repl", summary = "Type Lua: calls, results, help and explanations." },
  { name = "emulator", summary = "Run an emulator of the EBS replication API." },
  { name = "manual", summary = "Read the manual, topic by topic." },
  { name = "help", summary = "Show the help of a command." },
  { name = "completion", summary = "Print the script that completes what is typed, for a shell." },
  { name = "version", summary = "Print the versions of the command and its libraries." },
}

local known = {}
for _, entry in ipairs(M.LIST) do known[entry.name] = true end

--- Whether a command exists.
---@param name string|nil
---@return boolean
function M.is_known(name)
  return known[name] == true
end

--- Loads the module of a command.
---@param name string a known one
---@return alicloud.cli.Command
function M.load(name)
  return require("alicloud.cli.commands." .. name)
end

return M
