# Completion of rig for fish. Write it where fish looks:
#   rig completion fish > ~/.config/fish/completions/rig.fish
function __rig_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    $before[1] complete-words -- $before[2..-1] "$current" 2>/dev/null
end
complete -c rig -f -a '(__rig_complete)'
