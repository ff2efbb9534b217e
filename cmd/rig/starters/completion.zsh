#compdef rig
# Completion of rig for zsh. Put this line into ~/.zshrc, after compinit:
#   source <(rig completion zsh)
_rig() {
    local line
    local -a values shown folders
    for line in "${(@f)$("${words[1]}" complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -z $line ]] && continue
        if [[ ${line%%$'\t'*} == */ ]]; then
            folders+=("${line%%$'\t'*}")
            continue
        fi
        values+=("${line%%$'\t'*}")
        if [[ -n ${line#*$'\t'} ]]; then
            shown+=("${line%%$'\t'*}  -- ${line#*$'\t'}")
        else
            shown+=("${line%%$'\t'*}")
        fi
    done
    (( ${#folders} )) && compadd -S '' -a folders
    (( ${#values} )) && compadd -l -d shown -a values
    return 0
}
if (( $+functions[compdef] )); then
    compdef _rig rig
fi
