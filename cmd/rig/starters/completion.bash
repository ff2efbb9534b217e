# Completion of rig for bash. Put this line into ~/.bashrc:
#   source <(rig completion bash)
_rig_complete() {
    local line words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    words=("${words[@]//\\/}") # as typed, a blank in a name has a backslash
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$(printf %q "${line%%$'\t'*}")")
    done < <("${COMP_WORDS[0]}" complete-words -- "${words[@]}" 2>/dev/null)
    # Behind a folder the word goes on.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null || true
    fi
}
complete -F _rig_complete rig
