# What bash inserts at the end of each line of standard input when it is asked for all candidates
# (M-*), in a terminal: the command is a function there that notes its words.
# ask-bash.zsh OUT START, with a line that bash begins with.
zmodload zsh/zpty
zpty b bash --norc --noprofile -i
zpty -w b "OUT=${(q)1}; alicloud-dr() { printf '%s\\n' \"\$@\" >>\"\$OUT\"; }"
zpty -w b "bind 'set enable-bracketed-paste off'; $2; echo REA''DY"
zpty -r b answer '*READY*'
while IFS= read -r line; do
  zpty -w b "printf '[%s]\\n' ${(qq)line} >>\"\$OUT\"; echo NE''XT"
  zpty -r b answer '*NEXT*'
  zpty -w b "$line"$'\e*'
done
zpty -w b "echo DO''NE"
zpty -r b answer '*DONE*'
