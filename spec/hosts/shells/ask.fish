# What fish offers at the end of each line of standard input: ask.fish SCRIPT.
source $argv[1]
while read -l line
    echo "[$line]"
    complete -C $line
end
