# The words that zsh offers at the end of each line of standard input, in a terminal of its own:
# ask.zsh OUT DIRECTORY [START]. Files of $fpath lie in DIRECTORY; START is a line behind compinit.
zmodload zsh/zpty
cat >$2/asking <<'END'
# What only compares stays inside; what is offered is noted, too.
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-[a-zA-Z]#[OAD]*\ * ]]; then builtin compadd "$@"; return $?; fi
  local -a hits
  builtin compadd -O hits "$@"
  (( $#hits )) && print -rl -- $hits >>$OUT
  builtin compadd "$@"
}
ask() { print -r -- "[$BUFFER]" >>$OUT; _main_complete; zle -I; }
zle -C ask list-choices ask
bindkey '^T' ask
zle-line-init() { print -r -- READY }
zle -N zle-line-init
END
zpty z zsh -f -i
zpty -w z "OUT=${(q)1} fpath=(${(q)2} \$fpath); autoload -Uz compinit; compinit -u -D; source ${(q)2}/asking; $3"
zpty -r z answer '*READY*'
while IFS= read -r line; do zpty -w -n z "$line"$'\x14\x15'; done
zpty -w z "print DO''NE"
zpty -r z answer '*DONE*'
