--- `alicloud-dr completion`: prints the script that completes command lines in a shell.

local lazy = require "alicloud.base.lazy"
local output = require "alicloud.cli.output"
local runtimes = require "alicloud.base.runtime"

---@module "alicloud.cli.completion"
local completion = lazy.module "alicloud.cli.completion"
---@module "alicloud.cli.completion.words"
local completion_words = lazy.module "alicloud.cli.completion.words"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Commands, options and their words are completed, with regions, playbooks and their parameters,
topics of the manual, codes, journals and files. Group ids and zones are those that status and
readiness have seen last: they are kept in $XDG_CACHE_HOME/alicloud-dr, for you alone, and nobody is
asked over the network. An installed alicloud-dr brings its scripts along.

For this shell:
  eval "$(alicloud-dr completion bash)"
  source <(alicloud-dr completion zsh)
  alicloud-dr completion fish | source
For all from now on:
  mkdir -p ~/.local/share/bash-completion/completions
  alicloud-dr completion bash \
    >~/.local/share/bash-completion/completions/alicloud-dr
  echo 'eval "$(alicloud-dr completion bash)"' >>~/.bashrc
  echo 'source <(alicloud-dr completion zsh)' >>~/.zshrc
  mkdir -p ~/.config/fish/completions
  alicloud-dr completion fish >~/.config/fish/completions/alicloud-dr.fish

bash without the package bash-completion takes the line in ~/.bashrc; with it, the file is read when
it is needed. The line for zsh stands behind that of compinit.

Exit codes: 0 done, 2 usage.]]

function M.configure(command)
  command:argument("shell", "The shell."):choices { "bash", "zsh", "fish" }
  command:epilog(EPILOG)
end

--- Prints candidates for such a script, which calls: `completion --words KIND [--region X] …`.
---@param argv string[]
---@param io alicloud.cli.Io
---@return integer exit_code
function M.print_words(argv, io)
  io.out(completion_words.lines(argv[3] or "", completion_words.asked(argv),
    runtimes.new(io.runtime).getenv))
  return output.EXIT.done
end

function M.run(args, io)
  io.out(completion.script(args.shell))
  return output.EXIT.done
end

return M
