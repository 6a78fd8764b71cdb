---@meta _
-- Declares the types that functions of the C module `alicloud.core` take and return, for language
-- servers. Never loaded.

---A secret in a C buffer: Lua can pass it on and cannot read it. Wiped when closed or collected.
---@class alicloud.Secret
local Secret = {}

---Wipes the bytes. Using the secret afterwards raises.
function Secret:close() end

---@return integer bytes
function Secret:length() end

---Replaces the secret in a text that is to be shown. A secret of less than four bytes is not
---replaced.
---@param text string
---@return string text with *** in its place
function Secret:mask(text) end

---A file that must survive a crash. A failed method returns nil, a message and the errno
---("ENOSPC"). It belongs to the process that opened it: a forked child can only close its copy, all
---else raises.
---@class alicloud.File
local File = {}

---Appends all of the bytes.
---@param bytes string
---@return boolean|nil ok
---@return string? message
---@return string? code
---@return integer? written bytes that were written before it failed
function File:append(bytes) end

---@param offset integer
---@param count integer at most 64 MiB
---@return string|nil bytes fewer than `count` only at the end of the file
---@return string? message
---@return string? code
function File:read(offset, count) end

---fsync. After a failure it must not be retried: the next one may succeed although pages are lost.
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:sync() end

---@param bytes integer
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:truncate(bytes) end

---Reserves blocks for that many bytes without changing the length of the file.
---@param bytes integer from the start of the file
---@return boolean|nil ok
---@return string? message
---@return string? code "EOPNOTSUPP" where the file system cannot
function File:reserve(bytes) end

---Takes an exclusive lock on one byte, which may lie behind the end: a file can hold many locks.
---The lock ends when the file is closed. If the process dies first, it ends with the last child
---that was forked meanwhile and runs no other program.
---@param offset integer
---@return boolean|nil locked false if another open file has it
---@return string? message
---@return string? code "ENOLCK" where the system has no such locks
function File:lock(offset) end

---@param offset integer offset of a locked byte
---@return boolean|nil ok
---@return string? message
---@return string? code
function File:unlock(offset) end

---Whether another open file, also of this process, has the lock. Takes no lock.
---@param offset integer
---@return boolean|nil locked
---@return string? message
---@return string? code
function File:is_locked(offset) end

---@class alicloud.FileStat
---@field bytes integer
---@field type "file"|"directory"|"link"|"other"
---@field mode integer permission bits, with setuid, setgid and sticky
---@field links integer number of hard links
---@field uid integer
---@field gid integer
---@field own boolean it belongs to the effective user of this process

---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function File:stat() end

function File:close() end

---@class alicloud.SignRequest
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" default: the first
---@field method? string is upper-cased (POST)
---@field scheme? "https"|"http"
---@field host? string host[:port], signed as given; a header `host` overrides it
---@field path? string ("/")
---@field query? table<string, string|number|boolean> flat parameters; `alicloud.null` gives `name=`
---@field form? table<string, string|number|boolean> HMAC-SHA1 only: parameters of a form body
---@field headers? table<string, string> x-acs-*, host and content-type are signed; these override
---others
---@field body? string
---@field payload_hash? string hex, in place of the hash of `body`
---@field action? string
---@field version? string
---@field access_key_id? string nil: the request is not signed
---@field access_key_secret? string|alicloud.Secret
---@field security_token? string|alicloud.Secret
---@field date? string YYYY-MM-DDTHH:MM:SSZ
---@field nonce? string

---@class alicloud.Signed
---@field method string
---@field url string
---@field host string
---@field headers table<string, string> lower-case names, authorization included
---@field body? string
---@field canonical_request? string nil without a key, as are the fields below
---@field string_to_sign? string
---@field signature? string hex, or base64 for HMAC-SHA1
---@field authorization? string ACS3 only
---@field signed_headers? string ACS3 only

---@class alicloud.ReadInfo
---@field status? integer
---@field request_id? string
---@field date? integer unix seconds of the Date header
---@field body_bytes integer

---@class alicloud.ReadFields: alicloud.ReadInfo
---@field kind "api"|"http"|"network"|"tls"|"timeout"|"decode"|"limit"|"throttled"|"cancelled"
---@field code string as the service sent it, or one of ours: "Client.…"
---@field message string
---@field outcome "not_sent"|"rejected"|"unknown"
---@field retryable boolean
---@field retry_class "never"|"transport"|"server"|"throttle"|"nonce"|"clock"|"credentials"|"pending"
---@field retry_after? number seconds
---@field verdict? "wrong secret"|"our canonical string differs"
---@field host_id? string
---@field recommend? string
---@field access_denied_detail? table
---@field failure? string
---@field detail? string

---Signs a request of the signer's kind and keeps it in C, ready for `Transport:submit`. Pure;
---raises on misuse like `core.sign`.
---@alias alicloud.Signer fun(query: table<string, string|number|boolean>?,
---body_or_form: string|table|nil, date: number, nonce: string, access_key_id: string?,
---access_key_secret: string|alicloud.Secret|nil, security_token: string|alicloud.Secret|nil,
---headers: table<string, string>?): alicloud.SignedRequest

---A signed request in a C buffer; a field is made when it is read.
---@class alicloud.SignedRequest: alicloud.Signed

