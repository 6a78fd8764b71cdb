---@meta alicloud.confine

--- What a process calls that runs what nobody vouches for: it gives its rights up, for good, and
--- talks with the one that started it (`core.child`) over descriptor 3. In a confined process
--- `alicloud.core` and the other modules start no programs and open no files and sockets; they say
--- so without asking the kernel, which would refuse.
local confine = {}

---@class alicloud.confine.Options
---@field memory integer bytes of address space, 16 MiB to 1 GiB
---@field cpu? integer seconds of computing since it was started, 1 to 86400; signal 24 (SIGXCPU) ends
--- it then (no limit)

---@class alicloud.confine.Reached
---@field limits true no further descriptor or process, no byte into a file, no core, the memory asked for
---@field no_new_privs boolean no program gives it rights, it ends with its parent, nobody may look into it
---@field seccomp boolean system calls outside a short list give EPERM
---@field landlock integer|false version of the kernel's Landlock, all of whose rights are withheld
---@field missing string[] what this system lacks, and why, for a person

--- Closes what is open beyond descriptor 3 and confines this process. Raises if it is confined, if
--- descriptor 3 is no socket, and if a mechanism fails that is there: then the process must end.
---@param options alicloud.confine.Options
---@return alicloud.confine.Reached
function confine.enter(options) end

--- Sends all of it, as long as that takes.
---@param text string
---@return true|nil ok
---@return string? message
function confine.send(text) end

--- Waits for what the parent says.
---@return string? bytes some, nil at their end
function confine.receive() end

return confine
