# What a bash without a terminal would offer at the end of each line of standard input: the function
# of completion is called as bash calls it. ask.bash SCRIPT. The words are those that bash makes of
# the line: it cuts at blanks, = and :, but not in quotes.
set -u
source "$1"
while IFS= read -r line; do
  COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=() word='' quoted=''
  for ((at = 0; at < ${#line}; at++)); do
    c=${line:at:1}
    if [[ -n $quoted ]]; then
      word+=$c
      if [[ $c == "$quoted" ]]; then quoted=''; fi
      continue
    fi
    case $c in
      ' ') if [[ -n $word ]]; then COMP_WORDS+=("$word"); fi; word='' ;;
      [=:]) if [[ -n $word && $word != *[=:] ]]; then COMP_WORDS+=("$word"); word=''; fi; word+=$c ;;
      *)
        if [[ $word == *[=:] ]]; then COMP_WORDS+=("$word"); word=''; fi
        if [[ $c == [\'\"] ]]; then quoted=$c; fi
        word+=$c ;;
    esac
  done
  COMP_WORDS+=("$word") COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _alicloud_dr
  printf '[%s]\n' "$line"
  for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do printf '%s\n' "${COMPREPLY[i]}"; done
done