---Settings that all requests of a kind share.
---@class alicloud.SignKind
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1" default: the first
---@field method? string is upper-cased (POST)
---@field scheme? "https"|"http"
---@field host string host[:port], signed as given
---@field path? string ("/")
---@field action? string
---@field version? string
---@field headers? table<string, string>

---@class alicloud.ReadOptions
---@field string_to_sign? string of the request; decides `verdict` about a refused signature
---@field canonical_request? string of the request; decides `verdict`, too
---@field max_bytes? integer largest body that is read (1 MiB)

---A target for lines that others read. A write never blocks. It belongs to the process that opened
---it.
---@class alicloud.Sink
local Sink = {}

---@param bytes string
---@return integer|nil written bytes that were written without blocking
---@return string? message
---@return string? code "EPIPE" if there is no reader any more
function Sink:write(bytes) end

---@return integer descriptor
function Sink:fd() end

function Sink:close() end

---A program that was started for its output. A loop can wait for it as for a transport. It belongs
---to the process that started it: a forked child can only close its copy, and the program goes on.
---@class alicloud.Process
local Process = {}

---Reads the output so far; never blocks.
---@return boolean over the program has ended and its output was read; a daemon that it left with
---the pipe may go on
function Process:step() end

---The text that the program wrote to standard error since the last call, if the option `errors` is
---set. The program blocks when 64 KiB of it were not read.
---@return string text "" if there is none
function Process:errors() end

---@return integer? descriptor always the same; nil once it is closed
function Process:pollfd() end

---@return "r"
function Process:events() end

---@return number? seconds until `step` must be called even if the descriptor is not ready
function Process:timeout() end

---@class alicloud.Overflow
---@field bytes integer size of the whole output
---@field kept integer bytes of it that are in the file: all, up to 64 MiB
---@field fault? string why the file holds fewer

---@return alicloud.Overflow? overflow nil if the output is not larger than the cap
function Process:overflow() end

---Hands over the output, once; raises before the program is over.
---@return alicloud.Secret? output nil if it was larger than the cap
---@return integer? exit_code nil unless the program exited; if the host waits for its children
---itself or ignores SIGCHLD, a signal is reported as 128 and its number, as by a shell
---@return integer? signal the signal that ended it; nil, nil: how it ended cannot be known
function Process:result() end

---Kills the program with its children, if it runs. Its output can still be read.
function Process:kill() end

---Kills the program with its children, if it runs, and wipes the output. Idempotent.
function Process:close() end

---@class alicloud.SpawnOptions
---@field errors? boolean its standard error is read by `process:errors` and not the host's
---@field leashed? boolean it is killed with its children when this process ends, in whatever way;
---needs one shell for all such programs
---@field overflow? string path of a new file (mode 0600): an output larger than the cap goes there
---as a whole, and the program is not killed
---@field without? string[] patterns (*, ?, [a-z]) of names of variables that it does not get

--- An immutable set of operations, each with the version of its API.
---@class alicloud.Actions
local Actions = {}

---@param version string
---@param action string
---@return boolean
function Actions:has(version, action) end

--- A program at the other end of a socket. It belongs to the process that started it: a forked
--- child can only close its copy, and the program goes on.
---@class alicloud.Child
local Child = {}

---@return integer descriptor to poll
function Child:fd() end

--- Sends the whole text; waits while the child does not read.
---@param text string
---@param seconds? number longest wait, 0 to 86400 (5)
---@return true|nil ok
---@return string? message
function Child:send(text, seconds) end

--- Reads what the child has sent; never blocks.
---@param max integer bytes, up to 1 MiB
---@return string? bytes "" if there are none yet, nil when the child has closed its end
function Child:receive(max) end

--- How the child ended; nil while it runs.
---@return { exit: integer?, signal: integer? }? how without both fields if the host ignores the
---ends of its children
function Child:ended() end

--- CPU time that the child has used, without that of its own children.
---@return number? seconds nil if it cannot be known
function Child:computed() end

--- Kills the child with its children, if it runs. Idempotent.
function Child:close() end

---@class alicloud.ChildOptions
---@field argv string[] 1 to 64; the first is searched for in PATH
---@field env? string[] "NAME=value", up to 64: its whole environment (none)

---@class alicloud.DecodeOptions
---@field max_bytes? integer largest text that is read (1 MiB)
---@field keep_null? boolean null in an object becomes `alicloud.null`; without it the name is left
---out

---A set of descriptors behind a single one, which is readable when any of them is ready. For a loop
---that can watch only one descriptor, always the same. A forked child gets a group of its own,
---empty and with another descriptor.
---@class alicloud.PollGroup
local PollGroup = {}

---Watches a descriptor; costs nothing if it is watched already. Raises if it is not open.
---@param fd integer
---@param events? "r"|"w"|"rw" ("r")
function PollGroup:add(fd, events) end

---Stops watching a descriptor. Must be called before the descriptor is closed, since its number may
---be used again. One that is not in the group is ignored.
---@param fd integer
function PollGroup:remove(fd) end

---@return integer descriptor the same until the group is closed
function PollGroup:pollfd() end

---Idempotent; `__close` and `__gc` do the same.
function PollGroup:close() end
